//! Protobuf by hand: just what Kubernetes' messages need, borrowed when read, and written with the
//! quirks of its encoder (fields that are not pointers are always there, empty or not).
//!
//! A generated codec would copy every string of a list of 150,000 pods before anyone looked at
//! them; this one reads it in place.

use crate::time::Timestamp;

/// The bytes are not a protobuf message, or a field is not of the type it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed protobuf")]
pub struct Malformed;

/// The value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// An integer or boolean.
    Varint(u64),
    /// A string, bytes or message.
    Bytes(&'a [u8]),
    /// Eight bytes: a double, or an integer of fixed width.
    Fixed64(u64),
    /// Four bytes of a fixed width, which nothing here uses.
    Fixed32,
}

impl<'a> Value<'a> {
    /// The bytes of a string, bytes or message.
    ///
    /// # Errors
    /// When the field is of another type.
    pub const fn bytes(self) -> Result<&'a [u8], Malformed> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(Malformed),
        }
    }

    /// A string.
    ///
    /// # Errors
    /// When the field is of another type, or not UTF-8.
    pub fn str(self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Malformed)
    }

    /// The fields of a message.
    ///
    /// # Errors
    /// When the field is of another type.
    pub fn fields(self) -> Result<Fields<'a>, Malformed> {
        self.bytes().map(Fields::new)
    }

    /// An `int64` or `int32`.
    ///
    /// # Errors
    /// When the field is of another type.
    pub const fn int(self) -> Result<i64, Malformed> {
        match self {
            Self::Varint(value) => Ok(value as i64),
            _ => Err(Malformed),
        }
    }

    /// A `uint64` or `uint32`.
    ///
    /// # Errors
    /// When the field is of another type.
    pub const fn uint(self) -> Result<u64, Malformed> {
        match self {
            Self::Varint(value) => Ok(value),
            _ => Err(Malformed),
        }
    }

    /// A `double`.
    ///
    /// # Errors
    /// When the field is of another type.
    pub const fn f64(self) -> Result<f64, Malformed> {
        match self {
            Self::Fixed64(bits) => Ok(f64::from_bits(bits)),
            _ => Err(Malformed),
        }
    }

    /// The values of a repeated field of numbers, packed or alone.
    #[must_use]
    pub const fn numbers(self) -> Numbers<'a> {
        match self {
            Self::Bytes(packed) => Numbers::Packed(Fields::new(packed)),
            value => Numbers::One(Some(value)),
        }
    }
}

/// The integer that `sint64` and `sint32` encode as `value`.
#[must_use]
pub const fn zigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// The numbers of a field that may be repeated. They end after the first error.
#[derive(Debug, Clone, Copy)]
pub enum Numbers<'a> {
    /// One number with a key of its own.
    One(Option<Value<'a>>),
    /// Numbers without keys.
    Packed(Fields<'a>),
}

impl Numbers<'_> {
    /// The next integer.
    pub fn next_uint(&mut self) -> Option<Result<u64, Malformed>> {
        match self {
            Self::One(value) => value.take().map(Value::uint),
            Self::Packed(fields) => fields.packed(Fields::varint),
        }
    }

    /// The next double.
    pub fn next_f64(&mut self) -> Option<Result<f64, Malformed>> {
        match self {
            Self::One(value) => value.take().map(Value::f64),
            Self::Packed(fields) => fields.packed(|fields| {
                let bytes = fields.take(8)?.first_chunk()?;
                Some(f64::from_le_bytes(*bytes))
            }),
        }
    }
}

/// The fields of a message in the order in which they stand: number and value. It ends after the
/// first error.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The fields of the message encoded in `message`.
    #[must_use]
    pub const fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    #[inline]
    fn field(&mut self) -> Option<(u32, Value<'a>)> {
        let key = self.varint()?;
        let number = u32::try_from(key >> 3).ok().filter(|number| *number != 0)?;
        let value = match key & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(u64::from_le_bytes(*self.take(8)?.first_chunk()?)),
            2 => {
                let len = usize::try_from(self.varint()?).ok()?;
                Value::Bytes(self.take(len)?)
            }
            5 => self.take(4).map(|_| Value::Fixed32)?,
            // Groups are long gone.
            _ => return None,
        };
        Some((number, value))
    }

    /// The next value of a packed field.
    fn packed<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<Result<T, Malformed>> {
        if self.rest.is_empty() {
            return None;
        }
        let value = read(self);
        if value.is_none() {
            self.rest = &[];
        }
        Some(value.ok_or(Malformed))
    }

    /// The next message of a stream, in which each stands after its length.
    pub fn next_delimited(&mut self) -> Option<Result<&'a [u8], Malformed>> {
        self.packed(|fields| {
            let len = usize::try_from(fields.varint()?).ok()?;
            fields.take(len)
        })
    }

    #[inline]
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }

    #[inline]
    fn varint(&mut self) -> Option<u64> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        // Nearly all are keys and lengths of one byte.
        if byte < 0x80 {
            Some(byte.into())
        } else {
            self.long_varint(byte)
        }
    }

    fn long_varint(&mut self, first: u8) -> Option<u64> {
        let mut value = u64::from(first & 0x7f);
        for shift in (7..64).step_by(7) {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            // The tenth byte has one bit of the value; further bits are dropped, the same as in other decoders.
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Value<'a>), Malformed>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.rest = &[];
        }
        Some(field.ok_or(Malformed))
    }
}

/// The length of a varint.
#[must_use]
pub const fn varint_len(n: u64) -> usize {
    (n | 1).ilog2() as usize / 7 + 1
}

/// The length of a field with a number under 16 and `len` bytes of content.
#[must_use]
pub const fn field_len(len: usize) -> usize {
    1 + varint_len(len as u64) + len
}

/// Appends a varint.
#[inline]
pub fn varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// The key of a string, bytes or message; `field` is under 16.
#[must_use]
pub const fn key(field: u8) -> u8 {
    field << 3 | 2
}

/// Appends what comes before the `len` bytes of a string, bytes or message; `field` is under 16.
#[inline]
pub fn head(out: &mut Vec<u8>, field: u8, len: usize) {
    // Nearly all lengths take one byte: both are appended at once.
    match u8::try_from(len) {
        Ok(len @ ..0x80) => out.extend_from_slice(&[key(field), len]),
        _ => {
            out.push(key(field));
            varint(out, len as u64);
        }
    }
}

/// Appends a string field; `field` is under 16.
#[inline]
pub fn string(out: &mut Vec<u8>, field: u8, text: &str) {
    head(out, field, text.len());
    out.extend_from_slice(text.as_bytes());
}

/// Appends an integer field; `field` is under 16.
#[inline]
pub fn int(out: &mut Vec<u8>, field: u8, value: i64) {
    out.push(field << 3);
    varint(out, value as u64);
}

/// The length of a time's message, whose nanoseconds are always zero: Go drops what is below a second.
#[must_use]
pub fn time_len(time: Timestamp) -> usize {
    1 + varint_len(time.as_secs() as u64) + 2
}

/// Appends a time; `field` is under 16.
pub fn write_time(out: &mut Vec<u8>, field: u8, time: Timestamp) {
    head(out, field, time_len(time));
    out.push(0x08);
    varint(out, time.as_secs() as u64);
    out.extend_from_slice(&[0x10, 0]);
}

/// `ListMeta` with its three empty strings, as `field` of a list.
#[must_use]
pub const fn empty_list_meta(field: u8) -> [u8; 8] {
    [key(field), 6, key(1), 0, key(2), 0, key(3), 0]
}

/// Appends a map of strings, an entry for each label; `field` is under 16.
pub fn string_map<'a>(
    out: &mut Vec<u8>,
    field: u8,
    entries: impl IntoIterator<Item = (&'a str, &'a str)>,
) {
    for (name, value) in entries {
        message(out, field, |out| {
            string(out, 1, name);
            string(out, 2, value);
        });
    }
}

/// Appends a message field whose length is known only when it is written; `field` is under 16.
#[inline]
pub fn message(out: &mut Vec<u8>, field: u8, write: impl FnOnce(&mut Vec<u8>)) {
    // Nearly all lengths take one byte. For a longer one the message is moved.
    out.extend_from_slice(&[key(field), 0]);
    let start = out.len();
    write(out);
    let len = out.len() - start;
    match (u8::try_from(len), out.get_mut(start - 1)) {
        (Ok(len @ ..0x80), Some(byte)) => *byte = len,
        _ => {
            let mut bytes = Vec::new();
            varint(&mut bytes, len as u64);
            out.splice(start - 1..start, bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn broken_messages_end_with_an_error() {
        for bytes in [
            b"\x08".as_slice(),
            b"\x0a\x05ab",
            b"\x00\x01",
            b"\x0b",
            b"\x80",
            b"\x09abc",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        ] {
            let fields: Vec<_> = Fields::new(bytes).collect();
            assert_eq!(fields, [Err(Malformed)], "{bytes:?}");
        }
        assert_eq!(Value::Varint(1).str(), Err(Malformed));
        assert_eq!(Value::Bytes(b"\xff").str(), Err(Malformed));
        assert_eq!(Value::Bytes(b"").int(), Err(Malformed));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(text in "\\PC{0,200}", n: i64, shift in 0..64) {
            let n = n >> shift;
            let mut out = Vec::new();
            string(&mut out, 1, &text);
            int(&mut out, 15, n);
            message(&mut out, 2, |out| string(out, 3, &text));
            let mut fields = Fields::new(&out);
            prop_assert_eq!(fields.next(), Some(Ok((1, Value::Bytes(text.as_bytes())))));
            prop_assert_eq!(fields.next().unwrap().unwrap().1.int(), Ok(n));
            let inner = fields.next().unwrap().unwrap().1.fields().unwrap().next().unwrap().unwrap();
            prop_assert_eq!(inner.1.str(), Ok(&*text));
            prop_assert_eq!(fields.next(), None);
            let len = field_len(text.len());
            prop_assert_eq!(out.len(), len + 1 + varint_len(n as u64) + field_len(len));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = Fields::new(&bytes).count();
        }
    }
}
