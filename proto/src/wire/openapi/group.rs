//! The paths of an API group, from its discovery.

use serde_json::{Map, Value};

use super::paths::{Action, Parameter, Path};
use super::schema::{Package, machinery};
use crate::wire::discovery::{Resource, Served};
use crate::words::capital;

const NAMESPACE: Parameter = ("namespace", "string", true, "The namespace of the objects.");
const NAME: Parameter = ("name", "string", true, "The name of the object.");
const RESOURCE: Parameter = (
    "resource",
    "string",
    true,
    "The resource of the objects, with its group: pods, deployments.apps.",
);
const METRIC: Parameter = ("metric", "string", true, "The name of the metric.");

/// An API group as OpenAPI describes it.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// The versions and resources.
    pub(crate) served: &'static Served,
    /// The group's name in tags and, with a capital, in the names of operations: `metrics`.
    pub(crate) tag: &'static str,
    /// The prefix of the names of its types, before the version: `io.k8s.metrics.pkg.apis.metrics`.
    pub(crate) prefix: &'static str,
    /// The schemas that `schemars` derives from its types. That of a list is called as that of its objects, with List
    /// behind it.
    pub(crate) schemas: fn(version: &str) -> Map<String, Value>,
    /// The media types of one object.
    pub objects: &'static [&'static str],
    /// The media types of a list.
    pub lists: &'static [&'static str],
    /// The parameters of one object besides its path.
    pub(crate) of_objects: &'static [Parameter],
    /// The parameters of a list besides its path.
    pub(crate) of_lists: &'static [Parameter],
    /// The parameters of a subresource besides its path.
    pub(crate) of_subresources: &'static [Parameter],
    /// Lists whose resources are parameters of the path.
    pub(crate) templates: &'static [Template],
}

/// A path with the resource as a parameter, which answers with a list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Template {
    /// Behind the version.
    pub(crate) path: &'static str,
    /// The kind of the list's items.
    pub(crate) kind: &'static str,
    /// Behind `list`, the group and the version in the name of the operation.
    pub(crate) operation: &'static str,
    pub(crate) description: &'static str,
    pub(crate) parameters: &'static [Parameter],
}

impl Group {
    /// The types of a version.
    pub(super) fn package(&self, version: &'static str) -> Package<'static> {
        Package {
            group: self.served.group,
            version,
            prefix: self.prefix,
            derived: (self.schemas)(version),
        }
    }

    /// The full name of a type.
    fn full(&self, version: &str, name: &str) -> String {
        format!("{}.{version}.{name}", self.prefix)
    }

    /// `/apis/GROUP/`.
    pub(super) fn path(&self) -> Path {
        Path::discovery(
            &format!("/apis/{}/", self.served.group),
            self.tag,
            &format!("get{}APIGroup", capital(self.tag)),
            "get information of a group",
            machinery!("apis.meta.v1.APIGroup"),
        )
    }

    /// All of a version.
    pub(super) fn paths(&self, version: &'static str) -> Vec<Path> {
        let resources = Path::discovery(
            &format!("/apis/{}/{version}/", self.served.group),
            &format!("{}_{version}", self.tag),
            &format!("get{}{}APIResources", capital(self.tag), capital(version)),
            "get available resources",
            machinery!("apis.meta.v1.APIResourceList"),
        );
        let mut paths = vec![resources];
        for resource in self.served.resources {
            self.add(&mut paths, version, resource);
        }
        let templates = self.templates.iter();
        paths.extend(templates.map(|template| self.listed(version, template)));
        paths
    }

    fn listed(&self, version: &'static str, template: &Template) -> Path {
        let (group, title) = (capital(self.tag), capital(version));
        Path {
            path: format!("/apis/{}/{version}/{}", self.served.group, template.path),
            tag: format!("{}_{version}", self.tag),
            id: format!("list{group}{title}{}", template.operation),
            description: template.description.to_owned(),
            answer: self.full(version, &format!("{}List", template.kind)),
            produces: self.lists,
            consumes: &["*/*"],
            action: None,
            parameters: sorted(template.parameters, template.path),
        }
    }

    /// The paths of a resource.
    fn add(&self, paths: &mut Vec<Path>, version: &'static str, resource: &Resource) {
        let Resource { name, kind, .. } = *resource;
        let (base, scope) = if resource.namespaced {
            (format!("namespaces/{{namespace}}/{name}"), "Namespaced")
        } else {
            (name.to_owned(), "")
        };
        let operation = |verb: &'static str, path: &str, of: &str, parameters: &[Parameter]| {
            let (what, produces, answer) = match verb {
                "list" => ("list objects of kind", self.lists, format!("{kind}List")),
                _ => ("read the specified", self.objects, kind.to_owned()),
            };
            let operation = if verb == "list" { "list" } else { "read" };
            let (group, title) = (capital(self.tag), capital(version));
            Path {
                path: format!("/apis/{}/{version}/{path}", self.served.group),
                tag: format!("{}_{version}", self.tag),
                id: format!("{operation}{group}{title}{of}"),
                description: format!("{what} {kind}"),
                answer: self.full(version, &answer),
                produces,
                consumes: &["*/*"],
                action: Some(Action {
                    verb,
                    group: self.served.group,
                    version,
                    kind,
                }),
                parameters: sorted(parameters, path),
            }
        };
        let listed = format!("{scope}{kind}");
        paths.push(operation("list", &base, &listed, self.of_lists));
        paths.push(operation(
            "get",
            &format!("{base}/{{name}}"),
            &listed,
            self.of_objects,
        ));
        if resource.namespaced {
            let everywhere = format!("{kind}ForAllNamespaces");
            paths.push(operation("list", name, &everywhere, self.of_lists));
        }
        for (part, answer) in resource.subresources {
            let path = format!("{base}/{{name}}/{part}");
            let of = format!("{listed}{}", capital(part));
            let path = operation("get", &path, &of, self.of_subresources);
            paths.push(Path {
                description: format!("read {part} of the specified {kind}"),
                answer: self.full(version, answer),
                ..path
            });
        }
    }
}

/// The parameters of a request, those in the path included, by name.
fn sorted(parameters: &[Parameter], path: &str) -> Vec<Parameter> {
    let in_path = [NAMESPACE, NAME, RESOURCE, METRIC]
        .into_iter()
        .filter(|(name, ..)| path.contains(&format!("{{{name}}}")));
    let mut all: Vec<_> = parameters.iter().copied().chain(in_path).collect();
    all.sort_unstable_by_key(|(name, ..)| *name);
    all
}
