//! The old form: APIVersions, APIGroupList, APIGroup, APIResourceList, one request each.

use serde_json::{Map, Value, json};

use super::builtin::{self, GROUPS, Served};

/// `/api`.
pub(super) fn core_versions() -> Value {
    let addresses = json!([{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1:443"}]);
    json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses})
}

/// `/apis`: the built-in groups, and the aggregated `(group, version)`s, preferred versions first.
pub(super) fn groups(aggregated: &[(String, String)]) -> Value {
    let mut names: Vec<&str> = GROUPS.iter().map(|(group, _)| *group).collect();
    for (group, _) in aggregated {
        if !names.contains(&group.as_str()) {
            names.push(group);
        }
    }
    let groups: Vec<Value> = names
        .iter()
        .filter_map(|name| members(name, aggregated))
        .map(Value::from)
        .collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// `/apis/GROUP`.
pub(super) fn group(name: &str, aggregated: &[(String, String)]) -> Option<Value> {
    let mut group = json!({"kind": "APIGroup", "apiVersion": "v1"});
    group.as_object_mut()?.extend(members(name, aggregated)?);
    Some(group)
}

fn members(name: &str, aggregated: &[(String, String)]) -> Option<Map<String, Value>> {
    let builtin = GROUPS
        .iter()
        .filter(|(group, _)| *group == name)
        .map(|(_, version)| *version);
    let others = aggregated
        .iter()
        .filter(|(group, _)| group == name)
        .map(|(_, version)| version.as_str());
    let versions: Vec<Value> = builtin
        .chain(others)
        .map(|v| json!({"groupVersion": format!("{name}/{v}"), "version": v}))
        .collect();
    let preferred = versions.first()?.clone();
    let Value::Object(members) =
        json!({"name": name, "versions": versions, "preferredVersion": preferred})
    else {
        return None;
    };
    Some(members)
}

/// `/api/v1`, `/apis/GROUP/VERSION`.
pub(super) fn resources(group: &str, version: &str) -> Option<Value> {
    let resources = builtin::resources(group, version);
    if resources.is_empty() {
        return None;
    }
    let group_version = if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    };
    let mut list = json!({"kind": "APIResourceList"});
    let members = list.as_object_mut()?;
    if !group.is_empty() {
        members.insert("apiVersion".to_owned(), json!("v1"));
    }
    members.insert("groupVersion".to_owned(), json!(group_version));
    members.insert(
        "resources".to_owned(),
        resources.iter().map(resource).collect(),
    );
    Some(list)
}

fn resource(served: &Served) -> Value {
    let mut resource = json!({
        "name": served.plural, "singularName": served.singular, "namespaced": served.namespaced,
        "kind": served.kind, "verbs": served.verbs,
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
