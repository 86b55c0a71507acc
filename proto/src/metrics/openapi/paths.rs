//! The paths, and what can be asked for there.

use serde_json::{Map, Value, json};

use super::meta::{API_GROUP, API_GROUP_LIST, API_RESOURCE_LIST, INFO};
use super::schema::{Dialect, Name};
use super::types::{NODE_METRICS, NODE_METRICS_LIST, POD_METRICS, POD_METRICS_LIST};
use crate::metrics::{GROUP, Version};

const JSON: &[&str] = &["application/json"];
const OBJECTS: &[&str] = &[
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
];
const LISTS: &[&str] = &[
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "application/json;stream=watch",
    "application/vnd.kubernetes.protobuf;stream=watch",
];

/// A parameter of a path: its name, type, whether it is part of the path, and what it does.
type Parameter = (&'static str, &'static str, bool, &'static str);

const NAMESPACE: Parameter = ("namespace", "string", true, "The namespace of the pods.");
const PRETTY: Parameter = (
    "pretty",
    "string",
    false,
    "true for indented JSON, which browsers, curl and Wget get unasked.",
);
const IGNORED: &str = "Taken, and ignored.";

/// What every list takes, sorted by name; the namespace stands in among them.
const OF_LISTS: [Parameter; 13] = [
    ("allowWatchBookmarks", "boolean", false, IGNORED),
    (
        "continue",
        "string",
        false,
        "Ignored: a list is always whole.",
    ),
    (
        "fieldSelector",
        "string",
        false,
        "Which objects, by metadata.name and metadata.namespace: metadata.name=web-1. All, if it is empty.",
    ),
    (
        "labelSelector",
        "string",
        false,
        "Which objects, by their labels: app=web,tier in (front,back),!canary. All, if it is empty.",
    ),
    (
        "limit",
        "integer",
        false,
        "Ignored: a list is always whole.",
    ),
    PRETTY,
    ("resourceVersion", "string", false, IGNORED),
    ("resourceVersionMatch", "string", false, IGNORED),
    ("sendInitialEvents", "boolean", false, IGNORED),
    ("shardSelector", "string", false, IGNORED),
    ("timeoutSeconds", "integer", false, IGNORED),
    (
        "watch",
        "boolean",
        false,
        "Refused: metrics cannot be watched. They are measured at intervals; ask again.",
    ),
    NAMESPACE,
];

fn list_parameters(namespaced: bool) -> Vec<Parameter> {
    let mut parameters: Vec<_> = OF_LISTS
        .into_iter()
        .filter(|parameter| namespaced || *parameter != NAMESPACE)
        .collect();
    parameters.sort_unstable_by_key(|(name, ..)| *name);
    parameters
}

/// One path, which has nothing but GET.
pub(super) struct Path {
    pub(super) path: String,
    tag: String,
    id: String,
    description: String,
    answer: String,
    produces: &'static [&'static str],
    /// What a client may send: nothing is read.
    consumes: &'static [&'static str],
    /// list or get, and the kind of objects.
    action: Option<(&'static str, &'static str, Version)>,
    parameters: Vec<Parameter>,
}

impl Path {
    fn discovery(path: &str, tag: &str, id: &str, description: &str, answer: Name) -> Self {
        Self {
            path: path.to_owned(),
            tag: tag.to_owned(),
            id: id.to_owned(),
            description: description.to_owned(),
            answer: answer.full(""),
            produces: OBJECTS,
            consumes: OBJECTS,
            action: None,
            parameters: Vec::new(),
        }
    }

    /// `/apis/`.
    pub(super) fn groups() -> Self {
        let description = "get available API versions";
        Self::discovery(
            "/apis/",
            "apis",
            "getAPIVersions",
            description,
            API_GROUP_LIST,
        )
    }

    /// `/apis/metrics.k8s.io/`.
    pub(super) fn group() -> Self {
        let (path, id) = (format!("/apis/{GROUP}/"), "getMetricsAPIGroup");
        Self::discovery(
            &path,
            "metrics",
            id,
            "get information of a group",
            API_GROUP,
        )
    }

    /// `/version/`.
    pub(super) fn version() -> Self {
        let description = "get the version information for this server";
        Self {
            produces: JSON,
            consumes: JSON,
            ..Self::discovery("/version/", "version", "getCodeVersion", description, INFO)
        }
    }

    /// All of a version.
    pub(super) fn of(version: Version) -> [Self; 6] {
        let title = version.as_str().replacen('v', "V", 1);
        let base = format!("/apis/{GROUP}/{}/", version.as_str());
        let tag = format!("metrics_{}", version.as_str());
        let path = |path: &str, id: &str, answer: Name, parameters: Vec<Parameter>| {
            let verb = if id.starts_with("list") {
                "list"
            } else {
                "get"
            };
            let kind = if path.contains("nodes") {
                "NodeMetrics"
            } else {
                "PodMetrics"
            };
            let what = if verb == "list" {
                "list objects of kind"
            } else {
                "read the specified"
            };
            Self {
                path: format!("{base}{path}"),
                tag: tag.clone(),
                id: id.replacen("Metrics", &format!("Metrics{title}"), 1),
                description: format!("{what} {kind}"),
                answer: answer.full(version.as_str()),
                produces: if verb == "list" { LISTS } else { OBJECTS },
                consumes: &["*/*"],
                action: Some((verb, kind, version)),
                parameters,
            }
        };
        let node = ("name", "string", true, "The name of the node.");
        let pod = ("name", "string", true, "The name of the pod.");
        [
            Self::discovery(
                &base,
                &tag,
                &format!("getMetrics{title}APIResources"),
                "get available resources",
                API_RESOURCE_LIST,
            ),
            path(
                "namespaces/{namespace}/pods",
                "listMetricsNamespacedPodMetrics",
                POD_METRICS_LIST,
                list_parameters(true),
            ),
            path(
                "namespaces/{namespace}/pods/{name}",
                "readMetricsNamespacedPodMetrics",
                POD_METRICS,
                vec![pod, NAMESPACE, PRETTY],
            ),
            path(
                "nodes",
                "listMetricsNodeMetrics",
                NODE_METRICS_LIST,
                list_parameters(false),
            ),
            path(
                "nodes/{name}",
                "readMetricsNodeMetrics",
                NODE_METRICS,
                vec![node, PRETTY],
            ),
            path(
                "pods",
                "listMetricsPodMetricsForAllNamespaces",
                POD_METRICS_LIST,
                list_parameters(false),
            ),
        ]
    }

    pub(super) fn describe(&self, dialect: Dialect) -> Value {
        let answer = dialect.reference(&self.answer);
        let mut get = Map::new();
        get.insert("tags".into(), json!([self.tag]));
        get.insert("description".into(), self.description.as_str().into());
        get.insert("operationId".into(), self.id.as_str().into());
        let answer = match dialect {
            Dialect::V2 => {
                get.insert("consumes".into(), self.consumes.into());
                get.insert("produces".into(), self.produces.into());
                get.insert("schemes".into(), json!(["https"]));
                json!({"description": "OK", "schema": answer})
            }
            Dialect::V3 => {
                let schema = json!({"schema": answer});
                let forms = self
                    .produces
                    .iter()
                    .map(|form| ((*form).to_owned(), schema.clone()));
                json!({"description": "OK", "content": Map::from_iter(forms)})
            }
        };
        get.insert("responses".into(), json!({"200": answer}));
        if let Some((verb, kind, version)) = self.action {
            get.insert("x-kubernetes-action".into(), verb.into());
            get.insert(
                "x-kubernetes-group-version-kind".into(),
                json!({"group": GROUP, "version": version.as_str(), "kind": kind}),
            );
        }
        let mut path = Map::from_iter([("get".to_owned(), get.into())]);
        if !self.parameters.is_empty() {
            let parameters = self
                .parameters
                .iter()
                .map(|parameter| describe(dialect, *parameter));
            path.insert("parameters".into(), parameters.collect());
        }
        path.into()
    }
}

fn describe(dialect: Dialect, (name, kind, in_path, description): Parameter) -> Value {
    let place = if in_path { "path" } else { "query" };
    let mut out = Map::from_iter([
        ("name".to_owned(), name.into()),
        ("in".to_owned(), place.into()),
        ("description".to_owned(), description.into()),
    ]);
    match dialect {
        Dialect::V2 => out.extend([
            ("type".to_owned(), kind.into()),
            ("uniqueItems".to_owned(), true.into()),
        ]),
        Dialect::V3 => {
            out.insert("schema".into(), json!({"type": kind, "uniqueItems": true}));
        }
    }
    if in_path {
        out.insert("required".into(), true.into());
    }
    out.into()
}
