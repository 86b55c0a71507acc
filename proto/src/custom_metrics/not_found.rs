//! The response for a metric that does not exist.

use crate::selector::LabelSelector;
use crate::wire::status::{Reason, Status};

/// 404 in the words of sigs.k8s.io/custom-metrics-apiserver, and then `why`: the HPA controller writes it into the
/// condition `ScalingActive` and an event. `of` is a resource, with the name of one object behind it.
#[must_use]
pub fn not_found(
    metric: &str,
    of: &str,
    selector: &LabelSelector,
    why: impl std::fmt::Display,
) -> Status {
    let selector = if selector.is_empty() {
        String::new()
    } else {
        format!(" with selector {selector}")
    };
    let message =
        format!("the server could not find the metric {metric} for {of}{selector}: {why}");
    Status::failure(404, Reason::NotFound, message)
}
