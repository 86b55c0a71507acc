//! Whether a row fulfils a filter.

use kubevitals_proto::time::Timestamp;

use super::tree::{Comparison, Kind, Node};
use crate::model::{Field, Fields};

impl Node {
    /// Whether it may hold at one time and not at another. A word is sought in how long ago a restart was, too.
    pub(super) fn changes_with_time(&self) -> bool {
        match &self.kind {
            Kind::All(parts) | Kind::Any(parts) => parts.iter().any(Self::changes_with_time),
            Kind::Not(part) => part.changes_with_time(),
            Kind::Word(_) | Kind::Matches(_) => true,
            Kind::Field(field, _) => field.changes_with_time(),
            Kind::Labels(_) => false,
        }
    }

    /// Whether it holds for `row` at `now`.
    pub(super) fn holds(&self, row: &impl Fields, now: Timestamp) -> bool {
        match &self.kind {
            Kind::All(parts) => parts.iter().all(|part| part.holds(row, now)),
            Kind::Any(parts) => parts.iter().any(|part| part.holds(row, now)),
            Kind::Not(part) => !part.holds(row, now),
            Kind::Word(word) => any_text(row, now, |text| word.is_in(text)),
            Kind::Matches(pattern) => any_text(row, now, |text| pattern.is_in(text)),
            Kind::Field(field, comparison) => comparison.holds(*field, row, now),
            Kind::Labels(selector) => row.labels().is_some_and(|labels| selector.matches(labels)),
        }
    }
}

/// Whether one of the columns of text is so.
fn any_text(row: &impl Fields, now: Timestamp, so: impl Fn(&str) -> bool) -> bool {
    row.words()
        .iter()
        .any(|field| row.text(*field, now).is_some_and(|text| so(&text)))
}

impl Comparison {
    /// A row that has no such field, or does not know it, is not so; nor is it the contrary.
    fn holds(&self, field: Field, row: &impl Fields, now: Timestamp) -> bool {
        match self {
            Self::Text { equal, with } => row
                .text(field, now)
                .is_some_and(|text| with.is(whole(field, &text)) == *equal),
            Self::Matches { found, pattern } => row
                .text(field, now)
                .is_some_and(|text| pattern.is_in(&text) == *found),
            Self::Number(operator, number) => row
                .number(field, now)
                .is_some_and(|value| operator.holds(value, number.value)),
        }
    }
}

/// What a text is compared as. A probe's is the word alone: how many of how many fail stands before it.
fn whole(field: Field, text: &str) -> &str {
    match (field, text.rsplit(' ').next()) {
        (Field::Probe, None | Some("")) => "none",
        (Field::Probe, Some(word)) => word,
        _ => text,
    }
}
