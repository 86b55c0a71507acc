//! What a request wants to do, in the words that authorization decides on: Kubernetes' RequestInfo.

use http::{Method, Uri};
use percent_encoding::percent_decode_str;

/// The namespace, resource and so on of a path, and the verb.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes {
    /// get, list, watch, create …; of a path that is no resource, the method in lower case.
    pub verb: String,
    /// The path, as sent, without its query.
    pub path: String,
    /// On what.
    pub target: Target,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A path that is no resource: /healthz, /apis, /metrics …
    Path,
    /// A resource of an API group.
    Resource {
        /// Its group.
        group: String,
        /// The group's version.
        version: String,
        /// Its namespace; empty for none, or for all.
        namespace: String,
        /// Its name in paths, for example `pods`.
        resource: String,
        /// What of the object, for example `history`; empty for the object itself.
        subresource: String,
        /// The object's name; empty for a list.
        name: String,
    },
}

impl Attributes {
    /// Reads them from a request's method and path, as `RequestInfoFactory` of k8s.io/apiserver does.
    pub fn of(method: &Method, uri: &Uri) -> Self {
        let path = uri.path();
        let parts: Vec<String> = path
            .split('/')
            .filter(|part| !part.is_empty())
            .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
            .collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let target = match parts.as_slice() {
            ["apis", group, version, rest @ ..] => resource(group, version, rest),
            _ => None,
        };
        let Some(target) = target else {
            return Self {
                verb: method.as_str().to_ascii_lowercase(),
                path: path.to_owned(),
                target: Target::Path,
            };
        };
        let named = matches!(&target, Target::Resource { name, .. } if !name.is_empty());
        let watching = crate::api::option(uri, "watch");
        let verb = match *method {
            Method::GET | Method::HEAD if named => "get",
            Method::GET | Method::HEAD if watching => "watch",
            Method::GET | Method::HEAD => "list",
            Method::POST => "create",
            Method::PUT => "update",
            Method::PATCH => "patch",
            Method::DELETE if named => "delete",
            Method::DELETE => "deletecollection",
            _ => "",
        };
        Self {
            verb: verb.to_owned(),
            path: path.to_owned(),
            target,
        }
    }
}

/// The parts of a path behind the group's version.
fn resource(group: &str, version: &str, rest: &[&str]) -> Option<Target> {
    let (namespace, rest) = match rest {
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (*namespace, rest),
        rest => ("", rest),
    };
    let (resource, rest) = rest.split_first()?;
    let part = |at: usize| rest.get(at).copied().unwrap_or_default().to_owned();
    Some(Target::Resource {
        group: group.to_owned(),
        version: version.to_owned(),
        namespace: namespace.to_owned(),
        resource: (*resource).to_owned(),
        subresource: part(1),
        name: part(0),
    })
}
