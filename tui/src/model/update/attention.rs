//! Which pods want to be looked at, and which of them first.

use kubevitals_proto::time::Timestamp;

use crate::model::row::PodRow;
use crate::model::tone::{Thresholds, Tone};

/// For how long after its last restart a pod wants to be looked at.
const RESTART_SECONDS: i64 = 3600;

/// How much a pod wants to be looked at: the higher, the more. None if it does not.
#[must_use]
pub fn wants_attention(pod: &PodRow, now: Timestamp, thresholds: Thresholds) -> Option<u8> {
    let restarted = pod
        .restarts
        .last
        .as_deref()
        .and_then(|last| last.finished)
        .is_some_and(|finished| now.since(finished) < RESTART_SECONDS * 1_000_000_000);
    let memory = pod.usage.memory.of(pod.limits.memory);
    if pod.tone() == Tone::Bad {
        Some(5)
    } else if pod.probes.failing > 0 {
        Some(4)
    } else if restarted || pod.restarts.recent > 0 {
        Some(3)
    } else if memory.is_some_and(|part| part >= thresholds.bad) {
        Some(2)
    } else if pod.tone() == Tone::Warn {
        Some(1)
    } else {
        None
    }
}
