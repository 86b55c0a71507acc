//! Tables: rows of one kind, sorted by key.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::name::Key;
use super::row::Row;

/// Rows of one kind, sorted by key. A clone shares the rows, so that snapshots are cheap.
#[derive(Debug, Clone)]
pub struct Table<R> {
    rows: Vec<Arc<R>>,
    version: Version,
}

/// The version of a table's content. Tables with equal versions have equal rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Version(u64);

impl Version {
    /// A version that no table has had.
    fn new() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// A change of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Change<R> {
    /// The row is new or different.
    Put(R),
    /// The row was deleted.
    Gone(Key),
}

impl<R> Default for Table<R> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            version: Version::default(),
        }
    }
}

impl<R: Row> Table<R> {
    /// A table of rows in any order. Of rows with the same key, the last one stays.
    pub fn of(rows: Vec<R>) -> Self {
        let mut rows: Vec<Arc<R>> = rows.into_iter().map(Arc::new).collect();
        // Sources usually send rows in order.
        if !rows.is_sorted_by(|a, b| a.in_order(b).is_lt()) {
            rows.sort_by(|a, b| a.in_order(b));
            rows.dedup_by(|later, kept| {
                let same = later.in_order(kept).is_eq();
                if same {
                    std::mem::swap(later, kept);
                }
                same
            });
        }
        Self {
            rows,
            version: Version::new(),
        }
    }

    /// The version of the content.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The rows, sorted by key.
    #[must_use]
    pub fn rows(&self) -> &[Arc<R>] {
        &self.rows
    }

    /// The row at an index.
    #[must_use]
    pub fn row(&self, at: u32) -> Option<&Arc<R>> {
        self.rows.get(usize::try_from(at).ok()?)
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row with this key.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Arc<R>> {
        self.rows.get(self.find(key).ok()?)
    }

    /// The row with this key, mutable. Clones of the table still have the old row.
    pub fn get_mut(&mut self, key: &Key) -> Option<&mut R>
    where
        R: Clone,
    {
        let at = self.find(key).ok()?;
        self.version = Version::new();
        self.rows.get_mut(at).map(Arc::make_mut)
    }

    /// All rows, mutable. Clones of the table still have the old rows.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut R>
    where
        R: Clone,
    {
        self.version = Version::new();
        self.rows.iter_mut().map(Arc::make_mut)
    }

    /// Calls `set` for each row with its item, if there is one. Both are in order of their keys, so no row is searched
    /// for. Returns the items without a row.
    pub fn join<T>(
        &mut self,
        items: Vec<T>,
        key: impl Fn(&T) -> Key,
        mut set: impl FnMut(&mut R, Option<T>),
    ) -> Vec<T>
    where
        R: Clone,
    {
        let mut without_row = Vec::new();
        let mut items = items.into_iter().map(|item| (key(&item), item)).peekable();
        for row in self.iter_mut() {
            while let Some((_, item)) = items.next_if(|(key, _)| row.against(key).is_gt()) {
                without_row.push(item);
            }
            let item = items.next_if(|(key, _)| row.against(key).is_eq());
            set(row, item.map(|(_, item)| item));
        }
        without_row.extend(items.map(|(_, item)| item));
        without_row
    }

    /// The part of each row that `part` gives, in the same order. A part that is the same in `before` is shared with it.
    #[must_use]
    pub fn parts(&self, before: &Self, part: impl Fn(&R) -> R) -> Self
    where
        R: PartialEq,
    {
        let rows = self.rows.iter().map(|row| {
            let part = part(row);
            match before.get(&row.key()) {
                Some(same) if **same == part => Arc::clone(same),
                _ => Arc::new(part),
            }
        });
        Self {
            rows: rows.collect(),
            version: Version::new(),
        }
    }

    /// Applies changes in order.
    pub fn apply(&mut self, changes: Vec<Change<R>>) {
        // Many new rows are merged at once: inserting each would move all rows behind it.
        const MERGED: usize = 64;
        let mut new = Vec::new();
        let merges = changes.len() > MERGED;
        self.version = Version::new();
        for change in changes {
            match change {
                Change::Put(row) => match self.find(&row.key()) {
                    Ok(at) => {
                        if let Some(place) = self.rows.get_mut(at) {
                            *place = Arc::new(row);
                        }
                    }
                    Err(_) if merges => new.push(row),
                    Err(at) => self.rows.insert(at, Arc::new(row)),
                },
                Change::Gone(key) => {
                    new.retain(|row: &R| row.key() != key);
                    if let Ok(at) = self.find(&key) {
                        self.rows.remove(at);
                    }
                }
            }
        }
        if !new.is_empty() {
            self.rows.append(&mut Self::of(new).rows);
            // Both runs are sorted: this merges them.
            self.rows.sort_by(|a, b| a.in_order(b));
        }
    }

    /// The index of the row with this key.
    #[must_use]
    pub fn index_of(&self, key: &Key) -> Option<u32> {
        u32::try_from(self.find(key).ok()?).ok()
    }

    fn find(&self, key: &Key) -> Result<usize, usize> {
        self.rows.binary_search_by(|row| row.against(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::name::Name;
    use crate::model::row::NodeRow;

    fn node(name: &str, pods: u32) -> NodeRow {
        NodeRow {
            name: name.into(),
            pods,
            ..NodeRow::default()
        }
    }

    fn visible(table: &Table<NodeRow>) -> Vec<(String, u32)> {
        table
            .rows()
            .iter()
            .map(|row| (row.name.to_string(), row.pods))
            .collect()
    }

    #[test]
    fn the_last_row_of_a_key_wins() {
        let table = Table::of(vec![node("b", 1), node("a", 2), node("b", 3)]);
        assert_eq!(visible(&table), [("a".to_owned(), 2), ("b".to_owned(), 3)]);
    }

    #[test]
    fn single_and_batched_changes_give_the_same_table() {
        let names: Vec<String> = (0..200).map(|at| format!("{:03}", at * 7 % 200)).collect();
        let changes: Vec<Change<NodeRow>> = names
            .iter()
            .map(|name| Change::Put(node(name, 1)))
            .chain([
                Change::Gone(Key::named(&"005".into())),
                Change::Put(node("006", 9)),
            ])
            .collect();
        let mut one_by_one = Table::default();
        for change in changes.clone() {
            one_by_one.apply(vec![change]);
        }
        let mut at_once = Table::default();
        at_once.apply(changes);
        assert_eq!(visible(&one_by_one), visible(&at_once));
        assert_eq!(at_once.len(), 199);
    }

    #[test]
    fn changes_set_a_new_version() {
        let mut table = Table::of(vec![node("a", 1), node("b", 1)]);
        let mut versions = vec![Table::<NodeRow>::default().version(), table.version()];
        table.get_mut(&Key::named(&"a".into())).unwrap().pods = 2;
        versions.push(table.version());
        table.iter_mut().for_each(|row| row.pods = 3);
        versions.push(table.version());
        table.apply(vec![Change::Gone(Key::named(&"a".into()))]);
        versions.push(table.version());
        assert_eq!(table.clone().version(), table.version());
        for (at, version) in versions.iter().enumerate() {
            assert!(!versions[..at].contains(version), "{versions:?}");
        }
    }

    #[test]
    fn equal_parts_are_shared() {
        let name = |row: &NodeRow| node(&row.name, 0);
        let earlier = Table::of(vec![node("a", 1), node("b", 1)]).parts(&Table::default(), name);
        let later = Table::of(vec![node("b", 2), node("c", 2)]).parts(&earlier, name);
        assert_eq!(visible(&later), [("b".to_owned(), 0), ("c".to_owned(), 0)]);
        assert!(Arc::ptr_eq(&earlier.rows()[1], &later.rows()[0]));
    }

    #[test]
    fn items_join_the_rows_of_their_keys() {
        let mut table = Table::of(vec![node("b", 1), node("c", 1), node("d", 1)]);
        let items = vec![("a", 2), ("b", 3), ("b", 4), ("d", 5), ("e", 6)];
        let key = |(name, _): &(&str, u32)| Key::named(&Name::from(*name));
        let set = |row: &mut NodeRow, item: Option<(&str, u32)>| {
            row.pods = item.map_or(0, |(_, pods)| pods);
        };
        let without_row = table.join(items, key, set);
        let expected = [("b", 3), ("c", 0), ("d", 5)];
        assert_eq!(
            visible(&table),
            expected.map(|(name, pods)| (name.to_owned(), pods))
        );
        assert_eq!(without_row, [("a", 2), ("b", 4), ("e", 6)]);
    }

    #[test]
    fn clones_have_the_old_rows() {
        let mut table = Table::of(vec![node("a", 1)]);
        let snapshot = table.clone();
        table.get_mut(&Key::named(&"a".into())).unwrap().pods = 2;
        assert_eq!(visible(&snapshot), [("a".to_owned(), 1)]);
        assert_eq!(visible(&table), [("a".to_owned(), 2)]);
    }
}
