//! The containers of a body, found again without hashing if the order allows.

use super::reading::{ContainerKey, Reading};
use std::collections::HashMap;

/// The number of containers after the expected one that a search visits first: so many may lack a line.
const LOOK_AHEAD: usize = 4;

/// The containers of one scrape in the order in which they first came.
pub(super) struct Containers<'a> {
    items: Vec<(ContainerKey<'a>, Reading)>,
    /// For each, what stood between the metric's name and the value when it first came.
    heads: Vec<&'a [u8]>,
    /// The one that is next if the order is the same as before.
    next: usize,
    order: Order<'a>,
    max: usize,
}

enum Order<'a> {
    /// Sorted by container, namespace, pod, as kubelets write: a search halves.
    Sorted,
    /// In any order: a search uses this index.
    Any(HashMap<ContainerKey<'a>, usize>),
}

impl<'a> Containers<'a> {
    /// None yet, in the memory of `items`; at most `max`.
    pub(super) fn new(mut items: Vec<(ContainerKey<'a>, Reading)>, max: usize) -> Self {
        items.clear();
        let heads = Vec::with_capacity(items.capacity().clamp(64, 1024));
        Self {
            items,
            heads,
            next: 0,
            order: Order::Sorted,
            max,
        }
    }

    pub(super) fn into_inner(self) -> Vec<(ContainerKey<'a>, Reading)> {
        self.items
    }

    /// The order begins again: another family.
    pub(super) fn restart(&mut self) {
        self.next = 0;
    }

    /// The expected text between name and value of the next line, and the readings of its container.
    #[inline]
    pub(super) fn expected(&mut self) -> Option<(&'a [u8], &mut Reading)> {
        let head = self.heads.get(self.next)?;
        let (_, reading) = self.items.get_mut(self.next)?;
        Some((head, reading))
    }

    /// The place of the expected container. After [`Containers::find`], the container that it found is the one before.
    #[inline]
    pub(super) fn place(&self) -> usize {
        self.next
    }

    /// The container at a place.
    pub(super) fn key(&self, at: usize) -> Option<ContainerKey<'a>> {
        self.items.get(at).map(|(key, _)| *key)
    }

    /// The expected one came.
    #[inline]
    pub(super) fn advance(&mut self) {
        self.next += 1;
    }

    /// The readings of `key`, whose line had `head` between name and value; new ones if it was not
    /// met before, `None` if the limit is reached.
    pub(super) fn find(&mut self, key: ContainerKey<'a>, head: &'a [u8]) -> Option<&mut Reading> {
        let at = match self.position(key) {
            Some(at) => at,
            None => self.insert(key, head)?,
        };
        self.next = at + 1;
        self.items.get_mut(at).map(|(_, reading)| reading)
    }

    fn position(&self, key: ContainerKey<'a>) -> Option<usize> {
        let ahead = self
            .items
            .iter()
            .skip(self.next)
            .take(LOOK_AHEAD)
            .position(|(other, _)| *other == key);
        if let Some(ahead) = ahead {
            return Some(self.next + ahead);
        }
        match &self.order {
            Order::Sorted if self.is_last(key) => None,
            Order::Sorted => self
                .items
                .binary_search_by(|(other, _)| kubelet_order(other).cmp(&kubelet_order(&key)))
                .ok(),
            Order::Any(index) => index.get(&key).copied(),
        }
    }

    /// Whether `key` comes after all there are.
    fn is_last(&self, key: ContainerKey<'a>) -> bool {
        self.items
            .last()
            .is_none_or(|(last, _)| kubelet_order(last) < kubelet_order(&key))
    }

    fn insert(&mut self, key: ContainerKey<'a>, head: &'a [u8]) -> Option<usize> {
        let at = self.items.len();
        if at >= self.max {
            return None;
        }
        if matches!(self.order, Order::Sorted) && !self.is_last(key) {
            self.order = Order::Any(
                self.items
                    .iter()
                    .enumerate()
                    .map(|(at, (key, _))| (*key, at))
                    .collect(),
            );
        }
        if let Order::Any(index) = &mut self.order {
            index.insert(key, at);
        }
        self.items.push((key, Reading::default()));
        self.heads.push(head);
        Some(at)
    }
}

/// By what kubelets sort: the labels, alphabetically.
fn kubelet_order<'a>(key: &ContainerKey<'a>) -> (&'a str, &'a str, &'a str) {
    (key.container, key.namespace, key.pod)
}
