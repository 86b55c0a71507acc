//! Comparison of responses with the peer's, and the allowed differences.

use crate::owned::Protobuf as _;
use std::collections::BTreeSet;

use kubevitals_proto::metrics::{NodeMetricsList, PodMetricsList};
use serde_json::Value;

/// How a body is compared.
#[derive(Debug, Clone, Copy)]
pub(super) enum Body {
    /// Byte for byte.
    Same,
    /// JSON with the peer's order and layout, without creation times (the times of the responses) and without the order of
    /// containers (random at the peer).
    Json,
    /// YAML line by line, without creation times.
    Yaml,
    /// Protobuf of nodes or pods, byte for byte after the peer's has our creation times and order of containers.
    Nodes,
    Pods,
    /// A group in discovery at this pointer, without v1, which the peer's release does not have and this server prefers, and
    /// without the port in the address.
    Discovery(&'static str),
    /// The paths that both servers have.
    Paths {
        theirs: &'static [&'static str],
        ours: &'static [&'static str],
    },
    /// The names of members, without values, which differ between programs, and without members of Kubernetes' own versions.
    Version,
    /// Paths and types, without those of v1 and without texts (proto's tests compare the structure).
    OpenApi,
    /// The index of OpenAPI's documents, without hashes and the document of v1.
    Index,
}

fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).expect("JSON")
}

/// Removes values that differ between two responses of the peer.
fn normal(mut answer: Value) -> Value {
    match &mut answer {
        Value::Object(members) => {
            members.remove("creationTimestamp");
            if let Some(Value::Array(containers)) = members.get_mut("containers") {
                containers.sort_by_key(|container| container["name"].as_str().map(str::to_owned));
            }
            for member in members.values_mut() {
                *member = normal(member.take());
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| *item = normal(item.take())),
        _ => {}
    }
    answer
}

/// Indents JSON as the peer does.
fn laid_out(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

fn without_creation(yaml: &[u8]) -> Vec<&str> {
    let lines = std::str::from_utf8(yaml).unwrap().lines();
    lines
        .filter(|line| !line.trim_start().starts_with("creationTimestamp: \""))
        .collect()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    let members = value.as_object().expect("an object");
    members.keys().map(String::as_str).collect()
}

fn texts(value: &Value) -> BTreeSet<&str> {
    let items = value.as_array().expect("an array");
    items.iter().map(|item| item.as_str().unwrap()).collect()
}

/// Whether the peer's release does not have a name: v1, and the group kubevitals.io.
fn ours_alone(name: &str) -> bool {
    name.contains("kubevitals")
        || name.contains("metrics.v1.")
        || name.contains("metrics.k8s.io/v1/")
        || name.ends_with("metrics.k8s.io/v1")
}

impl Body {
    pub(super) fn compare(self, name: &str, ours: &[u8], theirs: &[u8]) {
        let text = |body: &[u8]| String::from_utf8_lossy(body).into_owned();
        match self {
            Self::Same => assert_eq!(text(ours), text(theirs), "{name}"),
            Self::Json => {
                let (our, their) = (json(ours), json(theirs));
                assert_eq!(text(ours), laid_out(&our), "{name}");
                // As text, because the order of members matters.
                assert_eq!(normal(our).to_string(), normal(their).to_string(), "{name}");
            }
            Self::Yaml => assert_eq!(without_creation(ours), without_creation(theirs), "{name}"),
            Self::Nodes => {
                let ours_read = NodeMetricsList::from_protobuf(ours).unwrap();
                let mut theirs = NodeMetricsList::from_protobuf(theirs).unwrap();
                for (their, our) in theirs.items.iter_mut().zip(&ours_read.items) {
                    their.metadata.creation_timestamp = our.metadata.creation_timestamp;
                }
                assert_eq!(ours_read, theirs, "{name}");
                assert_eq!(ours, theirs.to_protobuf(), "{name}");
            }
            Self::Pods => {
                let ours_read = PodMetricsList::from_protobuf(ours).unwrap();
                let mut theirs = PodMetricsList::from_protobuf(theirs).unwrap();
                for (their, our) in theirs.items.iter_mut().zip(&ours_read.items) {
                    their.metadata.creation_timestamp = our.metadata.creation_timestamp;
                    their.containers.sort_by(|a, b| a.name.cmp(&b.name));
                }
                assert_eq!(ours_read, theirs, "{name}");
                assert_eq!(ours, theirs.to_protobuf(), "{name}");
            }
            Self::Discovery(pointer) => {
                let mut our = json(ours);
                assert_eq!(text(ours), laid_out(&our), "{name}");
                without_own_group(name, &mut our);
                without_v1(name, our.pointer_mut(pointer).unwrap());
                assert_eq!(our.to_string(), json(theirs).to_string(), "{name}");
            }
            Self::Paths {
                theirs: alone,
                ours: own,
            } => {
                let (our, their) = (json(ours), json(theirs));
                assert_eq!(text(ours), laid_out(&our), "{name}");
                let (our, their) = (texts(&our["paths"]), texts(&their["paths"]));
                let missing: Vec<_> = their.difference(&our).copied().collect();
                let added: Vec<_> = our.difference(&their).copied().collect();
                assert_eq!((missing, added), (alone.to_vec(), own.to_vec()), "{name}");
            }
            Self::Version => {
                let (our, their) = (json(ours), json(theirs));
                assert_eq!(text(ours), laid_out(&our), "{name}");
                let missing: Vec<_> = keys(&their).difference(&keys(&our)).copied().collect();
                let kubernetes_own = [
                    "emulationMajor",
                    "emulationMinor",
                    "minCompatibilityMajor",
                    "minCompatibilityMinor",
                ];
                assert_eq!(missing, kubernetes_own, "{name}");
            }
            Self::OpenApi => {
                let (our, their) = (json(ours), json(theirs));
                for pointer in ["/paths", "/definitions", "/components/schemas"] {
                    let Some(their) = their.pointer(pointer) else {
                        continue;
                    };
                    let our = our
                        .pointer(pointer)
                        .unwrap_or_else(|| panic!("{name}: {pointer}"));
                    let our: BTreeSet<_> = keys(our)
                        .into_iter()
                        .filter(|name| !ours_alone(name))
                        .collect();
                    assert_eq!(our, keys(their), "{name}: {pointer}");
                }
            }
            Self::Index => {
                let (our, their) = (json(ours), json(theirs));
                let documents: BTreeSet<_> = keys(&our["paths"])
                    .into_iter()
                    .filter(|path| !ours_alone(path))
                    .collect();
                assert_eq!(documents, keys(&their["paths"]), "{name}");
                for (path, document) in our["paths"].as_object().unwrap() {
                    let url = document["serverRelativeURL"].as_str().unwrap();
                    let hash = url
                        .strip_prefix(&format!("/openapi/v3/{path}?hash="))
                        .unwrap();
                    let is_digest = |digit| matches!(digit, '0'..='9' | 'A'..='F');
                    assert!(hash.len() == 128 && hash.chars().all(is_digest), "{url}");
                }
            }
        }
    }
}

/// Removes the group kubevitals.io from the end of a list of groups.
fn without_own_group(name: &str, list: &mut Value) {
    for (groups, group) in [("groups", "/name"), ("items", "/metadata/name")] {
        if let Some(groups) = list.get_mut(groups).and_then(Value::as_array_mut) {
            let last = groups.pop().unwrap_or_default();
            assert_eq!(last.pointer(group).unwrap(), "kubevitals.io", "{name}");
        }
    }
}

fn without_v1(name: &str, group: &mut Value) {
    let first = group["versions"].as_array_mut().unwrap().remove(0);
    assert_eq!(first["version"], "v1", "{name}: v1 comes first");
    if group.get("preferredVersion").is_some() {
        assert_eq!(group["preferredVersion"], first, "{name}");
        group["preferredVersion"] = group["versions"][0].clone();
    }
    if let Some(address) = group.pointer_mut("/serverAddressByClientCIDRs/0/serverAddress") {
        assert!(address.as_str().unwrap().starts_with(':'), "{name}");
        *address = ":4443".into();
    }
}
