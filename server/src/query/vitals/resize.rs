//! In-place resizes.

use kubevitals_proto::vitals::{ContainerVitals, Resize, ResizeState};

use super::amounts::amounts;
use crate::cluster::{self, ContainerSpec, PodTemplate};

/// The resize of a pod with this spec.
pub(super) fn of_pod(resize: &cluster::Resize, spec: &PodTemplate) -> Resize {
    Resize {
        state: resize.state,
        message: resize.message.as_deref().unwrap_or_default().to_owned(),
        since: cluster::time(resize.since_seconds),
        requests: amounts(spec.requests()),
        limits: amounts(spec.bound()),
    }
}

/// The resize of a container with this spec; none if the spec is in force.
pub(super) fn of_container(
    state: ResizeState,
    spec: &ContainerSpec,
    container: &ContainerVitals,
) -> Option<Resize> {
    let (requests, limits) = (amounts(spec.requests), amounts(spec.limits));
    let differs = (&requests, &limits) != (&container.requests, &container.limits);
    differs.then(|| Resize {
        state,
        requests,
        limits,
        ..Resize::default()
    })
}
