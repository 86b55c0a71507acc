//! Properties that every view has: names, first order and parts.

use super::column::Sort;
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
    /// Whether the rows are derived from the pods that the source sends.
    #[must_use]
    pub fn is_of_pods(&self) -> bool {
        self.part == Part::Pods
    }
}
