//! Causes of terminations, and their certainty.

use kubevitals_proto::vitals::{Cause, Certainty, ProbeKind};

use crate::cluster::Ended;

/// The causes that are probes.
pub(super) const PROBES: [Cause; 2] = [Cause::LivenessProbe, Cause::StartupProbe];

/// The exit codes of SIGKILL and SIGTERM.
const KILLED: [i32; 2] = [137, 143];
/// SIGKILL and SIGTERM.
const SIGNALS: [i32; 2] = [9, 15];

/// Whether a container with this exit code or signal was killed from outside.
pub(super) fn is_killed(exit_code: i32, signal: i32) -> bool {
    KILLED.contains(&exit_code) || SIGNALS.contains(&signal)
}

/// Whether the runtime does not know how the container ended, as after a restart of the runtime or the node.
pub(super) fn has_unknown_end(ended: &Ended) -> bool {
    ended.exit_code == 255 && ended.reason.as_deref() == Some("Unknown")
}

/// The cause of a termination according to its status alone.
pub(super) fn cause_from_status(ended: &Ended) -> (Cause, Certainty) {
    match ended.reason.as_deref() {
        Some("OOMKilled") => (Cause::OomKilled, Certainty::Direct),
        Some("ContainerStatusUnknown") => (Cause::NodeLost, Certainty::Likely),
        _ if is_killed(ended.exit_code, ended.signal) || has_unknown_end(ended) => {
            (Cause::Unknown, Certainty::Unknown)
        }
        _ => (Cause::Exited, Certainty::Direct),
    }
}

/// The cause of restarts for this kind of probe.
pub(super) fn cause_of(kind: ProbeKind) -> Cause {
    match kind {
        ProbeKind::Liveness => Cause::LivenessProbe,
        ProbeKind::Startup => Cause::StartupProbe,
        ProbeKind::Readiness => Cause::ReadinessProbe,
    }
}

/// The higher certainty of two. An incident has the certainty of its most certain part.
pub(super) fn more_certain(one: Certainty, other: Certainty) -> Certainty {
    one.min(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn direct_is_more_certain_than_likely() {
        let all = [Certainty::Direct, Certainty::Likely, Certainty::Unknown];
        for (n, one) in all.into_iter().enumerate() {
            for other in all.into_iter().skip(n) {
                assert_eq!(more_certain(one, other), one);
                assert_eq!(more_certain(other, one), one);
            }
        }
    }
}
