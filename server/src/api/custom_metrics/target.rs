//! The metric and the objects that a path names.

use kubevitals_proto::custom_metrics::{ALL_OBJECTS, OF_NAMESPACE, not_found};
use kubevitals_proto::selector::LabelSelector;
use kubevitals_proto::wire::status::Status;

use crate::auth::{Attributes, ResourceTarget, Target};
use crate::query::{DescribedKind, PodsOf};

/// The objects of a request for a custom metric, and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CustomTarget {
    pub(super) kind: &'static DescribedKind,
    /// Empty for objects without a namespace.
    pub(super) namespace: String,
    /// None for all objects.
    pub(super) name: Option<String>,
    pub(super) metric: String,
}

impl CustomTarget {
    /// Reads `namespaces/NAMESPACE/RESOURCE/NAME/METRIC`, `RESOURCE/NAME/METRIC` for objects without a namespace, or
    /// `namespaces/NAMESPACE/metrics/METRIC` for the namespace itself.
    ///
    /// # Errors
    /// 404: another path, or a resource that has no metrics.
    pub(super) fn of(attributes: &Attributes) -> Result<Self, Status> {
        let (target, segments) = resource(attributes, "get")?;
        let ResourceTarget {
            namespace,
            resource,
            name,
            subresource,
            ..
        } = target;
        let (resource, namespace, name, metric) = match (segments, namespace.as_str()) {
            (4, namespace) if !namespace.is_empty() && resource == OF_NAMESPACE => {
                ("namespaces", "", namespace, name)
            }
            (5, namespace) if !namespace.is_empty() => {
                (resource.as_str(), namespace, name.as_str(), subresource)
            }
            (3, "") => (resource.as_str(), "", name.as_str(), subresource),
            _ => return Err(Status::resource_not_found()),
        };
        if name.is_empty() || metric.is_empty() {
            return Err(Status::resource_not_found());
        }
        let everything = LabelSelector::default();
        let kind = DescribedKind::of(resource)
            .filter(|kind| kind.namespaced != namespace.is_empty())
            .filter(|kind| kind.pods != PodsOf::Namespace || segments == 4)
            .ok_or_else(|| {
                let why = "these objects have no metrics here";
                not_found(metric, resource, &everything, why)
            })?;
        Ok(Self {
            kind,
            namespace: namespace.to_owned(),
            name: (name != ALL_OBJECTS || kind.pods == PodsOf::Namespace).then(|| name.to_owned()),
            metric: metric.clone(),
        })
    }
}

/// The namespace and the name of an external metric, of `namespaces/NAMESPACE/METRIC`.
///
/// # Errors
/// 404: another path.
pub(super) fn external(attributes: &Attributes) -> Result<(&str, &str), Status> {
    match resource(attributes, "list")? {
        (target, 3) if !target.namespace.is_empty() && !target.resource.is_empty() => {
            Ok((&target.namespace, &target.resource))
        }
        _ => Err(Status::resource_not_found()),
    }
}

/// The resource of a request with `verb`, and the number of segments behind the version.
fn resource<'a>(
    attributes: &'a Attributes,
    verb: &str,
) -> Result<(&'a ResourceTarget, usize), Status> {
    match &attributes.target {
        Target::Resource(target) if attributes.verb == verb => {
            let path = &attributes.path;
            let path = path.strip_suffix('/').unwrap_or(path);
            // An empty one before the first slash, apis, the group and the version.
            Ok((target, path.split('/').skip(4).count()))
        }
        _ => Err(Status::resource_not_found()),
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    fn attributes(path: &str) -> Attributes {
        Attributes::of(&Method::GET, &path.parse().unwrap())
    }

    /// What is authorized: verb, namespace, resource, name, subresource; and what is served: namespace, kind, name,
    /// metric.
    fn custom(path: &str) -> (String, Result<String, u16>) {
        let attributes = attributes(&format!("/apis/custom.metrics.k8s.io/v1beta2/{path}"));
        let Target::Resource(it) = &attributes.target else {
            panic!("{path} is a resource")
        };
        let authorized = format!(
            "{} {}|{}|{}|{}",
            attributes.verb, it.namespace, it.resource, it.name, it.subresource
        );
        let served = CustomTarget::of(&attributes).map(|it| {
            let name = it.name.unwrap_or_else(|| "all".into());
            format!("{}|{}|{name}|{}", it.namespace, it.kind.kind, it.metric)
        });
        (authorized, served.map_err(|status| status.code))
    }

    /// The authorized attributes are those of Kubernetes' RequestInfo, so that rules for `pods/METRIC` hold.
    #[test]
    fn a_custom_metric_is_a_subresource() {
        for (path, authorized, served) in [
            (
                "namespaces/ns/pods/web-1/rps",
                "get ns|pods|web-1|rps",
                Ok("ns|Pod|web-1|rps"),
            ),
            (
                "namespaces/ns/pods/*/rps",
                "get ns|pods|*|rps",
                Ok("ns|Pod|all|rps"),
            ),
            (
                "namespaces/ns/pods/%2A/rps/",
                "get ns|pods|*|rps",
                Ok("ns|Pod|all|rps"),
            ),
            (
                "namespaces/ns/deployments.apps/web/rps",
                "get ns|deployments.apps|web|rps",
                Ok("ns|Deployment|web|rps"),
            ),
            (
                "namespaces/ns/deployments/web/rps",
                "get ns|deployments|web|rps",
                Ok("ns|Deployment|web|rps"),
            ),
            ("nodes/a/rps", "get |nodes|a|rps", Ok("|Node|a|rps")),
            ("nodes/*/rps", "get |nodes|*|rps", Ok("|Node|all|rps")),
            (
                "namespaces/ns/metrics/rps",
                "get ns|metrics|rps|",
                Ok("|Namespace|ns|rps"),
            ),
            (
                "namespaces/*/metrics/rps",
                "get *|metrics|rps|",
                Ok("|Namespace|*|rps"),
            ),
            // Capitals, colons and encoded slashes are parts of a name; other slashes end it.
            (
                "namespaces/ns/pods/*/DCGM_FI_DEV_GPU_UTIL",
                "get ns|pods|*|DCGM_FI_DEV_GPU_UTIL",
                Ok("ns|Pod|all|DCGM_FI_DEV_GPU_UTIL"),
            ),
            (
                "namespaces/ns/pods/*/a:b",
                "get ns|pods|*|a:b",
                Ok("ns|Pod|all|a:b"),
            ),
            (
                "namespaces/ns/pods/*/a%2Fb",
                "get ns|pods|*|a/b",
                Ok("ns|Pod|all|a/b"),
            ),
            ("namespaces/ns/pods/*/a/b", "get ns|pods|*|a", Err(404)),
            // No such objects, or not in a namespace, or nothing named.
            (
                "namespaces/ns/secrets/a/rps",
                "get ns|secrets|a|rps",
                Err(404),
            ),
            ("namespaces/ns/nodes/a/rps", "get ns|nodes|a|rps", Err(404)),
            ("pods/a/rps", "get |pods|a|rps", Err(404)),
            (
                "namespaces/ns/namespaces/ns/rps",
                "get ns|namespaces|ns|rps",
                Err(404),
            ),
            (
                "namespaces/ns/status",
                "get ns|namespaces|ns|status",
                Err(404),
            ),
            ("namespaces/ns/pods/a", "get ns|pods|a|", Err(404)),
            ("namespaces/ns/pods//rps", "list ns|pods||rps", Err(404)),
            ("namespaces/ns/pods", "list ns|pods||", Err(404)),
            ("namespaces//pods/a/rps", "get |pods|a|rps", Err(404)),
            (
                "watch/namespaces/ns/pods/a/rps",
                "watch ns|pods|a|rps",
                Err(404),
            ),
        ] {
            let expected = (authorized.to_owned(), served.map(str::to_owned));
            assert_eq!(custom(path), expected, "{path}");
        }
    }

    #[test]
    fn an_external_metric_is_a_resource() {
        for (path, served) in [
            ("namespaces/ns/queue_length", Ok(("ns", "queue_length"))),
            ("namespaces/ns/Queue:Length/", Ok(("ns", "Queue:Length"))),
            ("namespaces/ns/a%2Fb", Ok(("ns", "a/b"))),
            ("namespaces/ns/namespaces", Ok(("ns", "namespaces"))),
            ("namespaces/ns/status", Err(404)),
            ("namespaces/ns/a/b", Err(404)),
            ("namespaces/ns/a?watch=true", Err(404)),
            ("namespaces//a", Err(404)),
            ("a", Err(404)),
        ] {
            let attributes = attributes(&format!("/apis/external.metrics.k8s.io/v1beta1/{path}"));
            let found = external(&attributes).map_err(|status| status.code);
            assert_eq!(found, served, "{path}");
        }
    }
}
