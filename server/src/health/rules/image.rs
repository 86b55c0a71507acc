//! ImagePull: a container waits for its image. The incident ends when the container runs.

use kubevitals_proto::objects::not_running::IMAGE_REASONS;
use kubevitals_proto::vitals::{Cause, Certainty};

use super::decision::{Decision, Opening};
use crate::cluster::{Pod, State};
use crate::health::container_index::ContainerIndex;
use crate::health::facts::PodFacts;
use crate::health::pod_events::EventKind;
use crate::health::review_context::ReviewContext;
use crate::health::terminations::{finished, running_since};
use crate::health::topic::Topic;

/// Reviews the image of a container.
pub(in crate::health) fn review(
    facts: &PodFacts,
    pod: &Pod,
    index: ContainerIndex,
    context: &ReviewContext<'_>,
) -> Option<Vec<Decision>> {
    let (container, _, status) = facts.container(pod, index)?;
    let topic = Topic::Image(index);
    let waits = status.waiting_reason();
    if let Some(reason) = waits.filter(|reason| IMAGE_REASONS.contains(reason)) {
        if facts.open_on(topic).is_some() {
            return None;
        }
        // The status does not contain the time at which the wait began; the Event does.
        let event = facts.events.latest(EventKind::Pull, &container.name);
        let began = event.map_or(context.now, |event| event.first.min(context.now));
        return Some(vec![Decision::Open(Opening {
            topic,
            cause: Cause::ImageUnavailable,
            certainty: Certainty::Direct,
            began,
            evidence: Some((began, format!("waits: {reason}"))),
        })]);
    }
    let terminated = match &status.state {
        State::Terminated(ended) => Some(finished(ended).unwrap_or(context.now)),
        State::Waiting(_) | State::Running { .. } => None,
    };
    let at = running_since(status).or(terminated)?;
    Some(vec![Decision::End { topic, at }])
}
