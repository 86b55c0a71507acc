//! Lists of bounded length: an element may be two bytes of JSON and hundreds of bytes in memory.

use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// The maximum number of pods, containers and claims of one body. As many as the containers that `/metrics/resource` may have.
pub const MAX_ELEMENTS: usize = 10_000;

/// A list element, and the elements of the lists inside it.
pub(super) trait Elements {
    /// The number of elements, this one included.
    fn elements(&self) -> usize {
        1
    }
}

/// Parses a list until it has more than [`MAX_ELEMENTS`] elements, and skips the rest without building it. Null, as Go
/// writes a list that was never made, is an empty one.
///
/// A list that is too long therefore has one element too many, which [`parse`](super::parse) refuses.
pub(super) fn bounded<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Elements,
{
    bounded_by(deserializer, |_| true)
}

/// The same for a list of which only some elements are of use: the rest does not count.
pub(super) fn bounded_by<'de, D, T>(
    deserializer: D,
    is_used: fn(&T) -> bool,
) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Elements,
{
    deserializer.deserialize_any(Bounded(is_used, PhantomData))
}

struct Bounded<T>(fn(&T) -> bool, PhantomData<T>);

impl<'de, T: Deserialize<'de> + Elements> Visitor<'de> for Bounded<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let (mut list, mut elements) = (Vec::new(), 0);
        while elements <= MAX_ELEMENTS {
            let Some(element) = seq.next_element::<T>()? else {
                return Ok(list);
            };
            if (self.0)(&element) {
                elements += element.elements();
                list.push(element);
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(list)
    }
}
