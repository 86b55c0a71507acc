//! The aggregated form: APIGroupDiscoveryList, everything in two requests.

use serde_json::{Value, json};

use super::builtin::{self, GROUPS, Served};

/// `/api`: the core group.
pub(super) fn core(list_version: &str) -> Value {
    list(list_version, vec![group("", "v1")])
}

/// `/apis`: the built-in groups, then those of aggregated servers as they told them.
pub(super) fn groups(list_version: &str, aggregated: Vec<Value>) -> Value {
    let mut items: Vec<Value> = GROUPS
        .iter()
        .map(|(name, version)| group(name, version))
        .collect();
    items.extend(aggregated);
    list(list_version, items)
}

fn list(version: &str, items: Vec<Value>) -> Value {
    let api_version = format!("apidiscovery.k8s.io/{version}");
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": api_version, "metadata": {}, "items": items})
}

fn group(name: &str, version: &str) -> Value {
    let resources: Vec<Value> = builtin::resources(name, version)
        .iter()
        .map(|r| resource(r, name, version))
        .collect();
    let metadata = if name.is_empty() {
        json!({})
    } else {
        json!({"name": name})
    };
    json!({
        "metadata": metadata,
        "versions": [{"version": version, "resources": resources, "freshness": "Current"}],
    })
}

fn resource(served: &Served, group: &str, version: &str) -> Value {
    let mut resource = json!({
        "resource": served.plural,
        "responseKind": {"group": group, "version": version, "kind": served.kind},
        "scope": if served.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": served.singular,
        "verbs": served.verbs,
    });
    if let Some(members) = resource.as_object_mut() {
        if !served.short_names.is_empty() {
            members.insert("shortNames".to_owned(), json!(served.short_names));
        }
        if !served.categories.is_empty() {
            members.insert("categories".to_owned(), json!(served.categories));
        }
    }
    resource
}
