//! The numbers of terminations that Events count.
//!
//! The kubelet writes one Event for repeated occurrences and increases its count, so one Event may cover an hour of a
//! crash loop. The kubelet drops Events above 25 for a pod, so each count is a lower bound.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Cause, Certainty, Ended, ProbeKind};
use serde::{Deserialize, Serialize};

use super::causes::{cause_of, is_killed};
use super::pod_events::EventKind;
use super::thresholds::{LOOP_GAP, SECOND, WELL_AFTER};
use crate::cluster::{Event, Uid};

/// The number of a container's terminations according to one Event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tally {
    /// The Event's UID.
    pub(super) event: Uid,
    #[serde(rename = "tells")]
    pub(super) kind: TallyKind,
    /// The time of the Event's first occurrence.
    pub(super) first: Timestamp,
    /// The time of the Event's last occurrence.
    pub(super) last: Timestamp,
    /// The smallest number of terminations according to the Event.
    #[serde(rename = "ends")]
    pub(super) count: u32,
    /// The number of them that an incident counts because of this Event alone.
    pub(super) claimed: u32,
    /// Whether the claim is final: later terminations are recorded from the status.
    pub(super) settled: bool,
}

/// How an Event counts terminations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum TallyKind {
    /// The kubelet kills the container for this probe.
    Killing(ProbeKind),
    /// This probe fails; the kubelet kills the container after as many failures as the threshold.
    Failing(ProbeKind),
    /// The kubelet waits before it starts the container again.
    BackOff,
}

impl TallyKind {
    /// The cause of the terminations, if the Event has it.
    pub(super) fn cause(self) -> Option<Cause> {
        match self {
            Self::Killing(kind) | Self::Failing(kind) => Some(cause_of(kind)),
            Self::BackOff => None,
        }
    }

    pub(super) fn certainty(self) -> Certainty {
        match self {
            Self::Killing(_) => Certainty::Direct,
            Self::Failing(_) | Self::BackOff => Certainty::Likely,
        }
    }
}

impl Tally {
    /// The tally of an Event; none if it counts no terminations. `threshold` is that of the Event's probe.
    pub(super) fn of(event: &Event, event_kind: EventKind, threshold: Option<u32>) -> Option<Self> {
        let (kind, count) = match event_kind {
            EventKind::Killing(probe) => (TallyKind::Killing(probe), event.count),
            EventKind::Unhealthy(probe @ (ProbeKind::Liveness | ProbeKind::Startup)) => {
                (TallyKind::Failing(probe), event.count / threshold?.max(1))
            }
            // Old kubelets repeat it during one back-off.
            EventKind::BackOff => {
                let most = max_terminations(event.last.since(event.first));
                (TallyKind::BackOff, event.count.min(most))
            }
            _ => return None,
        };
        Some(Self {
            event: event.uid,
            kind,
            first: event.first,
            last: event.last,
            count,
            claimed: 0,
            settled: false,
        })
    }

    /// Whether the container ran within the time of the Event before this termination.
    pub(super) fn covers(&self, ended: &Ended) -> bool {
        let (Some(started), Some(finished)) = (ended.started, ended.finished) else {
            return false;
        };
        match self.kind {
            // The kubelet writes it while it waits after the termination.
            TallyKind::BackOff => {
                finished <= self.last && self.first.since(finished) <= 300 * SECOND
            }
            TallyKind::Killing(_) | TallyKind::Failing(_) => {
                started <= self.last && finished >= self.first
            }
        }
    }

    /// Whether the first or the last occurrence of the Event is within the run that ended so.
    pub(super) fn names(&self, ended: &Ended) -> bool {
        let within = |at| ended.started <= Some(at) && Some(at) <= ended.finished;
        ended.started.is_some() && (within(self.first) || within(self.last))
    }

    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// The largest number of terminations within a span: the kubelet's back-off starts at 10 s and doubles up to 300 s
/// (`backOffPeriod`, `MaxContainerBackOff`).
fn max_terminations(span: i64) -> u32 {
    let (mut count, mut left) = (1, span);
    for wait in [10, 20, 40, 80, 160] {
        left -= wait * SECOND;
        if left < 0 {
            return count;
        }
        count += 1;
    }
    count.saturating_add(u32::try_from(left / (300 * SECOND)).unwrap_or(u32::MAX))
}

impl Tally {
    /// Whether a termination belongs to the loop of this Event: it is soon after, and the container was not healthy in
    /// between; or its probe was failing.
    pub(super) fn is_loop_of(&self, cause: Cause, ended: &Ended) -> bool {
        let (Some(started), Some(finished)) = (ended.started, ended.finished) else {
            return false;
        };
        if self.kind.cause() != Some(cause) || self.count == 0 {
            return false;
        }
        let soon = finished >= self.first && finished.since(self.last) <= LOOP_GAP;
        match self.kind {
            TallyKind::Killing(_) => soon && finished.since(started) < WELL_AFTER,
            TallyKind::Failing(_) => self.names(ended),
            TallyKind::BackOff => false,
        }
    }
}

/// Whether a container was killed from outside.
pub(super) fn was_killed(ended: &Ended) -> bool {
    is_killed(ended.exit_code, ended.signal.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_off_limits_the_number_of_terminations() {
        for (seconds, count) in [
            (-5, 1),
            (0, 1),
            (9, 1),
            (10, 2),
            (30, 3),
            (310, 6),
            (609, 6),
            (610, 7),
            (3600, 16),
        ] {
            assert_eq!(max_terminations(seconds * SECOND), count, "{seconds}");
        }
        assert!(max_terminations(i64::MAX) > 16);
    }
}
