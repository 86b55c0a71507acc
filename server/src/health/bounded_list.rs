//! Bounded lists for snapshots, which may come from a ConfigMap that anybody has written.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Bytes of JSON of one element, at most. An incident with the most evidence has some tens of kilobytes.
const LARGEST: usize = 128 << 10;

/// A list of at most `MOST` elements.
///
/// # Errors
/// When there are more.
pub(super) fn at_most<'de, const MOST: usize, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_seq(AtMost::<MOST, T>(PhantomData))
}

/// A list of at most `MOST` elements. An element of more than [`LARGEST`] bytes of JSON, which may take a multiple of that
/// in memory, is replaced by an empty one.
///
/// # Errors
/// When there are more.
pub(super) fn elements_at_most<'de, const MOST: usize, D, T>(
    deserializer: D,
) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    let elements = deserializer.deserialize_seq(AtMost::<MOST, Box<RawValue>>(PhantomData))?;
    let read = |element: Box<RawValue>| {
        if element.get().len() > LARGEST {
            return Ok(T::default());
        }
        serde_json::from_str(element.get()).map_err(D::Error::custom)
    };
    elements.into_iter().map(read).collect()
}

struct AtMost<const MOST: usize, T>(PhantomData<T>);

impl<'de, const MOST: usize, T: Deserialize<'de>> Visitor<'de> for AtMost<MOST, T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {MOST} elements")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            if list.len() >= MOST {
                return Err(A::Error::invalid_length(MOST + 1, &self));
            }
            list.push(element);
        }
        Ok(list)
    }
}
