//! Walks over sorted lists.

use std::cmp::Ordering;
use std::iter::Peekable;

/// Advances a sorted iterator to the item that `order` calls equal, and returns that item. Two lists of the same order
/// are walked at once by one call for each item of the other list.
pub(super) fn advance_to<I: Iterator>(
    sorted: &mut Peekable<I>,
    order: impl Fn(&I::Item) -> Ordering,
) -> Option<I::Item> {
    while sorted.next_if(|item| order(item).is_lt()).is_some() {}
    sorted.next_if(|item| order(item).is_eq())
}
