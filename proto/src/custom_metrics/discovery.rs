//! The discovery of both groups. Their resources are the metrics that exist at the time of the request.

use super::{GROUP, Version, external};
use crate::wire::discovery::{ApiResource, Served};

/// `custom.metrics.k8s.io`, without its resources.
pub const CUSTOM: Served = Served {
    group: GROUP,
    versions: &[Version::V1beta2.as_str(), Version::V1beta1.as_str()],
    resources: &[],
};

/// `external.metrics.k8s.io`, without its resources.
pub const EXTERNAL: Served = Served {
    group: external::GROUP,
    versions: &[external::VERSION],
    resources: &[],
};

/// A metric of a kind of objects: `pods/http_requests_per_second`.
#[must_use]
pub fn custom(resource: &str, namespaced: bool, metric: &str) -> ApiResource {
    resource_of(
        format!("{resource}/{metric}"),
        namespaced,
        "MetricValueList",
    )
}

/// An external metric.
#[must_use]
pub fn external(metric: &str) -> ApiResource {
    resource_of(metric.to_owned(), true, "ExternalMetricValueList")
}

fn resource_of(name: String, namespaced: bool, kind: &str) -> ApiResource {
    ApiResource {
        name,
        namespaced,
        kind: kind.to_owned(),
        verbs: vec!["get".to_owned()],
        ..ApiResource::default()
    }
}
