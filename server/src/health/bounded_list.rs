//! Bounded lists for snapshots, which may be from a ConfigMap that anybody can write.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The largest JSON of one element, in bytes. An incident with the most evidence has some tens of kilobytes.
const MAX_ELEMENT: usize = 128 << 10;

/// A list of at most `MAX` elements.
///
/// # Errors
/// When there are more.
pub(super) fn at_most<'de, const MAX: usize, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_seq(AtMost::<MAX, T>(PhantomData))
}

/// A list of at most `MAX` elements. An element of more than [`MAX_ELEMENT`] bytes of JSON, which may take a multiple
/// of that in memory, is replaced by an empty one.
///
/// # Errors
/// When there are more.
pub(super) fn elements_at_most<'de, const MAX: usize, D, T>(
    deserializer: D,
) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    let elements = deserializer.deserialize_seq(AtMost::<MAX, Box<RawValue>>(PhantomData))?;
    let read = |element: Box<RawValue>| {
        if element.get().len() > MAX_ELEMENT {
            return Ok(T::default());
        }
        serde_json::from_str(element.get()).map_err(D::Error::custom)
    };
    elements.into_iter().map(read).collect()
}

struct AtMost<const MAX: usize, T>(PhantomData<T>);

impl<'de, const MAX: usize, T: Deserialize<'de>> Visitor<'de> for AtMost<MAX, T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {MAX} elements")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            if list.len() >= MAX {
                return Err(A::Error::invalid_length(MAX + 1, &self));
            }
            list.push(element);
        }
        Ok(list)
    }
}
