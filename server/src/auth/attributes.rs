//! The attributes of a request that authorization decides on: Kubernetes' RequestInfo.
//!
//! The path is parsed as the router parses it. Else a request could be authorized as one thing and served as another.
//! So [`normalized`](super::normalized) comes before both, and segments are never merged or dropped: `//` has an
//! empty segment in its middle, and only the trailing slash means nothing.

use http::{Method, Uri};
use kubevitals_proto::selector::{FieldOperator, FieldSelector, LabelSelector};
use percent_encoding::percent_decode_str;

use crate::parameters::{MOST_TERMS, option, parameter, terms};

/// The verb and the target of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes {
    /// get, list, watch, create …; for a path that is no resource, the method in lower case.
    pub verb: String,
    /// The path, as sent, without its query.
    pub path: String,
    /// The target.
    pub target: Target,
    /// The selectors.
    pub selectors: Selectors,
}

/// The target of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A path that is no resource: /healthz, /apis, /metrics …
    Path,
    /// A resource of an API group.
    Resource(ResourceTarget),
}

/// A resource that a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceTarget {
    /// The group; empty for the core group.
    pub group: String,
    /// The version of the group.
    pub version: String,
    /// The namespace; empty for none, or for all.
    pub namespace: String,
    /// The resource in the plural, for example `pods`.
    pub resource: String,
    /// The subresource, for example `history`; empty for the object itself.
    pub subresource: String,
    /// The name of the object; empty for a list.
    pub name: String,
}

impl ResourceTarget {
    /// The resource with its subresource, for example `pods/history`.
    pub fn with_subresource(&self) -> String {
        match self.subresource.as_str() {
            "" => self.resource.clone(),
            subresource => format!("{}/{subresource}", self.resource),
        }
    }
}

/// The selectors of a list. A selector that does not parse or is too long is left out: the review then is about
/// more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selectors {
    /// The field selector.
    pub fields: Option<FieldSelector>,
    /// The label selector.
    pub labels: Option<LabelSelector>,
}

impl Attributes {
    /// Reads the attributes from a request's method and [normalized](super::normalized) URL, as `RequestInfoFactory`
    /// of k8s.io/apiserver does. The difference: k8s.io/apiserver strips any number of slashes from both ends, and
    /// this router does not.
    pub fn of(method: &Method, uri: &Uri) -> Self {
        let path = uri.path();
        let inner = path.strip_prefix('/').unwrap_or(path);
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        let parts: Vec<_> = inner
            .split('/')
            .map(|part| percent_decode_str(part).decode_utf8_lossy())
            .collect();
        let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
        match parts.as_slice() {
            ["apis", group, version, resource @ ..] if !resource.is_empty() => {
                Self::resource(method, uri, group, version, resource)
            }
            ["api", version, resource @ ..] if !resource.is_empty() => {
                Self::resource(method, uri, "", version, resource)
            }
            _ => Self {
                verb: method.as_str().to_ascii_lowercase(),
                path: path.to_owned(),
                target: Target::Path,
                selectors: Selectors::default(),
            },
        }
    }

    fn resource(method: &Method, uri: &Uri, group: &str, version: &str, parts: &[&str]) -> Self {
        // A legacy form that authorization still understands: …/watch/pods, …/proxy/nodes/NAME.
        let (legacy_verb, parts) = match parts {
            [verb @ ("watch" | "proxy"), rest @ ..] => (Some(*verb), rest),
            parts => (None, parts),
        };
        let (namespace, parts) = match parts {
            // The namespace object itself and its subresources, not the objects in it.
            ["namespaces", namespace] | ["namespaces", namespace, "status" | "finalize", ..] => {
                (*namespace, parts)
            }
            ["namespaces", namespace, rest @ ..] => (*namespace, rest),
            parts => ("", parts),
        };
        let part = |at: usize| parts.get(at).copied().unwrap_or_default();
        let mut name = part(1).to_owned();
        let verb = legacy_verb.unwrap_or(match *method {
            Method::GET | Method::HEAD if !name.is_empty() => "get",
            Method::GET | Method::HEAD if option(uri, "watch") => "watch",
            Method::GET | Method::HEAD => "list",
            Method::POST => "create",
            Method::PUT => "update",
            Method::PATCH => "patch",
            Method::DELETE if !name.is_empty() => "delete",
            Method::DELETE => "deletecollection",
            _ => "",
        });
        let is_list = matches!(*method, Method::GET | Method::HEAD) && name.is_empty();
        let selectors =
            if legacy_verb.is_none() && matches!(verb, "list" | "watch" | "deletecollection") {
                Selectors::of(uri)
            } else {
                Selectors::default()
            };
        if is_list && legacy_verb.is_none() && options_parse(uri) {
            name = selectors.single_name().unwrap_or_default().to_owned();
        }
        let subresource = if legacy_verb == Some("proxy") {
            ""
        } else {
            part(2)
        };
        Self {
            verb: verb.to_owned(),
            path: uri.path().to_owned(),
            target: Target::Resource(ResourceTarget {
                group: group.to_owned(),
                version: version.to_owned(),
                namespace: namespace.to_owned(),
                resource: part(0).to_owned(),
                subresource: subresource.to_owned(),
                name,
            }),
            selectors,
        }
    }
}

impl Selectors {
    fn of(uri: &Uri) -> Self {
        let text = |name| parameter(uri, name).filter(|text| !text.is_empty());
        Self {
            fields: text("fieldSelector")
                .and_then(|text| text.parse().ok())
                .filter(|selector: &FieldSelector| selector.iter().len() <= MOST_TERMS),
            labels: text("labelSelector")
                .and_then(|text| text.parse().ok())
                .filter(|selector| terms(selector) <= MOST_TERMS),
        }
    }

    /// The only name that can match the field selector. A user who may get that object may also list it by name.
    fn single_name(&self) -> Option<&str> {
        let (_, _, name) = self.fields.as_ref()?.iter().find(|(field, operator, _)| {
            *field == "metadata.name" && *operator == FieldOperator::Equals
        })?;
        let is_segment = !matches!(name, "." | "..") && !name.contains(['/', '%']);
        is_segment.then_some(name)
    }
}

/// Whether k8s.io/apiserver can parse the options of a list. If not, it does not read a name from them.
fn options_parse(uri: &Uri) -> bool {
    let number = |name| {
        parameter(uri, name).is_none_or(|text| text.is_empty() || text.parse::<i64>().is_ok())
    };
    let labels =
        parameter(uri, "labelSelector").is_none_or(|text| text.parse::<LabelSelector>().is_ok());
    number("limit") && number("timeoutSeconds") && labels
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Verb, group, namespace, resource, subresource, name; for a path that is no resource: verb and path.
    fn read(method: &str, uri: &str) -> String {
        let attributes = Attributes::of(&method.parse().unwrap(), &uri.parse().unwrap());
        match attributes.target {
            Target::Path => format!("{} {}", attributes.verb, attributes.path),
            Target::Resource(it) => format!(
                "{} {}|{}|{}|{}|{}",
                attributes.verb, it.group, it.namespace, it.resource, it.subresource, it.name
            ),
        }
    }

    const BASE: &str = "/apis/g/v1";

    #[test]
    fn resources_are_parsed_as_kubernetes_does() {
        for (method, path, expected) in [
            ("GET", "/nodes", "list g||nodes||"),
            ("HEAD", "/nodes", "list g||nodes||"),
            ("GET", "/nodes/", "list g||nodes||"),
            ("GET", "/nodes/a", "get g||nodes||a"),
            ("HEAD", "/nodes/a", "get g||nodes||a"),
            ("GET", "/nodes/a?watch=true", "get g||nodes||a"),
            ("GET", "/nodes/a/why", "get g||nodes|why|a"),
            ("GET", "/nodes/a/why/else", "get g||nodes|why|a"),
            ("GET", "/pods?watch", "watch g||pods||"),
            ("GET", "/pods?watch=false", "list g||pods||"),
            ("GET", "/namespaces/ns/pods", "list g|ns|pods||"),
            ("GET", "/namespaces/ns/pods/a", "get g|ns|pods||a"),
            ("GET", "/namespaces/ns/pods/a/why", "get g|ns|pods|why|a"),
            ("POST", "/pods", "create g||pods||"),
            ("PUT", "/pods/a", "update g||pods||a"),
            ("PATCH", "/pods/a", "patch g||pods||a"),
            ("DELETE", "/pods/a", "delete g||pods||a"),
            ("DELETE", "/pods", "deletecollection g||pods||"),
            ("OPTIONS", "/pods", " g||pods||"),
            // The namespace of a namespace object is the namespace itself.
            ("GET", "/namespaces", "list g||namespaces||"),
            ("GET", "/namespaces/ns", "get g|ns|namespaces||ns"),
            (
                "GET",
                "/namespaces/ns/status",
                "get g|ns|namespaces|status|ns",
            ),
            (
                "PUT",
                "/namespaces/ns/finalize",
                "update g|ns|namespaces|finalize|ns",
            ),
            ("GET", "/watch/pods", "watch g||pods||"),
            ("GET", "/watch/namespaces/ns/pods/a", "watch g|ns|pods||a"),
            ("POST", "/proxy/nodes/a/x", "proxy g||nodes||a"),
        ] {
            let found = read(method, &format!("{BASE}{path}"));
            assert_eq!(found, expected, "{method} {path}");
        }
        assert_eq!(read("GET", "/api/v1/nodes/a"), "get ||nodes||a");
    }

    #[test]
    fn other_paths_have_a_path_and_a_method() {
        for (method, path, verb) in [
            ("GET", "/", "get"),
            ("GET", "/healthz", "get"),
            ("POST", "/livez/ping", "post"),
            ("GET", "/apis", "get"),
            ("GET", "/apis/", "get"),
            ("GET", "/apis/metrics.k8s.io", "get"),
            ("GET", "/apis/metrics.k8s.io/v1beta1", "get"),
            ("GET", "/apis/metrics.k8s.io/v1beta1/", "get"),
            ("GET", "/api/v1", "get"),
            // The router does not merge slashes, so the attributes must not either.
            ("GET", "//apis/metrics.k8s.io/v1beta1/nodes", "get"),
            ("GET", "/apis%2Fmetrics.k8s.io/v1beta1/nodes", "get"),
            ("GET", "/../apis/metrics.k8s.io/v1beta1/nodes", "get"),
        ] {
            assert_eq!(read(method, path), format!("{verb} {path}"));
        }
    }

    #[test]
    fn segments_are_not_merged_or_dropped() {
        for (path, expected) in [
            ("//nodes", "get g||||nodes"),
            ("/nodes//", "list g||nodes||"),
            ("/nodes//a", "list g||nodes|a|"),
            ("/namespaces//pods", "list g||pods||"),
            ("/nodes/..", "get g||nodes||.."),
            ("/nodes/../pods", "get g||nodes|pods|.."),
            ("/nodes/a%2Fb", "get g||nodes||a/b"),
            ("/nodes/a%00b", "get g||nodes||a\0b"),
            ("/nodes/%C3%BC", "get g||nodes||\u{fc}"),
        ] {
            assert_eq!(read("GET", &format!("{BASE}{path}")), expected, "{path}");
        }
    }

    #[test]
    fn a_list_of_one_name_is_authorized_by_that_name() {
        for (query, expected) in [
            ("metadata.name%3Da", "list a"),
            ("metadata.name%3D%3Da&watch=1", "watch a"),
            ("metadata.namespace=x,metadata.name=a", "list a"),
            ("metadata.name!%3Da", "list "),
            ("metadata.name%3D..", "list "),
            ("metadata.name%3Da/b", "list "),
            ("%3D%3D%3D", "list "),
            (
                "metadata.name%3Da&fieldSelector=metadata.name%3Db",
                "list a",
            ),
            // Options that Kubernetes cannot parse name no object.
            ("metadata.name%3Da&limit=x", "list "),
            ("metadata.name%3Da&labelSelector=a+in", "list "),
        ] {
            let uri: Uri = format!("{BASE}/nodes?fieldSelector={query}")
                .parse()
                .unwrap();
            let attributes = Attributes::of(&Method::GET, &uri);
            let Target::Resource(target) = attributes.target else {
                panic!("{query}")
            };
            let found = format!("{} {}", attributes.verb, target.name);
            assert_eq!(found, expected, "{query}");
        }
    }

    #[test]
    fn a_very_long_selector_is_left_out() {
        let many = |n| vec!["a"; n].join(",");
        for (n, is_sent) in [(1000, true), (1001, false)] {
            let uri = format!("{BASE}/pods?labelSelector={}", many(n));
            let attributes = Attributes::of(&Method::GET, &uri.parse().unwrap());
            assert_eq!(attributes.selectors.labels.is_some(), is_sent, "{n}");
        }
    }

    #[test]
    fn only_lists_have_selectors() {
        let query = "labelSelector=app%3Dweb&fieldSelector=metadata.namespace%3Dx";
        let selectors = |method: Method, path: &str| {
            let uri: Uri = format!("{BASE}{path}?{query}").parse().unwrap();
            Attributes::of(&method, &uri).selectors
        };
        let both = Selectors {
            fields: "metadata.namespace=x".parse().ok(),
            labels: "app=web".parse().ok(),
        };
        assert_eq!(selectors(Method::GET, "/pods"), both);
        assert_eq!(selectors(Method::DELETE, "/pods"), both);
        for (method, path) in [
            (Method::GET, "/nodes/a"),
            (Method::POST, "/pods"),
            (Method::GET, "/watch/pods"),
        ] {
            assert_eq!(selectors(method, path), Selectors::default(), "{path}");
        }
    }
}
