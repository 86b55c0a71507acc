//! Lenient parsing of JSON.
//!
//! A list of 500 pods is one document. A member of an unexpected type must not discard the pod or the list: the parser
//! takes it as the empty value `""`, `0`, `false`, an empty list or no object.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A type that can be parsed from any JSON value. Each method parses one kind of value and returns the default unless
/// the type overrides it.
pub trait Lenient<'de>: Default {
    /// Parses a string.
    fn text(_: &str) -> Self {
        Self::default()
    }

    /// Parses a number; fractions are cut off.
    fn whole(_: i64) -> Self {
        Self::default()
    }

    /// Parses a number that is not negative.
    fn unsigned(number: u64) -> Self {
        Self::whole(i64::try_from(number).unwrap_or(i64::MAX))
    }

    /// Parses a number with a fraction or an exponent.
    #[expect(clippy::cast_possible_truncation, reason = "the whole part is meant")]
    fn float(number: f64) -> Self {
        Self::whole(number as i64)
    }

    /// Parses `true` or `false`.
    fn flag(_: bool) -> Self {
        Self::default()
    }

    /// Parses a list.
    ///
    /// # Errors
    /// When the JSON is malformed.
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }

    /// Parses an object.
    ///
    /// # Errors
    /// When the JSON is malformed.
    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Self, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
}

/// For `#[serde(deserialize_with = "lenient")]`.
///
/// # Errors
/// When the JSON is malformed.
pub fn lenient<'de, D: Deserializer<'de>, T: Lenient<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(Any(PhantomData))
}

/// A string; a number as its digits, as ports and quantities may be.
impl Lenient<'_> for String {
    fn text(text: &str) -> Self {
        text.to_owned()
    }

    fn whole(number: i64) -> Self {
        number.to_string()
    }
}

impl Lenient<'_> for i64 {
    fn whole(number: i64) -> Self {
        number
    }
}

impl Lenient<'_> for f64 {
    fn unsigned(number: u64) -> Self {
        number as Self
    }

    fn float(number: f64) -> Self {
        number
    }
}

impl Lenient<'_> for bool {
    fn flag(flag: bool) -> Self {
        flag
    }
}

impl<'de, T: Lenient<'de>> Lenient<'de> for Vec<T> {
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut all = Self::new();
        while let Some(element) = list.next_element_seed(Any(PhantomData))? {
            all.push(element);
        }
        Ok(all)
    }
}

impl<'de> Lenient<'de> for BTreeMap<String, String> {
    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Self, A::Error> {
        let mut all = Self::new();
        while let Some(key) = object.next_key()? {
            all.insert(key, object.next_value_seed(Any(PhantomData))?);
        }
        Ok(all)
    }
}

/// An object, the only kind of value that a struct is parsed from.
impl<'de, T: Deserialize<'de>> Lenient<'de> for Option<T> {
    fn object<A: MapAccess<'de>>(object: A) -> Result<Self, A::Error> {
        T::deserialize(MapAccessDeserializer::new(object)).map(Some)
    }
}

struct Any<T>(PhantomData<T>);

impl<'de, T: Lenient<'de>> DeserializeSeed<'de> for Any<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        lenient(deserializer)
    }
}

impl<'de, T: Lenient<'de>> Visitor<'de> for Any<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        Ok(T::text(text))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        Ok(T::whole(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        Ok(T::unsigned(number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        Ok(T::float(number))
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<T, E> {
        Ok(T::flag(flag))
    }

    fn visit_unit<E: Error>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_none<E: Error>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        lenient(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        T::list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<T, A::Error> {
        T::object(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Part {
        #[serde(deserialize_with = "lenient")]
        text: String,
        #[serde(deserialize_with = "lenient")]
        number: i64,
        #[serde(deserialize_with = "lenient")]
        flag: bool,
        #[serde(deserialize_with = "lenient")]
        list: Vec<String>,
        #[serde(deserialize_with = "lenient")]
        part: Option<Box<Part>>,
    }

    #[test]
    fn a_member_of_an_unexpected_type_is_skipped_and_the_others_are_read() {
        for anything in [
            "null",
            "true",
            "-7",
            "1.5",
            r#""x""#,
            r#"["x",[{}]]"#,
            r#"{"a":[{}]}"#,
        ] {
            for member in ["text", "number", "flag", "list", "part"] {
                let rest = if member == "text" { "number" } else { "text" };
                let value = if rest == "text" { r#""here""# } else { "3" };
                let json =
                    format!(r#"{{"{member}":{anything},"other":{anything},"{rest}":{value}}}"#);
                let part: Part = serde_json::from_str(&json).unwrap();
                assert!(part.text == "here" || part.number == 3, "{json}: {part:?}");
            }
        }
    }

    #[test]
    fn members_of_the_expected_type_are_read() {
        let part: Part = serde_json::from_str(
            r#"{"text":"a","number":4,"flag":true,"list":["b",8080],"part":{"text":"c"}}"#,
        )
        .unwrap();
        assert_eq!((part.text.as_str(), part.number, part.flag), ("a", 4, true));
        assert_eq!(part.list, ["b", "8080"]);
        assert_eq!(part.part.unwrap().text, "c");
    }
}
