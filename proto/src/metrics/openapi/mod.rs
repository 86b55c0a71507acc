//! What OpenAPI says of metrics.k8s.io and of the discovery around it, v2 and v3, from one description.
//!
//! Paths, operations, types and fields are those of metrics-server; what is said of them is our own.

mod meta;
mod paths;
mod schema;
mod types;

use serde_json::{Map, Value, json};

use super::{GROUP, Version};
use paths::Path;
use schema::{Dialect, Type};

/// The title of all documents.
const TITLE: &str = "Kubevitals";

/// A document of OpenAPI v3, and the path it is of: `apis/metrics.k8s.io/v1`.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// What is behind `/openapi/v3/`.
    pub path: String,
    /// The document.
    pub json: Value,
}

/// The whole API as one document of OpenAPI v2; `release` is the server's version.
#[must_use]
pub fn v2(release: &str) -> Value {
    let mut paths = vec![Path::groups(), Path::group(), Path::version()];
    let mut definitions = Definitions(Dialect::V2, Map::new());
    for version in Version::ALL {
        paths.extend(Path::of(version));
        definitions.add(&types::TYPES, version);
    }
    definitions.add(&meta::OBJECTS, Version::V1);
    definitions.add(&meta::RESOURCES, Version::V1);
    definitions.add(&meta::GROUPS, Version::V1);
    definitions.add(&[meta::GROUP_LIST, meta::VERSION_INFO], Version::V1);
    json!({
        "swagger": "2.0",
        "info": {"title": TITLE, "version": release},
        "paths": described(&mut paths, Dialect::V2),
        "definitions": definitions.sorted(),
    })
}

/// The documents of OpenAPI v3, sorted by path; `release` is the server's version.
#[must_use]
pub fn v3(release: &str) -> Vec<Document> {
    let document = |path: &str, mut paths: Vec<Path>, types: &[(&[Type], Version)]| {
        let mut schemas = Definitions(Dialect::V3, Map::new());
        for (types, version) in types {
            schemas.add(types, *version);
        }
        Document {
            path: path.to_owned(),
            json: json!({
                "openapi": "3.0.0",
                "info": {"title": TITLE, "version": release},
                "paths": described(&mut paths, Dialect::V3),
                "components": {"schemas": schemas.sorted()},
            }),
        }
    };
    let groups: (&[Type], Version) = (&meta::GROUPS, Version::V1);
    let group = format!("apis/{GROUP}");
    let mut documents = vec![
        document(
            "apis",
            vec![Path::groups()],
            &[groups, (&[meta::GROUP_LIST], Version::V1)],
        ),
        document(&group, vec![Path::group()], &[groups]),
    ];
    for version in Version::ALL {
        let types: [(&[Type], Version); 3] = [
            (&types::TYPES, version),
            (&meta::OBJECTS, version),
            (&meta::RESOURCES, version),
        ];
        let path = format!("{group}/{}", version.as_str());
        documents.push(document(&path, Path::of(version).into(), &types));
    }
    let info: (&[Type], Version) = (&[meta::VERSION_INFO], Version::V1);
    documents.push(document("version", vec![Path::version()], &[info]));
    documents
}

fn described(paths: &mut [Path], dialect: Dialect) -> Map<String, Value> {
    paths.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    let described = paths
        .iter()
        .map(|path| (path.path.clone(), path.describe(dialect)));
    described.collect()
}

struct Definitions(Dialect, Map<String, Value>);

impl Definitions {
    fn add(&mut self, types: &[Type], version: Version) {
        for one in types {
            let name = one.name.full(version.as_str());
            self.1.insert(name, one.describe(self.0, version.as_str()));
        }
    }

    fn sorted(mut self) -> Map<String, Value> {
        self.1.sort_keys();
        self.1
    }
}
