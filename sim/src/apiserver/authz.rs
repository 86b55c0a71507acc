//! May they: the identities' rules, and a refusal in kube-apiserver's words.

use serde_json::json;

use super::status::Refusal;
use crate::identity::{Attributes, Identities, UserInfo};

/// Refuses what `user` may not do, and remembers that it was asked for.
pub(super) fn authorize(
    identities: &Identities,
    user: &UserInfo,
    attributes: &Attributes,
) -> Result<(), Refusal> {
    if identities.ask(user, attributes) {
        Ok(())
    } else {
        Err(forbidden(user, attributes))
    }
}

/// 403: who may not do what, and where.
pub(super) fn forbidden(user: &UserInfo, a: &Attributes) -> Refusal {
    let who = &user.username;
    if !a.path.is_empty() {
        let message = format!(
            "forbidden: User {who:?} cannot {} path {:?}",
            a.verb, a.path
        );
        return Refusal::forbidden(message, json!({}));
    }
    let subject = if a.group.is_empty() {
        a.resource.clone()
    } else {
        format!("{}.{}", a.resource, a.group)
    };
    let named = if a.name.is_empty() {
        subject
    } else {
        format!("{subject} {:?}", a.name)
    };
    let place = if a.namespace.is_empty() {
        "at the cluster scope".to_owned()
    } else {
        format!("in the namespace {:?}", a.namespace)
    };
    let message = format!(
        "{named} is forbidden: User {who:?} cannot {} resource {:?} in API group {:?} {place}",
        a.verb,
        a.resource_path(),
        a.group
    );
    let mut details = serde_json::Map::new();
    for (key, value) in [
        ("name", &a.name),
        ("group", &a.group),
        ("kind", &a.resource),
    ] {
        if !value.is_empty() {
            details.insert(key.to_owned(), json!(value));
        }
    }
    Refusal::forbidden(message, details.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_who_what_and_where() {
        let user = UserInfo::new("jane", []);
        let message = |a: Attributes| {
            forbidden(&user, &a).body()["message"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(
            message(Attributes::resource("list", "", "nodes")),
            r#"nodes is forbidden: User "jane" cannot list resource "nodes" in API group "" at the cluster scope"#
        );
        let get = Attributes {
            name: "web".into(),
            ..Attributes::resource("get", "apps", "deployments").in_namespace("prod")
        };
        assert_eq!(
            message(get),
            r#"deployments.apps "web" is forbidden: User "jane" cannot get resource "deployments" in API group "apps" in the namespace "prod""#
        );
        assert_eq!(
            message(Attributes::path("get", "/metrics")),
            r#"forbidden: User "jane" cannot get path "/metrics""#
        );
    }
}
