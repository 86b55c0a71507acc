//! A pod's or container's probes, counted.

use std::borrow::Cow;

use kubevitals_proto::vitals::{ProbeKind, ProbeStatus, ProbesInWords};

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
    /// The kind of the first of those in the gravest state.
    pub worst: Option<ProbeKind>,
}

impl Probes {
    /// What the column PROBES may say, beside how many pass.
    pub const WORDS: [&str; 6] = [
        "readiness failing",
        "liveness failing",
        "startup pending",
        "waiting",
        "not running",
        "unknown",
    ];

    /// Counts one more.
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

    /// The gravest state of those that are not as they should be.
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

    /// These and others.
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

    /// As many, of which nothing is known.
    #[must_use]
    pub fn unknown(self) -> Self {
        Self {
            unknown: u8::try_from(self.total()).unwrap_or(u8::MAX),
            ..Self::default()
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
        match self.gravest() {
            Some(status) => status.word(),
            None if self.passing > 0 => ProbeStatus::Passing.word(),
            // Only where nothing is known of any: the API server tells of a liveness probe nothing until it kills.
            None if self.unknown > 0 => ProbeStatus::Unknown.word(),
            None => "none",
        }
    }

    /// What the column PROBES shows: `2/3 readiness failing`, `2/2`, nothing for none.
    #[must_use]
    pub fn text(&self) -> Cow<'static, str> {
        let words = ProbesInWords {
            passing: self.passing.into(),
            known: self.total() - u32::from(self.unknown),
            total: self.total(),
            worst: self.worst.zip(self.gravest()),
        };
        words.to_string().into()
    }

    /// How grave the gravest state is.
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

    #[test]
    fn the_gravest_state_is_told() {
        let mut probes = Probes::default();
        assert_eq!((probes.word(), &*probes.text()), ("none", ""));
        for (kind, status, text) in [
            (ProbeKind::Liveness, ProbeStatus::Unknown, "unknown"),
            (ProbeKind::Startup, ProbeStatus::Passed, "1/1"),
            (ProbeKind::Readiness, ProbeStatus::Passing, "2/2"),
            (
                ProbeKind::Readiness,
                ProbeStatus::NotRunning,
                "2/3 not running",
            ),
            (ProbeKind::Liveness, ProbeStatus::Held, "2/4 waiting"),
            (
                ProbeKind::Startup,
                ProbeStatus::Pending,
                "2/5 startup pending",
            ),
            (
                ProbeKind::Readiness,
                ProbeStatus::Failing,
                "2/6 readiness failing",
            ),
            (
                ProbeKind::Liveness,
                ProbeStatus::Failing,
                "2/7 readiness failing",
            ),
        ] {
            probes.count(kind, status);
            assert_eq!(probes.text(), text, "{status:?}");
        }
    }
}
