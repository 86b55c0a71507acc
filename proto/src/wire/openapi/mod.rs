//! What OpenAPI says of the API groups that are served and of the discovery around them, v2 and v3, from one
//! description of each group.

mod group;
pub(crate) mod meta;
mod paths;
pub(crate) mod schema;

use serde_json::{Map, Value, json};

pub use group::Group;
pub(crate) use paths::Parameter;
use paths::Path;
use schema::{Dialect, Package, Type};

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

/// What stands outside of any group's package.
const MACHINERY: Package = Package {
    prefix: "",
    version: "",
};

/// All `groups` as one document of OpenAPI v2; `release` is the server's version.
#[must_use]
pub fn v2(release: &str, groups: &[&Group]) -> Value {
    let mut paths = vec![Path::groups(), Path::version()];
    let mut definitions = Definitions(Dialect::V2, Map::new());
    for group in groups {
        paths.push(group.path());
        for version in group.served.versions {
            paths.extend(group.paths(version));
            definitions.add(group.types, group.package(version));
        }
    }
    definitions.add(&meta::OBJECTS, MACHINERY);
    definitions.add(&meta::RESOURCES, MACHINERY);
    definitions.add(&meta::GROUPS, MACHINERY);
    definitions.add(&[meta::GROUP_LIST, meta::VERSION_INFO], MACHINERY);
    json!({
        "swagger": "2.0",
        "info": {"title": TITLE, "version": release},
        "paths": described(&mut paths, Dialect::V2),
        "definitions": definitions.sorted(),
    })
}

/// The documents of OpenAPI v3 of all `groups`, sorted by path; `release` is the server's version.
#[must_use]
pub fn v3(release: &str, groups: &[&Group]) -> Vec<Document> {
    let document = |path: &str, mut paths: Vec<Path>, types: &[(&[Type], Package)]| {
        let mut schemas = Definitions(Dialect::V3, Map::new());
        for (types, package) in types {
            schemas.add(types, *package);
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
    let of_groups: (&[Type], Package) = (&meta::GROUPS, MACHINERY);
    let mut documents = vec![
        document(
            "apis",
            vec![Path::groups()],
            &[of_groups, (&[meta::GROUP_LIST], MACHINERY)],
        ),
        document(
            "version",
            vec![Path::version()],
            &[(&[meta::VERSION_INFO], MACHINERY)],
        ),
    ];
    for group in groups {
        let path = format!("apis/{}", group.served.group);
        documents.push(document(&path, vec![group.path()], &[of_groups]));
        for version in group.served.versions {
            let types: [(&[Type], Package); 3] = [
                (group.types, group.package(version)),
                (&meta::OBJECTS, MACHINERY),
                (&meta::RESOURCES, MACHINERY),
            ];
            let path = format!("{path}/{version}");
            documents.push(document(&path, group.paths(version), &types));
        }
    }
    documents.sort_unstable_by(|a, b| a.path.cmp(&b.path));
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
    fn add(&mut self, types: &[Type], package: Package) {
        for one in types {
            let name = one.name.full(package);
            self.1.insert(name, one.describe(self.0, package));
        }
    }

    fn sorted(mut self) -> Map<String, Value> {
        self.1.sort_keys();
        self.1
    }
}
