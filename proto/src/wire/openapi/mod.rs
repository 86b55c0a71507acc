//! OpenAPI documents of the API groups that are served and of discovery, v2 and v3, from one
//! description of each group.

mod group;
mod paths;
pub(crate) mod schema;

use serde_json::{Map, Value, json};

pub use group::Group;
pub(crate) use group::Template;
use paths::Path;
pub(crate) use paths::{Dialect, Parameter, flag, integer, text};

/// The title of all documents.
const TITLE: &str = "Kubevitals";

/// A document of OpenAPI v3, and the path it is of: `apis/metrics.k8s.io/v1`.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The path after `/openapi/v3/`.
    pub path: String,
    /// The document.
    pub json: Value,
}

/// All `groups` as one document of OpenAPI v2; `release` is the server's version.
#[must_use]
pub fn v2(release: &str, groups: &[&Group]) -> Value {
    let mut paths = vec![Path::groups(), Path::version()];
    for group in groups {
        paths.push(group.path());
        for version in group.served.versions {
            paths.extend(group.paths(version));
        }
    }
    let paths = described(paths, Dialect::V2);
    let mut definitions = referenced(&paths, &schemas(groups));
    definitions.values_mut().for_each(schema::to_v2);
    json!({
        "swagger": "2.0",
        "info": {"title": TITLE, "version": release},
        "paths": paths,
        "definitions": definitions,
    })
}

/// The documents of OpenAPI v3 of all `groups`, sorted by path; `release` is the server's version.
#[must_use]
pub fn v3(release: &str, groups: &[&Group]) -> Vec<Document> {
    let all = schemas(groups);
    let document = |path: &str, paths: Vec<Path>| {
        let paths = described(paths, Dialect::V3);
        let json = json!({
            "openapi": "3.0.0",
            "info": {"title": TITLE, "version": release},
            "components": {"schemas": referenced(&paths, &all)},
            "paths": paths,
        });
        Document {
            path: path.to_owned(),
            json,
        }
    };
    let mut documents = vec![
        document("apis", vec![Path::groups()]),
        document("version", vec![Path::version()]),
    ];
    for group in groups {
        let path = format!("apis/{}", group.served.group);
        documents.push(document(&path, vec![group.path()]));
        for version in group.served.versions {
            documents.push(document(&format!("{path}/{version}"), group.paths(version)));
        }
    }
    documents.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    documents
}

/// The schemas of Kubernetes and of all versions of all `groups`, in OpenAPI v3, by full name.
fn schemas(groups: &[&Group]) -> Map<String, Value> {
    let mut all = schema::kubernetes();
    for group in groups {
        for version in group.served.versions {
            all.extend(group.package(version).schemas());
        }
    }
    all
}

fn described(mut paths: Vec<Path>, dialect: Dialect) -> Value {
    paths.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    let described = paths
        .iter()
        .map(|path| (path.path.clone(), path.describe(dialect)));
    described.collect::<Map<_, _>>().into()
}

/// Those of the schemas `all` that `value` refers to, and that they refer to in turn.
fn referenced(value: &Value, all: &Map<String, Value>) -> Map<String, Value> {
    let mut found = Map::new();
    add_referenced(&mut found, value, all);
    found.sort_keys();
    found
}

fn add_referenced(found: &mut Map<String, Value>, value: &Value, all: &Map<String, Value>) {
    match value {
        Value::Object(members) => {
            let reference = members.get("$ref").and_then(Value::as_str);
            let name = reference.and_then(|path| path.rsplit('/').next());
            if let Some((name, schema)) = name.and_then(|name| all.get_key_value(name))
                && found.insert(name.clone(), schema.clone()).is_none()
            {
                add_referenced(found, schema, all);
            }
            for member in members.values() {
                add_referenced(found, member, all);
            }
        }
        Value::Array(items) => {
            for item in items {
                add_referenced(found, item, all);
            }
        }
        _ => {}
    }
}
