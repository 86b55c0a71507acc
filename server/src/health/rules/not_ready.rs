//! PodNotReady: a pod is not ready, and no other incident explains why. The incident ends when the pod is ready.

use kubevitals_proto::vitals::{Cause, Certainty};

use super::decision::{Decision, Opening};
use crate::cluster::{Pod, time};
use crate::health::facts::PodFacts;
use crate::health::messages::unready_container;
use crate::health::review_context::ReviewContext;
use crate::health::terminations::ready_since;
use crate::health::thresholds::{STARTUP_GRACE, UNEXPLAINED};
use crate::health::topic::Topic;

/// Reviews the readiness of a pod.
pub(in crate::health) fn review(
    facts: &PodFacts,
    pod: &Pod,
    context: &ReviewContext<'_>,
) -> Option<Decision> {
    let topic = Topic::NotReady;
    if pod.ready.status {
        let at = ready_since(pod).unwrap_or(context.now);
        return Some(Decision::End { topic, at });
    }
    let is_explained = facts.open.iter().any(|open| open.topic != topic);
    if is_explained {
        return Some(Decision::Withdraw(topic));
    }
    if facts.open_on(topic).is_some() {
        return None;
    }
    let waits = unready_container(pod);
    let waiting_reason = waits.and_then(|(_, status)| status.waiting_reason());
    let cannot_start = waiting_reason.is_some_and(|reason| reason.ends_with("Error"));
    let (since, grace) = if facts.was_ready {
        let since = time(pod.ready.since_seconds).unwrap_or(context.now);
        let grace = match waits {
            None => UNEXPLAINED,
            Some(_) => STARTUP_GRACE,
        };
        (since, grace)
    } else if cannot_start {
        (pod.created().unwrap_or(context.now), STARTUP_GRACE)
    } else {
        return None;
    };
    // After its node has come back, a pod becomes ready only later.
    let node = pod.node.as_deref().unwrap_or_default();
    let back = context.nodes.back_since(node);
    let until = back.map_or(since, |back| back.max(since)).plus_nanos(grace);
    if context.now < until {
        return Some(Decision::Wake(until));
    }
    Some(Decision::Open(Opening {
        topic,
        cause: Cause::Unknown,
        certainty: Certainty::Unknown,
        began: since,
        evidence: Some((since, "the pod's condition Ready is not True".to_owned())),
    }))
}
