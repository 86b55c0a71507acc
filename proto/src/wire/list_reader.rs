//! Reads a protobuf list object by object while it arrives, so that the list is never in memory as a whole.

use super::envelope::{EnvelopeError, MAGIC, TypeMeta};
use super::meta::ListMeta;
use super::protobuf::Malformed;

/// The longest object in bytes. etcd accepts objects of 1.5 MiB.
pub const MAX_OBJECT: usize = 16 << 20;

/// Reads a list in its envelope: the field `raw` of the envelope contains a list, whose fields include one for each
/// object.
#[derive(Debug, Default)]
pub struct ListReader {
    has_magic: bool,
    type_meta: TypeMeta,
    /// The bytes of the list that have not been read; none before the list starts.
    remaining: Option<u64>,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListPart<'a> {
    /// The metadata.
    Metadata(ListMeta),
    /// An encoded object.
    Item(&'a [u8]),
    /// The end of the list. The rest of the body is of no interest.
    End,
}

/// The head of a field: the number and length of a message, or the end of another field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FieldHead {
    /// The bytes of the message follow.
    Message { number: u64, head: usize, len: u64 },
    /// The whole field is in the buffer.
    Scalar { len: usize },
}

impl ListReader {
    /// The type in the envelope. It precedes the list.
    #[must_use]
    pub const fn type_meta(&self) -> &TypeMeta {
        &self.type_meta
    }

    /// Takes the next part off the front of `buffer`; none if more bytes are needed.
    ///
    /// # Errors
    /// When the bytes are not a list in an envelope, or an object is too long.
    pub fn next<'a>(
        &mut self,
        buffer: &mut &'a [u8],
    ) -> Result<Option<ListPart<'a>>, EnvelopeError> {
        if !self.has_magic {
            let Some((magic, rest)) = buffer.split_first_chunk() else {
                return Ok(None);
            };
            if *magic != MAGIC {
                return Err(EnvelopeError::Magic);
            }
            *buffer = rest;
            self.has_magic = true;
        }
        loop {
            if self.remaining == Some(0) {
                return Ok(Some(ListPart::End));
            }
            let Some(head) = head(buffer)? else {
                return Ok(None);
            };
            let (number, head, len) = match head {
                FieldHead::Scalar { len } => {
                    self.take(buffer, len)?;
                    continue;
                }
                FieldHead::Message { number, head, len } => (number, head, len),
            };
            if self.remaining.is_none() && number == 2 {
                self.take(buffer, head)?;
                self.remaining = Some(len);
                continue;
            }
            let end = usize::try_from(len).ok();
            let end = end.and_then(|len| len.checked_add(head));
            let end = end
                .filter(|end| *end <= MAX_OBJECT)
                .ok_or(EnvelopeError::TooLong)?;
            if buffer.len() < end {
                return Ok(None);
            }
            let field = self.take(buffer, end)?;
            let message = field.get(head..).unwrap_or_default();
            match (self.remaining, number) {
                (None, 1) => self.type_meta = TypeMeta::decode(message)?,
                (Some(_), 1) => {
                    return Ok(Some(ListPart::Metadata(ListMeta::decode(message)?)));
                }
                (Some(_), 2) => return Ok(Some(ListPart::Item(message))),
                _ => {}
            }
        }
    }

    /// Takes `len` bytes off the buffer, and subtracts them from the remaining bytes of the list.
    fn take<'a>(&mut self, buffer: &mut &'a [u8], len: usize) -> Result<&'a [u8], Malformed> {
        if let Some(remaining) = &mut self.remaining {
            *remaining = remaining.checked_sub(len as u64).ok_or(Malformed)?;
        }
        let (taken, rest) = buffer.split_at_checked(len).ok_or(Malformed)?;
        *buffer = rest;
        Ok(taken)
    }
}

/// Reads the head of a field; none if more bytes are needed.
fn head(buffer: &[u8]) -> Result<Option<FieldHead>, Malformed> {
    let Some((key, key_len)) = varint(buffer)? else {
        return Ok(None);
    };
    let rest = buffer.get(key_len..).unwrap_or_default();
    let scalar =
        |len: usize| (rest.len() >= len).then_some(FieldHead::Scalar { len: key_len + len });
    Ok(match key & 7 {
        0 => varint(rest)?.map(|(_, len)| FieldHead::Scalar { len: key_len + len }),
        1 => scalar(8),
        2 => varint(rest)?.map(|(len, len_len)| FieldHead::Message {
            number: key >> 3,
            head: key_len + len_len,
            len,
        }),
        5 => scalar(4),
        _ => return Err(Malformed),
    })
}

/// Reads a varint. Returns the value and its length in bytes; none if more bytes are needed.
fn varint(buffer: &[u8]) -> Result<Option<(u64, usize)>, Malformed> {
    let mut value = 0_u64;
    for (at, byte) in buffer.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if *byte < 0x80 {
            return Ok(Some((value, at + 1)));
        }
    }
    if buffer.len() >= 10 {
        return Err(Malformed);
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{envelope, protobuf};

    fn list(items: &[&str]) -> Vec<u8> {
        let mut raw = Vec::new();
        protobuf::message(&mut raw, 1, |out| {
            protobuf::string(out, 2, "17");
            protobuf::string(out, 3, "token");
            protobuf::int(out, 4, 900);
        });
        protobuf::int(&mut raw, 5, 300);
        for item in items {
            protobuf::string(&mut raw, 2, item);
        }
        envelope::wrap("v1", "PodList", &raw)
    }

    /// Reads a body that arrives in chunks of `size` bytes. Returns the metadata and the items, if the list is whole.
    fn read(body: &[u8], size: usize) -> Result<Option<(ListMeta, Vec<String>)>, EnvelopeError> {
        let mut reader = ListReader::default();
        let (mut buffer, mut metadata, mut items) = (Vec::new(), ListMeta::default(), Vec::new());
        for chunk in body.chunks(size) {
            buffer.extend_from_slice(chunk);
            let mut rest = buffer.as_slice();
            while let Some(part) = reader.next(&mut rest)? {
                match part {
                    ListPart::Metadata(found) => metadata = found,
                    ListPart::Item(item) => {
                        items.push(String::from_utf8(item.to_vec()).unwrap());
                    }
                    ListPart::End => {
                        assert_eq!(reader.type_meta().kind, "PodList");
                        return Ok(Some((metadata, items)));
                    }
                }
            }
            buffer = rest.to_vec();
        }
        Ok(None)
    }

    #[test]
    fn objects_are_read_wherever_the_body_is_cut() {
        let long = "a".repeat(300);
        let items = ["", "one", &long];
        let body = list(&items);
        for size in 1..body.len() {
            let (metadata, found) = read(&body, size).unwrap().unwrap();
            assert_eq!(found, items, "{size}");
            assert_eq!(metadata.resource_version, "17");
            assert_eq!(metadata.continue_token, "token");
            assert_eq!(metadata.remaining_item_count, Some(900));
        }
        assert_eq!(read(&list(&[]), 5).unwrap().unwrap().1, [""; 0]);
    }

    #[test]
    fn a_body_that_is_cut_has_no_end() {
        let body = list(&["one", "two"]);
        // The envelope ends with two empty strings, of two bytes each.
        for end in 0..body.len() - 4 {
            assert_eq!(read(&body[..end], 7), Ok(None), "{end}");
        }
    }

    #[test]
    fn what_is_no_list_is_an_error() {
        assert_eq!(read(b"{\"kind\"", 3), Err(EnvelopeError::Magic));
        assert_eq!(read(b"k8s\0\x0b", 9), Err(Malformed.into()));
        // An object of 4 GiB, and an object that is longer than its list.
        let long = b"k8s\0\x12\xff\xff\xff\xff\x7f\x12\xff\xff\xff\xff\x0f";
        assert_eq!(read(long, 99), Err(EnvelopeError::TooLong));
        assert_eq!(read(b"k8s\0\x12\x02\x12\x03abc", 99), Err(Malformed.into()));
    }
}
