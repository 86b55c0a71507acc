//! ContainerVitals.

use kubevitals_proto::vitals::{ContainerVitals, Restarts};

use super::amounts::{amounts, ratios};
use super::usage::UsageSample;
use crate::cluster::{ContainerSpec, ContainerStatus};

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
        image: spec.image.to_string(),
        state: status.to_api(lost),
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
