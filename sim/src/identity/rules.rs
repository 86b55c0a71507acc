//! What may be done, by simple rules in the shape of RBAC's.

use serde::Deserialize;

use super::UserInfo;

/// What a request does, as authorization sees it: of a resource, or of a path.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(default)]
pub struct Attributes {
    /// get, list, watch, create …; for paths the lower-case HTTP method.
    pub verb: String,
    /// API group; empty for core.
    pub group: String,
    /// Plural resource; empty for a path.
    pub resource: String,
    /// Subresource, or empty.
    pub subresource: String,
    /// Namespace; empty for all, or for cluster-scoped resources.
    pub namespace: String,
    /// Name; empty for collections.
    pub name: String,
    /// The path, when it is not of a resource; else empty.
    pub path: String,
}

impl Attributes {
    /// Of a resource, in all namespaces.
    pub fn resource(verb: &str, group: &str, resource: &str) -> Self {
        let own = str::to_owned;
        Self {
            verb: own(verb),
            group: own(group),
            resource: own(resource),
            ..Self::default()
        }
    }

    /// Of a path that is not a resource's.
    pub fn path(verb: &str, path: &str) -> Self {
        Self {
            verb: verb.to_owned(),
            path: path.to_owned(),
            ..Self::default()
        }
    }

    /// The same of a subresource.
    pub fn subresource(self, subresource: &str) -> Self {
        Self {
            subresource: subresource.to_owned(),
            ..self
        }
    }

    /// The same in a namespace.
    pub fn in_namespace(self, namespace: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            ..self
        }
    }

    /// `resource` or `resource/subresource`, as rules name it.
    pub fn resource_path(&self) -> String {
        if self.subresource.is_empty() {
            self.resource.clone()
        } else {
            format!("{}/{}", self.resource, self.subresource)
        }
    }
}

/// Whom a rule is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A user, by name.
    User(String),
    /// Everyone in a group.
    Group(String),
}

impl Subject {
    /// A service account.
    pub fn service_account(namespace: &str, name: &str) -> Self {
        Self::User(format!("system:serviceaccount:{namespace}:{name}"))
    }

    pub(super) fn is(&self, user: &UserInfo) -> bool {
        match self {
            Self::User(name) => *name == user.username,
            Self::Group(group) => user.groups.contains(group),
        }
    }
}

/// What one rule allows: a PolicyRule of RBAC, with the namespace of its binding. `*` stands for any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Verbs.
    pub verbs: Vec<String>,
    /// API groups.
    pub groups: Vec<String>,
    /// `resource`, `resource/subresource`.
    pub resources: Vec<String>,
    /// Names; none means any.
    pub names: Vec<String>,
    /// The namespace a RoleBinding is in; none for a ClusterRoleBinding.
    pub namespace: Option<String>,
    /// Paths, with a trailing `*` allowed.
    pub paths: Vec<String>,
}

impl Rule {
    /// Verbs on resources of one group.
    pub fn resources(verbs: &[&str], group: &str, resources: &[&str]) -> Self {
        Self {
            verbs: own(verbs),
            groups: own(&[group]),
            resources: own(resources),
            ..Self::default()
        }
    }

    /// GET on paths.
    pub fn paths(paths: &[&str]) -> Self {
        Self {
            verbs: own(&["get"]),
            paths: own(paths),
            ..Self::default()
        }
    }

    /// The same, bound in one namespace.
    pub fn in_namespace(self, namespace: &str) -> Self {
        Self {
            namespace: Some(namespace.to_owned()),
            ..self
        }
    }

    /// The same, for objects of these names only.
    pub fn named(self, names: &[&str]) -> Self {
        Self {
            names: own(names),
            ..self
        }
    }
}

fn own(list: &[&str]) -> Vec<String> {
    list.iter().map(|&s| s.to_owned()).collect()
}
