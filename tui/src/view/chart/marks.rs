//! Marks at the top edge of a chart.

use crate::view::theme::{Ink, Signs};

/// Something that happened at a step of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The step.
    pub step: usize,
    /// What happened.
    pub kind: MarkKind,
}

/// What happened. If several marks are in a column, the last kind is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MarkKind {
    /// The desired number of replicas has changed.
    Replicas,
    /// The first pod of a new version of the workload was created.
    Rollout,
    /// A container was restarted.
    Restart,
}

impl MarkKind {
    const ALL: [Self; 3] = [Self::Restart, Self::Rollout, Self::Replicas];

    pub(super) const fn sign(self, signs: &Signs) -> &'static str {
        match self {
            Self::Restart => signs.restart,
            Self::Rollout => signs.rollout,
            Self::Replicas => signs.replicas,
        }
    }

    pub(super) const fn ink(self) -> Ink {
        match self {
            Self::Restart => Ink::Bad,
            Self::Rollout => Ink::Accent,
            Self::Replicas => Ink::Good,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Restart => "restart",
            Self::Rollout => "rollout",
            Self::Replicas => "replicas",
        }
    }
}

/// Returns the sign and the word of each kind that occurs, with their inks.
pub(super) fn legend(marks: &[Mark], signs: &Signs) -> Vec<(String, Ink)> {
    let kinds = MarkKind::ALL.into_iter();
    let kinds = kinds.filter(|kind| marks.iter().any(|mark| mark.kind == *kind));
    let text = |(at, kind): (usize, MarkKind)| {
        let gap = if at == 0 { "" } else { "  " };
        let text = format!("{gap}{} {}", kind.sign(signs), kind.word());
        (text, kind.ink())
    };
    kinds.enumerate().map(text).collect()
}
