//! Objects in protobuf, parsed into the same structs as JSON.
//!
//! The numbers of fields are those of k8s.io/api/core/v1/generated.proto and of its meta/v1. The parser
//! skips other fields. As in JSON (`lenient`), a field of an unexpected type is empty. A string that is not UTF-8, such
//! as a termination message, gets replacement characters, the same as in the API server's JSON.

use std::collections::BTreeMap;

use crate::wire::protobuf::{Fields, Malformed, Value};

/// A message with the fields that are used.
pub trait Message: Default {
    /// Parses one field. Unknown numbers are skipped.
    ///
    /// # Errors
    /// When the value is a message and malformed.
    fn field(&mut self, number: u32, value: Value<'_>) -> Result<(), Malformed>;

    /// Parses all fields of an encoded message.
    ///
    /// # Errors
    /// When the bytes are not a message.
    fn merge(&mut self, message: &[u8]) -> Result<(), Malformed> {
        for field in Fields::new(message) {
            let (number, value) = field?;
            self.field(number, value)?;
        }
        Ok(())
    }

    /// The message that the bytes encode.
    ///
    /// # Errors
    /// When they are not a message.
    fn decode(message: &[u8]) -> Result<Self, Malformed> {
        let mut decoded = Self::default();
        decoded.merge(message)?;
        Ok(decoded)
    }
}

/// The type of a field of a message.
pub(super) trait Field {
    /// Sets the field to a value. If a field is repeated, the last value counts; a list has all.
    ///
    /// # Errors
    /// When the value is a message and malformed.
    fn read(&mut self, value: Value<'_>) -> Result<(), Malformed>;
}

/// Defines structs that are parsed from JSON and from protobuf. Each field has its number in protobuf; in JSON its name
/// in camelCase. Both parsers are lenient.
macro_rules! message {
    ($(
        $(#[$attribute:meta])*
        $visibility:vis struct $name:ident {
            $(
                $(#[$field_attribute:meta])*
                $field_visibility:vis $field:ident: $type:ty = $number:literal,
            )*
        }
    )*) => {$(
        $(#[$attribute])*
        #[derive(Debug, Clone, Default, serde::Deserialize)]
        #[serde(default, rename_all = "camelCase")]
        $visibility struct $name {
            $(
                $(#[$field_attribute])*
                #[serde(deserialize_with = "crate::lenient::lenient")]
                $field_visibility $field: $type,
            )*
        }

        impl $crate::objects::protobuf::Message for $name {
            fn field(
                &mut self,
                number: u32,
                value: crate::wire::protobuf::Value<'_>,
            ) -> Result<(), crate::wire::protobuf::Malformed> {
                match number {
                    $($number => $crate::objects::protobuf::Field::read(&mut self.$field, value),)*
                    _ => Ok(()),
                }
            }
        }
    )*};
}
pub(super) use message;

/// A string; a number becomes its digits, for ports.
impl Field for String {
    fn read(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        match value {
            Value::Bytes(text) => *self = String::from_utf8_lossy(text).into_owned(),
            Value::Varint(_) => *self = value.int()?.to_string(),
            Value::Fixed64(_) | Value::Fixed32 => {}
        }
        Ok(())
    }
}

impl Field for i64 {
    fn read(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        if let Ok(number) = value.int() {
            *self = number;
        }
        Ok(())
    }
}

impl Field for bool {
    fn read(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        if let Ok(number) = value.int() {
            *self = number != 0;
        }
        Ok(())
    }
}

impl<T: Message> Field for T {
    fn read(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        match value {
            Value::Bytes(message) => self.merge(message),
            Value::Varint(_) | Value::Fixed64(_) | Value::Fixed32 => Ok(()),
        }
    }
}

impl<T: Message> Field for Option<T> {
    fn read(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        match value {
            Value::Bytes(message) => self.get_or_insert_default().merge(message),
            Value::Varint(_) | Value::Fixed64(_) | Value::Fixed32 => Ok(()),
        }
    }
}

impl<T: Message> Field for Vec<Option<T>> {
    fn read(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        if let Value::Bytes(message) = value {
            self.push(Some(T::decode(message)?));
        }
        Ok(())
    }
}

impl Field for Vec<String> {
    fn read(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        let mut text = String::new();
        text.read(value)?;
        self.push(text);
        Ok(())
    }
}

/// `map<string, string>`: a message for each entry, the key its first field and the value its second.
impl Field for BTreeMap<String, String> {
    fn read(&mut self, value: Value<'_>) -> Result<(), Malformed> {
        let Value::Bytes(entry) = value else {
            return Ok(());
        };
        let (mut key, mut text) = (String::new(), String::new());
        for field in Fields::new(entry) {
            match field? {
                (1, value) => key.read(value)?,
                (2, value) => text.read(value)?,
                _ => {}
            }
        }
        self.insert(key, text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::wire::protobuf as wire;

    use super::*;

    message! {
        #[derive(PartialEq)]
        struct Part {
            text: String = 1,
            number: i64 = 2,
            flag: bool = 3,
            list: Vec<String> = 4,
            parts: Vec<Option<Part>> = 5,
            labels: BTreeMap<String, String> = 6,
        }
    }

    fn encoded() -> Vec<u8> {
        let mut out = Vec::new();
        wire::string(&mut out, 1, "a");
        wire::int(&mut out, 2, -4);
        wire::int(&mut out, 3, 1);
        wire::string(&mut out, 4, "b");
        wire::string(&mut out, 4, "c");
        wire::message(&mut out, 5, |out| wire::string(out, 1, "part"));
        wire::message(&mut out, 6, |out| {
            wire::string(out, 1, "key");
            wire::string(out, 2, "value");
        });
        wire::string(&mut out, 9, "unknown");
        out
    }

    #[test]
    fn fields_are_read_by_their_numbers() {
        let part = Part::decode(&encoded()).unwrap();
        assert_eq!(
            (part.text.as_str(), part.number, part.flag),
            ("a", -4, true)
        );
        assert_eq!(part.list, ["b", "c"]);
        assert_eq!(part.parts[0].as_ref().unwrap().text, "part");
        assert_eq!(part.labels["key"], "value");
    }

    #[test]
    fn a_field_of_another_type_is_nothing_and_a_text_that_is_not_utf8_is_replaced() {
        let mut out = Vec::new();
        wire::string(&mut out, 2, "many");
        wire::string(&mut out, 3, "yes");
        wire::int(&mut out, 5, 7);
        wire::int(&mut out, 6, 7);
        wire::head(&mut out, 1, 3);
        out.extend_from_slice(b"a\xffb");
        let part = Part::decode(&out).unwrap();
        let expected = Part {
            text: "a\u{fffd}b".to_owned(),
            ..Part::default()
        };
        assert_eq!(part, expected);
    }

    #[test]
    fn bytes_that_are_cut_are_malformed() {
        let whole = encoded();
        let decoded = Part::decode(&whole).unwrap();
        for end in 1..whole.len() {
            // A cut between two fields is a shorter message.
            if let Ok(part) = Part::decode(&whole[..end]) {
                assert!(part != decoded || end >= whole.len() - 9, "{end}");
            }
        }
        assert!(Part::decode(&whole[..2]).is_err());
    }
}
