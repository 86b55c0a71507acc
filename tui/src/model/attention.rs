//! Which pods and nodes need attention, and which of them first.

use kubevitals_proto::time::Timestamp;

use super::amount::Amounts;
use super::name::Name;
use super::row::{NodeRow, PodRow, is_recent};
use super::tone::{Thresholds, Tone};
use super::world::World;

/// How much attention a pod needs. The largest needs the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attention {
    /// The pod is healthy, but restarted recently.
    Recent,
    /// The pod is starting, terminating or not ready.
    Unsettled,
    /// The pod has used nearly all of its memory limit.
    NearLimit,
    /// A probe is failing.
    Failing,
    /// The pod crashes, was evicted, or cannot start.
    Broken,
}

/// How much attention a pod needs. `None` if it needs none.
#[must_use]
pub fn attention(pod: &PodRow, now: Timestamp, thresholds: Thresholds) -> Option<Attention> {
    let near = is_near_limit(pod.usage, pod.limits, thresholds).then_some(Attention::NearLimit);
    state_attention(pod, now).max(near)
}

/// Whether a pod or a container has used nearly all of its memory limit.
pub(super) fn is_near_limit(usage: Amounts, limits: Amounts, thresholds: Thresholds) -> bool {
    let memory = usage.memory.of(limits.memory);
    memory.is_some_and(|part| part >= thresholds.bad)
}

/// How much attention a pod needs because of its state, whatever it uses.
pub(super) fn state_attention(pod: &PodRow, now: Timestamp) -> Option<Attention> {
    if pod.tone() == Tone::Bad {
        Some(Attention::Broken)
    } else if pod.probes.failing > 0 {
        Some(Attention::Failing)
    } else if pod.tone() == Tone::Warn {
        Some(Attention::Unsettled)
    } else if has_restarted(pod, now) {
        Some(Attention::Recent)
    } else {
        None
    }
}

/// Whether a pod is not well now: it crashes, fails a probe or is not ready.
#[must_use]
pub fn is_unwell(pod: &PodRow, now: Timestamp) -> bool {
    let needs = state_attention(pod, now);
    needs.is_some_and(|needs| needs >= Attention::Unsettled) && !pod.phase.is_over()
}

/// Whether a container of a pod was restarted recently.
pub(super) fn has_restarted(pod: &PodRow, now: Timestamp) -> bool {
    is_recent(pod.restarts.finished(), now) || pod.restarts.recent > 0
}

/// Nodes that do not report: nodes that are not ready, and ready nodes without current usage while other nodes have it.
#[must_use]
pub fn lost(world: &World) -> Lost<'_> {
    /// A node does not report if its usage is this much older than the newest: three of metrics-server's minutes.
    const OLD_SECONDS: u32 = 180;
    let nodes = world.nodes.rows();
    let newest = nodes.iter().map(|node| node.usage_seconds).max();
    let newest = newest.unwrap_or(0);
    let silent = |node: &NodeRow| {
        newest > 0
            && (!node.usage.cpu.is_known()
                || node.usage_seconds.saturating_add(OLD_SECONDS) < newest)
    };
    let mut lost = Lost::default();
    for node in nodes {
        if !node.ready {
            lost.not_ready.push(&node.name);
        } else if silent(node) {
            lost.silent.push(&node.name);
        }
    }
    lost
}

/// Nodes that do not report, by name.
#[derive(Debug, Default)]
pub struct Lost<'a> {
    /// Not ready.
    pub not_ready: Vec<&'a Name>,
    /// Ready, but without current usage.
    pub silent: Vec<&'a Name>,
}

impl Lost<'_> {
    /// Whether all nodes report.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.not_ready.is_empty() && self.silent.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::row::LastRestart;
    use kubevitals_proto::units::Bytes;

    const NOW: i64 = 10_000;

    /// A healthy pod that restarted this many seconds ago.
    fn restarted(ago: i64) -> PodRow {
        let mut pod = PodRow {
            status: "Running".into(),
            ready: true,
            ..PodRow::default()
        };
        pod.restarts.count = 1;
        pod.restarts.last = Some(Box::new(LastRestart {
            finished: Some(Timestamp::from_secs(NOW - ago)),
            ..LastRestart::default()
        }));
        pod
    }

    #[test]
    fn attention_distinguishes_current_from_past_problems() {
        type Change = fn(&mut PodRow);
        let cases: [(i64, Change, Option<Attention>); 9] = [
            (60, |_| {}, Some(Attention::Recent)),
            (3_599, |_| {}, Some(Attention::Recent)),
            (3_600, |_| {}, None),
            (60, |pod| pod.probes.failing = 1, Some(Attention::Failing)),
            (60, |pod| pod.ready = false, Some(Attention::Unsettled)),
            (
                60,
                |pod| pod.status = "CrashLoopBackOff".into(),
                Some(Attention::Broken),
            ),
            (
                9_000,
                |pod| pod.status = "ImagePullBackOff".into(),
                Some(Attention::Broken),
            ),
            (9_000, |pod| pod.status = "Completed".into(), None),
            (
                9_000,
                |pod| {
                    pod.usage.memory = Bytes(95).into();
                    pod.limits.memory = Bytes(100).into();
                },
                Some(Attention::NearLimit),
            ),
        ];
        for (ago, change, expected) in cases {
            let mut pod = restarted(ago);
            change(&mut pod);
            let now = Timestamp::from_secs(NOW);
            let needed = attention(&pod, now, Thresholds::default());
            assert_eq!(needed, expected, "{} {ago}s ago", pod.status);
        }
        assert!(Attention::Recent < Attention::Unsettled && Attention::Failing < Attention::Broken);
    }
}
