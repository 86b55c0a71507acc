//! Properties that every view has: names, first order and parts.

use super::column::Sort;
use super::field::Field;
use super::part::Part;

/// Names of a view, and the parts that it shows.
#[derive(Debug)]
pub struct ViewInfo {
    /// The title; in lower case the name in the configuration and in files.
    pub title: &'static str,
    /// The title where there is little space.
    pub brief: &'static str,
    /// The name of its binding: the title in lower case.
    pub id: &'static str,
    /// The text of its binding in the help.
    pub help: &'static str,
    /// The name of its rows in a sentence.
    pub rows: &'static str,
    /// The first order of the table.
    pub sort: Sort,
    /// The part of its rows.
    pub part: Part,
    /// Parts that it shows beside its rows and the cluster's totals.
    pub also: &'static [Part],
}

impl ViewInfo {
    /// A view of rows that are called as its binding, sorted by CPU usage, of one part.
    #[must_use]
    pub(super) const fn new(
        title: &'static str,
        brief: &'static str,
        id: &'static str,
        part: Part,
    ) -> Self {
        Self {
            title,
            brief,
            id,
            help: id,
            rows: id,
            sort: Sort::by(Field::Cpu),
            part,
            also: &[],
        }
    }

    /// Whether the rows are derived from the pods that the source sends.
    #[must_use]
    pub fn is_of_pods(&self) -> bool {
        self.part == Part::Pods
    }
}
