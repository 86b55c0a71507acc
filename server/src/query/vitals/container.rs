//! Containers.

use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{
    Cause, Certainty, ContainerState, ContainerVitals, Ended, LastRestart, Restarts, Role, Usage,
};

use super::amounts::{amounts, ratios};
use crate::cluster::{self, ContainerSpec, ContainerStatus, State};
use crate::store::PodRates;

/// A container, but for what it uses.
pub(super) fn container(
    spec: &ContainerSpec,
    status: &ContainerStatus,
    lost: bool,
) -> ContainerVitals {
    ContainerVitals {
        name: spec.name.to_string(),
        role: match spec.role {
            cluster::Role::Init => Role::Init,
            cluster::Role::Sidecar => Role::Sidecar,
            cluster::Role::App => Role::App,
        },
        state: state(status, lost),
        ready: status.ready,
        started: status.started,
        requests: amounts(spec.requests),
        limits: amounts(spec.limits),
        restarts: restarts(spec, status),
        ..ContainerVitals::default()
    }
}

/// Says what it uses.
pub(super) fn measured(
    vitals: &mut ContainerVitals,
    spec: &ContainerSpec,
    usage: Usage,
    cpu: Nanocores,
    memory: Bytes,
) {
    vitals.usage = Some(usage);
    vitals.ratios = ratios(cpu, memory, spec.requests, spec.limits);
}

/// CPU and memory with a pod's time and window.
pub(super) fn usage(cpu: Nanocores, memory: Bytes, rates: &PodRates) -> Usage {
    Usage {
        cpu: Quantity::from_nanocores(cpu),
        memory: Quantity::from_bytes(memory),
        swap: None,
        timestamp: Some(rates.at),
        window: Some(rates.window),
    }
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
        // What has ended has ended, whoever is heard of.
        State::Terminated(ended) => ContainerState {
            state: "Terminated".to_owned(),
            reason: text(ended.reason.as_deref()),
            message: text(ended.message.as_deref()),
            since: cluster::time(ended.finished_seconds),
        },
    }
}

/// How a container ended, in the API's form.
fn ended(ended: &cluster::Ended) -> Ended {
    Ended {
        exit_code: ended.exit_code,
        signal: (ended.signal != 0).then_some(ended.signal),
        reason: ended.reason.as_deref().unwrap_or_default().to_owned(),
        message: ended.message.as_deref().unwrap_or_default().to_owned(),
        started: cluster::time(ended.started_seconds),
        finished: cluster::time(ended.finished_seconds),
    }
}

fn restarts(spec: &ContainerSpec, status: &ContainerStatus) -> Restarts {
    Restarts {
        count: status.restarts.into(),
        recent: 0,
        last: status.last.as_deref().map(|last| {
            let killed = last.reason.as_deref() == Some("OOMKilled");
            LastRestart {
                container: spec.name.to_string(),
                ended: ended(last),
                cause: if killed {
                    Cause::OomKilled
                } else {
                    Cause::Unknown
                },
                certainty: if killed {
                    Certainty::Direct
                } else {
                    Certainty::Unknown
                },
            }
        }),
    }
}
