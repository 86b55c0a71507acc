//! UIDs, in less memory than their text.

use std::borrow::Cow;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The UID of an object. Two UIDs are equal if their texts are equal.
///
/// The API server gives each object a UUID. A kubelet gives a static pod the MD5 of its manifest: 32 hexadecimal digits
/// without dashes. Both can be converted back to text. Of any other text only a hash is stored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Uid {
    digits: [u8; 16],
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
enum Form {
    /// There is no UID.
    #[default]
    None,
    /// 8-4-4-4-12.
    Uuid,
    /// 32 digits without dashes.
    Plain,
    /// The hash of another text.
    Hashed,
}

/// The digits of a UUID that follow a dash.
const DASHES: [usize; 4] = [8, 12, 16, 20];

impl Uid {
    /// The UID with this text; no UID for an empty text.
    pub fn of(text: &str) -> Self {
        let (digits, form) = match text.len() {
            0 => return Self::default(),
            32 => (hexadecimal(text.as_bytes()), Form::Plain),
            36 if has_dashes(text) => (without_dashes(text), Form::Uuid),
            _ => (None, Form::Hashed),
        };
        match digits {
            Some(digits) => Self { digits, form },
            None => Self {
                digits: hash(text),
                form: Form::Hashed,
            },
        }
    }

    /// The UID as a number; zero if there is no UID.
    pub fn number(self) -> u128 {
        u128::from_be_bytes(self.digits)
    }

    /// The number of bytes that [`Uid::to_bytes`] returns.
    pub const BYTES: usize = 17;

    /// The UID as bytes, for another process of the same program.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let (digits, form) = bytes.split_at_mut(16);
        digits.copy_from_slice(&self.digits);
        form.fill(self.form as u8);
        bytes
    }

    /// The UID of the bytes that [`Uid::to_bytes`] returned; no UID for other bytes.
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let [digits @ .., form] = bytes;
        let mut forms = [Form::Uuid, Form::Plain, Form::Hashed].into_iter();
        forms
            .find(|it| *it as u8 == form)
            .map(|form| Self { digits, form })
            .unwrap_or_default()
    }

    /// Whether the UID is a UUID of the API server, not a kubelet's hash of a static pod.
    pub fn is_uuid(self) -> bool {
        self.form == Form::Uuid
    }

    /// Whether there is a UID.
    pub fn is_some(self) -> bool {
        self.form != Form::None
    }
}

/// Whether the dashes of a UUID are in their places.
fn has_dashes(text: &str) -> bool {
    let mut places = DASHES.iter().enumerate();
    places.all(|(n, at)| text.as_bytes().get(at + n) == Some(&b'-'))
}

/// Parses the digits between the dashes of a UUID.
fn without_dashes(text: &str) -> Option<[u8; 16]> {
    let mut digits = [0; 32];
    let without_dashes = text.bytes().filter(|byte| *byte != b'-');
    for (digit, byte) in digits.iter_mut().zip(without_dashes) {
        *digit = byte;
    }
    hexadecimal(&digits)
}

/// Parses 32 lower-case digits into sixteen bytes.
fn hexadecimal(digits: &[u8]) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    let mut largest = 0;
    for (byte, pair) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
        let [high, low] = pair.map(digit_value);
        largest |= high | low;
        *byte = high << 4 | low;
    }
    (digits.len() == 32 && largest < 16).then_some(bytes)
}

/// The value of a lower-case digit; 16 or more for any other byte.
fn digit_value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => u8::MAX,
    }
}

/// A hash that is stable within one process, which suffices.
fn hash(text: &str) -> [u8; 16] {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, text).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    ((half(0) << 64) | half(1)).to_be_bytes()
}

impl fmt::Display for Uid {
    /// The text of the UID; nothing if it is unknown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if matches!(self.form, Form::None | Form::Hashed) {
            return Ok(());
        }
        for (at, byte) in self.digits.iter().enumerate() {
            if self.form == Form::Uuid && DASHES.contains(&(at * 2)) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl Serialize for Uid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Uid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer).map(|text| Self::of(&text))
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.form {
            Form::None => f.write_str("none"),
            Form::Hashed => write!(f, "hash {:x}", u128::from_be_bytes(self.digits)),
            Form::Uuid | Form::Plain => write!(f, "{self}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_and_the_digests_of_static_pods_become_text_again() {
        for text in [
            "",
            "dbe5842e-0978-4422-a9fa-8026a53c65dd",
            "00000000-0000-0000-0000-000000000001",
            "3f2a9c1b7d5e4f60812c9ab34de01f77",
        ] {
            assert_eq!(Uid::of(text).to_string(), text);
        }
        assert_ne!(
            Uid::of("dbe5842e-0978-4422-a9fa-8026a53c65dd"),
            Uid::of("dbe5842e09784422a9fa8026a53c65dd")
        );
    }

    #[test]
    fn bytes_bring_a_uid_to_another_process() {
        for text in [
            "",
            "dbe5842e-0978-4422-a9fa-8026a53c65dd",
            "3f2a9c1b7d5e4f60812c9ab34de01f77",
            "x",
        ] {
            let uid = Uid::of(text);
            assert_eq!(Uid::from_bytes(uid.to_bytes()), uid);
        }
        assert!(!Uid::from_bytes([9; Uid::BYTES]).is_some());
    }

    #[test]
    fn other_texts_differ_and_never_become_a_wrong_text() {
        let others = [
            "x",
            "DBE5842E-0978-4422-A9FA-8026A53C65DD",
            "dbe5842e-0978-4422-a9fa-8026a53c65d-",
            "dbe5842e0978-4422-a9fa-8026a53c65dd--",
            "zbe5842e09784422a9fa8026a53c65dd",
        ];
        for (at, text) in others.iter().enumerate() {
            assert_eq!(Uid::of(text), Uid::of(text));
            assert!(Uid::of(text).is_some());
            assert_eq!(Uid::of(text).to_string(), "");
            for other in others.iter().skip(at + 1) {
                assert_ne!(Uid::of(text), Uid::of(other));
            }
        }
        assert!(!Uid::of("").is_some());
    }
}
