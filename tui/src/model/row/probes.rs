//! A pod's or container's probes, counted.

use std::borrow::Cow;

use kubevitals_proto::vitals::ProbeStatus;

use crate::model::cell::Cell;
use crate::model::tone::Tone;

/// How many probes there are in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Probes {
    /// Fail.
    pub failing: u8,
    /// Startup probes that have not passed yet.
    pub pending: u8,
    /// Not asked yet: held by a startup probe or in their initial delay.
    pub waiting: u8,
    /// Succeed, or have passed for good.
    pub passing: u8,
    /// Their container does not run.
    pub not_running: u8,
    /// Nothing is known of them.
    pub unknown: u8,
}

impl Probes {
    /// What the column PROBES may say.
    pub const WORDS: [&str; 6] = [
        "failing",
        "pending",
        "waiting",
        "not running",
        "passing",
        "unknown",
    ];

    /// Counts one more.
    pub fn count(&mut self, status: ProbeStatus) {
        let count = match status {
            ProbeStatus::Failing => &mut self.failing,
            ProbeStatus::Pending => &mut self.pending,
            ProbeStatus::Held | ProbeStatus::Waiting => &mut self.waiting,
            ProbeStatus::Passing | ProbeStatus::Passed => &mut self.passing,
            ProbeStatus::NotRunning => &mut self.not_running,
            ProbeStatus::Unknown => &mut self.unknown,
        };
        *count = count.saturating_add(1);
    }

    /// These and others.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            failing: self.failing.saturating_add(other.failing),
            pending: self.pending.saturating_add(other.pending),
            waiting: self.waiting.saturating_add(other.waiting),
            passing: self.passing.saturating_add(other.passing),
            not_running: self.not_running.saturating_add(other.not_running),
            unknown: self.unknown.saturating_add(other.unknown),
        }
    }

    /// How many there are.
    #[must_use]
    pub fn total(&self) -> u32 {
        [
            self.failing,
            self.pending,
            self.waiting,
            self.passing,
            self.not_running,
            self.unknown,
        ]
        .into_iter()
        .map(u32::from)
        .sum()
    }

    /// The gravest state that one of them is known to be in, in a word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        let counts = [
            self.failing,
            self.pending,
            self.waiting,
            self.not_running,
            self.passing,
            // Only where nothing is known of any: the API server tells of a liveness probe nothing until it kills.
            self.unknown,
        ];
        counts
            .into_iter()
            .zip(Self::WORDS)
            .find(|(count, _)| *count > 0)
            .map_or("none", |(_, word)| word)
    }

    /// What the column PROBES shows: `1/3 failing`, `passing`, nothing for none.
    #[must_use]
    pub fn text(&self) -> Cow<'static, str> {
        match self.failing {
            0 if self.total() == 0 => "".into(),
            0 => self.word().into(),
            failing => format!("{failing}/{} failing", self.total()).into(),
        }
    }

    pub(super) fn cell(&self) -> Cell {
        let tone = match self.word() {
            "failing" => Tone::Bad,
            "pending" => Tone::Warn,
            "passing" => Tone::Plain,
            _ => Tone::Dim,
        };
        Cell::new(self.text(), tone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_state_is_told() {
        let mut probes = Probes::default();
        assert_eq!((probes.word(), &*probes.text()), ("none", ""));
        for (status, text) in [
            (ProbeStatus::Unknown, "unknown"),
            (ProbeStatus::Passed, "passing"),
            (ProbeStatus::Passing, "passing"),
            (ProbeStatus::NotRunning, "not running"),
            (ProbeStatus::Held, "waiting"),
            (ProbeStatus::Pending, "pending"),
            (ProbeStatus::Failing, "1/7 failing"),
        ] {
            probes.count(status);
            assert_eq!(probes.text(), text, "{status:?}");
        }
    }
}
