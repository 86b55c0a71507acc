mod leaf;
mod made;
mod used;

// A re-export alone is no arrow.
pub(crate) use leaf::{Leaf, *};
// This one is: the name is used below.
pub(crate) use self::used::Used;

pub(crate) struct Parent(Used);
