//! The probes of a pod or a container in a few words.

use std::fmt;

use super::{ProbeKind, ProbeStatus};

/// A summary of probes, the same in every place: `2/2`, `1/2 readiness failing`, `unknown`.
///
/// Before the slash are the probes that pass, after it those whose status is known: the API server has no status of a
/// liveness probe until the kubelet kills the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProbesInWords {
    /// The probes that pass.
    pub passing: u32,
    /// The probes whose status is known.
    pub known: u32,
    /// All probes.
    pub total: u32,
    /// The worst of the probes that do not pass; of equal ones the first.
    pub worst: Option<(ProbeKind, ProbeStatus)>,
}

impl ProbesInWords {
    /// Summarizes these probes.
    pub fn of(probes: impl Iterator<Item = (ProbeKind, ProbeStatus)>) -> Self {
        let mut words = Self::default();
        for (kind, status) in probes {
            words.total += 1;
            words.known += u32::from(status != ProbeStatus::Unknown);
            words.passing += u32::from(status.passes());
            let worst = words.worst.and_then(|(_, worst)| worst.gravity());
            if status.gravity() > worst {
                words.worst = Some((kind, status));
            }
        }
        words
    }
}

impl fmt::Display for ProbesInWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.total, self.known) {
            (0, _) => return Ok(()),
            (_, 0) => return f.write_str("unknown"),
            (_, known) => write!(f, "{}/{known}", self.passing)?,
        }
        match self.worst {
            None => Ok(()),
            Some((kind, status @ (ProbeStatus::Failing | ProbeStatus::Pending))) => {
                write!(f, " {} {}", kind.word(), status.word())
            }
            Some((_, status)) => write!(f, " {}", status.word()),
        }
    }
}

impl ProbeKind {
    /// Its name: `readiness`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Liveness => "liveness",
            Self::Readiness => "readiness",
            Self::Startup => "startup",
        }
    }
}

impl ProbeStatus {
    /// Whether the probe passes.
    #[must_use]
    pub const fn passes(self) -> bool {
        matches!(self, Self::Passing | Self::Passed)
    }

    /// The rank of a probe that does not pass; the worst has the largest. `None` if the probe passes or is unknown.
    #[must_use]
    pub const fn gravity(self) -> Option<u8> {
        match self {
            Self::Passing | Self::Passed | Self::Unknown => None,
            Self::NotRunning => Some(0),
            Self::Held | Self::Waiting => Some(1),
            Self::Pending => Some(2),
            Self::Failing => Some(3),
        }
    }

    /// The status in a word: `failing`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Failing => "failing",
            Self::Pending => "pending",
            Self::Held | Self::Waiting => "waiting",
            Self::NotRunning => "not running",
            Self::Passing | Self::Passed => "passing",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_pass_come_first_and_the_gravest_of_the_others_is_named() {
        use ProbeKind::{Liveness, Readiness, Startup};
        use ProbeStatus::{Failing, Held, NotRunning, Passed, Passing, Pending, Unknown, Waiting};
        for (probes, expected) in [
            (vec![], ""),
            (vec![(Startup, Passed), (Liveness, Passing)], "2/2"),
            (vec![(Readiness, Failing)], "0/1 readiness failing"),
            (
                vec![(Liveness, Failing), (Readiness, Failing)],
                "0/2 liveness failing",
            ),
            (
                vec![(Startup, Pending), (Liveness, Held), (Readiness, Held)],
                "0/3 startup pending",
            ),
            (
                vec![(Liveness, Waiting), (Readiness, Passing)],
                "1/2 waiting",
            ),
            (
                vec![(Liveness, NotRunning), (Readiness, NotRunning)],
                "0/2 not running",
            ),
            (vec![(Liveness, Unknown), (Readiness, Passing)], "1/1"),
            (
                vec![(Liveness, Unknown), (Readiness, Failing)],
                "0/1 readiness failing",
            ),
            (vec![(Liveness, Unknown)], "unknown"),
        ] {
            let words = ProbesInWords::of(probes.iter().copied());
            assert_eq!(words.to_string(), expected, "{probes:?}");
        }
    }
}
