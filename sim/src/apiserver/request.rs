//! The path of a request, split as kube-apiserver does, and the query.

use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;

use crate::identity::Attributes;

/// The query string, decoded. In their order; the first of a name counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(query: Option<&str>) -> Self {
        let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        Self(pairs.into_owned().collect())
    }

    /// A parameter; absent and empty are the same, as in Go's conversion of options.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(k, _)| k == name)?;
        Some(value.as_str()).filter(|v| !v.is_empty())
    }

    /// A boolean parameter: absent, `0` and `false` are false.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(|v| v != "0" && v != "false")
    }
}

/// What is needed of a request besides its path and body.
#[derive(Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) method: &'a Method,
    pub(super) headers: &'a HeaderMap,
    pub(super) query: &'a Query,
}

/// A resource's path below `/api/v1` or `/apis/GROUP/VERSION`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ResourcePath {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) resource: String,
    pub(super) subresource: String,
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
}

/// The target of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A resource of some group version.
    Resource(ResourcePath),
    /// Anything else, its segments split.
    Path(Vec<String>),
}

impl Target {
    /// Splits a path.
    pub(super) fn of(path: &str) -> Self {
        let segments = path.split('/').filter(|s| !s.is_empty());
        let segments: Vec<String> = segments.map(decode).collect();
        let texts: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (group, version, rest) = match texts.as_slice() {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return Self::Path(segments),
        };
        let own = |s: &str| s.to_owned();
        let (namespace, rest) = match rest {
            // A namespace's own subresources are not resources inside it.
            ["namespaces", _] | ["namespaces", _, "status" | "finalize"] => (None, rest),
            ["namespaces", namespace, rest @ ..] => (Some(own(namespace)), rest),
            rest => (None, rest),
        };
        let [resource, rest @ ..] = rest else {
            return Self::Path(segments);
        };
        Self::Resource(ResourcePath {
            group: own(group),
            version: own(version),
            resource: own(resource),
            subresource: rest.get(1..).unwrap_or_default().join("/"),
            namespace,
            name: rest.first().copied().map(own),
        })
    }

    /// What authorization and the record of requests see.
    pub(super) fn attributes(&self, method: &Method, path: &str, query: &Query) -> Attributes {
        let Self::Resource(at) = self else {
            return Attributes::path(&method.as_str().to_ascii_lowercase(), path);
        };
        let one = at.name.is_some();
        let verb = match *method {
            Method::GET | Method::HEAD if query.flag("watch") => "watch",
            Method::GET | Method::HEAD if one => "get",
            Method::GET | Method::HEAD => "list",
            Method::POST => "create",
            Method::PUT => "update",
            Method::PATCH => "patch",
            Method::DELETE if one => "delete",
            Method::DELETE => "deletecollection",
            _ => "",
        };
        // A list or watch of one name is authorized by that name.
        let selected = || {
            let mut terms = query.get("fieldSelector")?.split(',');
            let name = terms.find_map(|t| t.strip_prefix("metadata.name="))?;
            Some(name.trim_start_matches('=').to_owned())
        };
        let namespace = match (&at.namespace, at.resource.as_str(), at.group.as_str()) {
            (None, "namespaces", "") => at.name.clone().unwrap_or_default(),
            (namespace, ..) => namespace.clone().unwrap_or_default(),
        };
        Attributes {
            verb: verb.to_owned(),
            group: at.group.clone(),
            resource: at.resource.clone(),
            subresource: at.subresource.clone(),
            namespace,
            name: at.name.clone().or_else(selected).unwrap_or_default(),
            path: String::new(),
        }
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_split() {
        #[rustfmt::skip] // one path a line: a table
        let cases = [
            ("/api/v1/namespaces/default/pods/a%20b/log", ("", "pods", "log", Some("default"), Some("a b"))),
            ("/api/v1/namespaces/default", ("", "namespaces", "", None, Some("default"))),
            ("/apis/apps/v1/deployments", ("apps", "deployments", "", None, None)),
        ];
        for (path, expected) in cases {
            let Target::Resource(at) = Target::of(path) else {
                panic!("{path}");
            };
            let (namespace, name) = (at.namespace.as_deref(), at.name.as_deref());
            let split = (&*at.group, &*at.resource, &*at.subresource, namespace, name);
            assert_eq!(split, expected, "{path}");
        }
        for (path, segments) in [("/apis/apps", ["apis", "apps"]), ("/api/v1", ["api", "v1"])] {
            let segments = segments.map(str::to_owned).to_vec();
            assert_eq!(Target::of(path), Target::Path(segments));
        }
    }

    #[test]
    fn a_watch_of_one_name_is_authorized_by_it() {
        let query = Query::parse(Some("watch=true&fieldSelector=metadata.name%3Da"));
        let path = "/api/v1/namespaces/kube-system/configmaps";
        let attributes = Target::of(path).attributes(&Method::GET, path, &query);
        assert_eq!((&*attributes.verb, &*attributes.name), ("watch", "a"));
        assert_eq!(attributes.namespace, "kube-system");
    }
}
