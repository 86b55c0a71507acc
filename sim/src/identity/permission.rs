//! What rules grant, one thing at a time: so that what was granted and what was used can be compared.

use super::rules::{Attributes, Rule};

/// One verb on one resource or path: what RBAC's rules, which are lists, are made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permission {
    /// As the rule has it; `*` stands for any.
    pub verb: String,
    /// API group; empty for core, and for a path.
    pub group: String,
    /// `resource` or `resource/subresource`; for a path, the path, with a trailing `*` allowed.
    pub resource: String,
    /// The one object it is for; none for any.
    pub name: Option<String>,
    /// The namespace it is for; none for all, and for what is in no namespace.
    pub namespace: Option<String>,
}

impl Permission {
    /// Whether it lets this be done.
    pub(super) fn allows(&self, a: &Attributes) -> bool {
        let is = |granted: &str, requested: &str| granted == "*" || granted == requested;
        if !is(&self.verb, &a.verb) {
            return false;
        }
        if !a.path.is_empty() {
            return self.resource.starts_with('/')
                && match self.resource.strip_suffix('*') {
                    Some(prefix) => a.path.starts_with(prefix),
                    None => self.resource == a.path,
                };
        }
        let within = |granted: &Option<String>, requested: &str| {
            granted
                .as_deref()
                .is_none_or(|granted| granted == requested)
        };
        is(&self.group, &a.group)
            && (self.resource == "*" || self.resource == a.resource_path())
            && within(&self.name, &a.name)
            && within(&self.namespace, &a.namespace)
    }
}

impl Rule {
    /// Everything it grants.
    pub fn permissions(&self) -> Vec<Permission> {
        let names: Vec<Option<&String>> = match self.names.as_slice() {
            [] => vec![None],
            names => names.iter().map(Some).collect(),
        };
        let mut all = Vec::new();
        for verb in &self.verbs {
            let one = |group: &str, resource: &str, name: Option<&String>| Permission {
                verb: verb.clone(),
                group: group.to_owned(),
                resource: resource.to_owned(),
                name: name.cloned(),
                namespace: self.namespace.clone(),
            };
            for group in &self.groups {
                for resource in &self.resources {
                    all.extend(names.iter().map(|name| one(group, resource, *name)));
                }
            }
            all.extend(self.paths.iter().map(|path| one("", path, None)));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(verb: &str, name: &str) -> Attributes {
        Attributes {
            name: name.to_owned(),
            ..Attributes::resource(verb, "", "secrets").in_namespace("a")
        }
    }

    #[test]
    fn a_rule_grants_every_pair_of_its_lists() {
        let rule = Rule::resources(&["get", "update"], "", &["secrets"])
            .named(&["x", "y"])
            .in_namespace("a");
        let all = rule.permissions();
        assert_eq!(all.len(), 4);
        let allows = |a: &Attributes| all.iter().any(|one| one.allows(a));
        assert!(allows(&named("get", "x")) && allows(&named("update", "y")));
        assert!(!allows(&named("get", "z")), "another name");
        assert!(!allows(&named("list", "")), "no name at all");
        assert!(!allows(&named("get", "x").in_namespace("b")), "elsewhere");
    }

    #[test]
    fn a_path_is_allowed_by_rules_for_paths_only() {
        let paths = Rule::paths(&["/openapi/*", "/version"]).permissions();
        let everything = Rule::resources(&["*"], "*", &["*"]).permissions();
        let allows = |all: &[Permission], path: &str| {
            all.iter()
                .any(|one| one.allows(&Attributes::path("get", path)))
        };
        assert!(allows(&paths, "/openapi/v3") && allows(&paths, "/version"));
        assert!(!allows(&paths, "/version/x") && !allows(&everything, "/version"));
    }
}
