//! Evaluates filters.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{ProbeKind, ProbeStatus};

use super::tree::{Comparison, Node};
use crate::model::field::Field;
use crate::model::row::Row;

impl Node {
    /// Whether the result can change with time alone. Words are also searched in the age of the last restart, which is
    /// the end of its text.
    pub(super) fn changes_with_time(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::changes_with_time),
            Self::Not(part) => part.changes_with_time(),
            Self::Word(word) => word.word().chars().next_back().is_some_and(is_of_age),
            Self::Matches(_) => true,
            Self::Field(field, _) => field.changes_with_time(),
            Self::Labels(_) => false,
        }
    }

    /// Whether a part is a condition on `field`.
    pub(super) fn names(&self, field: Field) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(|part| part.names(field)),
            Self::Not(part) => part.names(field),
            Self::Field(named, _) => *named == field,
            Self::Word(_) | Self::Matches(_) | Self::Labels(_) => false,
        }
    }

    /// Whether the filter matches `row` at `now`.
    pub(super) fn holds(&self, row: &impl Row, now: Timestamp) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(row, now)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(row, now)),
            Self::Not(part) => !part.holds(row, now),
            Self::Word(word) => any_text(row, now, |text| word.is_in(text)),
            Self::Matches(pattern) => any_text(row, now, |text| pattern.is_in(text)),
            Self::Field(field, comparison) => comparison.holds(*field, row, now),
            Self::Labels(selector) => row.labels().is_some_and(|labels| selector.matches(labels)),
        }
    }
}

/// Whether a letter can be in the text ` 3m20s ago`. A word that does not end with such a letter is not searched for in
/// vain there.
fn is_of_age(letter: char) -> bool {
    letter.is_ascii_digit() || " yhdmsago".contains(letter.to_ascii_lowercase())
}

/// Whether a searched text has a property.
fn any_text(row: &impl Row, now: Timestamp, so: impl Fn(&str) -> bool) -> bool {
    row.searched().any(|value| so(&value.text(now)))
}

impl Comparison {
    /// A row without the field, or with an unknown value, matches neither a comparison nor its opposite.
    fn holds(&self, field: Field, row: &impl Row, now: Timestamp) -> bool {
        match self {
            Self::Text { equal, with } => row
                .text(field, now)
                .is_some_and(|text| with.is(whole(field, &text)) == *equal),
            Self::Matches { found, pattern } => row
                .text(field, now)
                .is_some_and(|text| pattern.is_in(&text) == *found),
            Self::Number(operator, number) => row
                .number(field, now)
                .is_some_and(|value| operator.holds(value, *number)),
        }
    }
}

/// The part of a text that `=` compares. For probes it is the state, without the counts and the kind: `0/1 readiness
/// failing` is `failing`, `2/2` is `passing`.
fn whole(field: Field, text: &str) -> &str {
    if field != Field::Probe {
        return text;
    }
    match text.split_once(' ') {
        None if text.is_empty() => "none",
        None if text.contains('/') => ProbeStatus::Passing.word(),
        None => text,
        // The state of one probe: `not running`.
        Some((first, _)) if !first.contains('/') => text,
        Some((_, state)) => {
            let kinds = [
                ProbeKind::Startup,
                ProbeKind::Liveness,
                ProbeKind::Readiness,
            ];
            let mut bare = kinds
                .iter()
                .filter_map(|kind| state.strip_prefix(kind.word())?.strip_prefix(' '));
            bare.next().unwrap_or(state)
        }
    }
}

#[cfg(test)]
mod probes {
    use super::*;

    #[test]
    fn probes_are_compared_by_their_state() {
        for (text, state) in [
            ("", "none"),
            ("2/2", "passing"),
            ("unknown", "unknown"),
            ("0/1 readiness failing", "failing"),
            ("1/2 liveness failing", "failing"),
            ("0/3 startup pending", "pending"),
            ("1/2 waiting", "waiting"),
            ("0/2 not running", "not running"),
            ("not running", "not running"),
        ] {
            assert_eq!(whole(Field::Probe, text), state);
            assert_eq!(whole(Field::Name, text), text);
        }
    }
}
