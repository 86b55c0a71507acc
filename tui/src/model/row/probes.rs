//! Counts of the probes of a pod or a container.

use std::borrow::Cow;

use kubevitals_proto::vitals::{ProbeKind, ProbeStatus, ProbesInWords};

use crate::model::tone::Tone;

/// The number of probes in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Probes {
    /// Failing.
    pub failing: u8,
    /// Startup probes that have not passed yet.
    pub pending: u8,
    /// Not run yet: held by a startup probe, or in their initial delay.
    pub waiting: u8,
    /// Passing, or passed for good.
    pub passing: u8,
    /// Their container is not running.
    pub not_running: u8,
    /// Unknown.
    pub unknown: u8,
    /// The kind of the first probe in the most severe state.
    pub worst: Option<ProbeKind>,
}

impl Probes {
    /// The words that the column PROBES can contain.
    pub const WORDS: [&str; 6] = [
        "readiness failing",
        "liveness failing",
        "startup pending",
        "waiting",
        "not running",
        "unknown",
    ];

    /// Counts a probe.
    pub fn count(&mut self, kind: ProbeKind, status: ProbeStatus) {
        if status.gravity() > self.gravest().and_then(ProbeStatus::gravity) {
            self.worst = Some(kind);
        }
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

    /// The most severe state that is not passing.
    fn gravest(&self) -> Option<ProbeStatus> {
        let states = [
            (self.failing, ProbeStatus::Failing),
            (self.pending, ProbeStatus::Pending),
            (self.waiting, ProbeStatus::Waiting),
            (self.not_running, ProbeStatus::NotRunning),
        ];
        let found = states.into_iter().find(|(count, _)| *count > 0);
        found.map(|(_, status)| status)
    }

    /// The sum of both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let gravity = |probes: &Self| probes.gravest().and_then(ProbeStatus::gravity);
        let worst = if gravity(&other) > gravity(&self) {
            other.worst
        } else {
            self.worst
        };
        Self {
            failing: self.failing.saturating_add(other.failing),
            pending: self.pending.saturating_add(other.pending),
            waiting: self.waiting.saturating_add(other.waiting),
            passing: self.passing.saturating_add(other.passing),
            not_running: self.not_running.saturating_add(other.not_running),
            unknown: self.unknown.saturating_add(other.unknown),
            worst,
        }
    }

    /// As many probes, all in state unknown.
    #[must_use]
    pub fn unknown(self) -> Self {
        Self {
            unknown: u8::try_from(self.total()).unwrap_or(u8::MAX),
            ..Self::default()
        }
    }

    /// The number of probes.
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

    /// The most severe state of a probe, in a word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self.gravest() {
            Some(status) => status.word(),
            None if self.passing > 0 => ProbeStatus::Passing.word(),
            // Only if no probe has a known state: the API server reports nothing about a liveness probe until it kills.
            None if self.unknown > 0 => ProbeStatus::Unknown.word(),
            None => "none",
        }
    }

    /// The text of the column PROBES: `2/3 readiness failing`, `2/2`, empty without probes.
    #[must_use]
    pub fn text(&self) -> Cow<'static, str> {
        // The texts of nearly all pods need no memory of their own.
        const ALL_PASSING: [&str; 10] = [
            "", "1/1", "2/2", "3/3", "4/4", "5/5", "6/6", "7/7", "8/8", "9/9",
        ];
        if self.total() == u32::from(self.passing)
            && let Some(text) = ALL_PASSING.get(usize::from(self.passing))
        {
            return (*text).into();
        }
        let words = ProbesInWords {
            passing: self.passing.into(),
            known: self.total() - u32::from(self.unknown),
            total: self.total(),
            worst: self.worst.zip(self.gravest()),
        };
        words.to_string().into()
    }

    /// The severity of the most severe state.
    pub(super) fn tone(&self) -> Tone {
        match self.word() {
            "failing" => Tone::Bad,
            "pending" => Tone::Warn,
            "passing" => Tone::Plain,
            _ => Tone::Dim,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ProbeKind::{Liveness, Readiness, Startup};
    use ProbeStatus::{Failing, Held, NotRunning, Passed, Passing, Pending, Unknown};

    #[test]
    fn the_most_severe_state_is_in_the_text() {
        let mut probes = Probes::default();
        assert_eq!((probes.word(), &*probes.text()), ("none", ""));
        for (kind, status, text) in [
            (Liveness, Unknown, "unknown"),
            (Startup, Passed, "1/1"),
            (Readiness, Passing, "2/2"),
            (Readiness, NotRunning, "2/3 not running"),
            (Liveness, Held, "2/4 waiting"),
            (Startup, Pending, "2/5 startup pending"),
            (Readiness, Failing, "2/6 readiness failing"),
            (Liveness, Failing, "2/7 readiness failing"),
        ] {
            probes.count(kind, status);
            assert_eq!(probes.text(), text, "{status:?}");
        }
    }
}
