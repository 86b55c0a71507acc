//! use crate::low::in_a_comment;
use other_crate::Thing;
use std::fmt;

use crate::{
    low,
    low::{Leaf, Twig as Small, Parent, /* nested /* comment */ */ made::Made},
};
use crate::low::Nothing;

pub(crate) struct High<'a> {
    text: &'a str,
    #[serde(skip_serializing_if = "super::low::leaf::skip")]
    leaf: Leaf,
}

fn grow() -> impl Iterator<Item = char> + use<> {
    let quote = '"';
    let text = "crate::low::in_a_string \" crate::low::in_a_string";
    let raw = r#"crate::low::in_a_raw_string " "#;
    low::leaf::grow(quote, text, raw)
}

mod inside {
    pub(in crate::high) fn only_here() {}
    use super::super::low::Leaf;

    fn of() -> Leaf {
        crate::low::Leaf::of()
    }
}

#[cfg(test)]
use crate::low::in_a_test;

#[cfg(test)]
mod tests {
    use crate::low::in_a_test;
}
