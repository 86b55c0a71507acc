//! What is the same for every view: its words, its first sort and the parts that it shows.

use super::column::Sort;
use super::part::Part;

/// What a view is called and which parts of the cluster it shows.
#[derive(Debug)]
pub struct ViewInfo {
    /// Its name on the screen; in lower case its name in the configuration and in files.
    pub title: &'static str,
    /// Its name where there is little room.
    pub brief: &'static str,
    /// The name of the binding that opens it: the title in lower case.
    pub id: &'static str,
    /// What its key opens, for the help.
    pub help: &'static str,
    /// What its rows are called in a sentence.
    pub rows: &'static str,
    /// How its table is sorted at first.
    pub sort: Sort,
    /// The part that its rows are made of.
    pub part: Part,
    /// Parts that it shows beside its rows and the figures above every view.
    pub also: &'static [Part],
}

impl ViewInfo {
    /// Whether what the view shows follows from the pods that the source sends.
    #[must_use]
    pub fn is_of_pods(&self) -> bool {
        self.part == Part::Pods
    }
}
