//! ContainerVitals.

use kubevitals_proto::vitals::{ContainerState, ContainerVitals, Restarts};

use super::amounts::{amounts, ratios};
use super::usage::UsageSample;
use crate::cluster::{self, ContainerSpec, ContainerStatus, State};

/// Converts a container, without its usage.
pub(super) fn container(
    spec: &ContainerSpec,
    status: &ContainerStatus,
    restarts: Restarts,
    lost: bool,
) -> ContainerVitals {
    ContainerVitals {
        name: spec.name.to_string(),
        role: spec.role,
        state: state(status, lost),
        ready: status.ready,
        started: status.started,
        requests: amounts(spec.requests),
        limits: amounts(spec.limits),
        restarts,
        ..ContainerVitals::default()
    }
}

/// Sets the usage of a container.
pub(super) fn set_usage(vitals: &mut ContainerVitals, spec: &ContainerSpec, used: UsageSample) {
    vitals.usage = Some(used.to_api());
    vitals.ratios = ratios(used.cpu, used.memory, spec.requests, spec.limits);
}

fn state(status: &ContainerStatus, lost: bool) -> ContainerState {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let name = |name: &str| if lost { "Unknown" } else { name }.to_owned();
    match &status.state {
        State::Waiting(waiting) => {
            let waiting = waiting.as_deref();
            ContainerState {
                state: name("Waiting"),
                reason: text(waiting.and_then(|waiting| waiting.reason.as_deref())),
                message: text(waiting.and_then(|waiting| waiting.message.as_deref())),
                since: None,
            }
        }
        State::Running { since_seconds } => ContainerState {
            state: name("Running"),
            since: cluster::time(*since_seconds),
            ..ContainerState::default()
        },
        // A termination is final, so it stays valid when the kubelet no longer reports.
        State::Terminated(ended) => ContainerState {
            state: "Terminated".to_owned(),
            reason: text(ended.reason.as_deref()),
            message: text(ended.message.as_deref()),
            since: cluster::time(ended.finished_seconds),
        },
    }
}
