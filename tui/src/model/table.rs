//! Rows of one kind, by key.

use std::sync::Arc;

use super::name::Key;
use super::row::Row;

/// Rows in the order of their keys. A clone shares the rows, so that a moment can be held on to cheaply.
#[derive(Debug, Clone)]
pub struct Table<R> {
    rows: Vec<Arc<R>>,
}

/// What has become of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Change<R> {
    /// It is new or different.
    Put(R),
    /// It is gone.
    Gone(Key),
}

impl<R> Default for Table<R> {
    fn default() -> Self {
        Self { rows: Vec::new() }
    }
}

impl<R: Row> Table<R> {
    /// A table of rows in any order. Of rows with the same key the last is kept.
    pub fn of(rows: Vec<R>) -> Self {
        let mut rows: Vec<Arc<R>> = rows.into_iter().map(Arc::new).collect();
        rows.sort_by_cached_key(|row| row.key());
        rows.dedup_by(|later, kept| {
            let same = later.key() == kept.key();
            if same {
                std::mem::swap(later, kept);
            }
            same
        });
        Self { rows }
    }

    /// The rows, in the order of their keys.
    #[must_use]
    pub fn rows(&self) -> &[Arc<R>] {
        &self.rows
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row of this key.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Arc<R>> {
        self.rows.get(self.find(key).ok()?)
    }

    /// The row of this key, to be changed. Whoever holds on to it keeps it as it was.
    pub fn get_mut(&mut self, key: &Key) -> Option<&mut R>
    where
        R: Clone,
    {
        let at = self.find(key).ok()?;
        self.rows.get_mut(at).map(Arc::make_mut)
    }

    /// Every row, to be changed. Whoever holds on to one keeps it as it was.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut R>
    where
        R: Clone,
    {
        self.rows.iter_mut().map(Arc::make_mut)
    }

    /// Takes changes in, the later ones over the earlier ones.
    pub fn apply(&mut self, changes: Vec<Change<R>>) {
        // Many new rows at once are merged; one after the other they would each move all that follow.
        const MERGED: usize = 64;
        let mut new = Vec::new();
        let merges = changes.len() > MERGED;
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
            // Each key is made once: to make one counts names up and down.
            self.rows.sort_by_cached_key(|row| row.key());
        }
    }

    fn find(&self, key: &Key) -> Result<usize, usize> {
        self.rows.binary_search_by(|row| row.key().cmp(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::row::NodeRow;

    fn node(name: &str, pods: u32) -> NodeRow {
        NodeRow {
            name: name.into(),
            pods,
            ..NodeRow::default()
        }
    }

    fn shown(table: &Table<NodeRow>) -> Vec<(String, u32)> {
        table
            .rows()
            .iter()
            .map(|row| (row.name.to_string(), row.pods))
            .collect()
    }

    #[test]
    fn the_last_of_a_key_is_kept_in_order() {
        let table = Table::of(vec![node("b", 1), node("a", 2), node("b", 3)]);
        assert_eq!(shown(&table), [("a".to_owned(), 2), ("b".to_owned(), 3)]);
    }

    #[test]
    fn changes_one_by_one_and_many_at_once_come_to_the_same() {
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
        assert_eq!(shown(&one_by_one), shown(&at_once));
        assert_eq!(at_once.len(), 199);
    }

    #[test]
    fn who_holds_on_to_a_row_keeps_it() {
        let mut table = Table::of(vec![node("a", 1)]);
        let held = table.clone();
        table.get_mut(&Key::named(&"a".into())).unwrap().pods = 2;
        assert_eq!(shown(&held), [("a".to_owned(), 1)]);
        assert_eq!(shown(&table), [("a".to_owned(), 2)]);
    }
}
