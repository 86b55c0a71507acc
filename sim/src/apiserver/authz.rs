//! Authorization by the identities' rules.

use kubevitals_proto::wire::status::Status;

use super::status::Refusal;
use crate::identity::{Attributes, Identities, UserInfo};

/// Refuses what `user` may not do, and records the request.
pub(super) fn authorize(
    identities: &Identities,
    user: &UserInfo,
    attributes: &Attributes,
) -> Result<(), Refusal> {
    if identities.authorize(user, attributes) {
        Ok(())
    } else {
        Err(forbidden(user, attributes).into())
    }
}

/// 403 for a user without the right.
pub(super) fn forbidden(user: &UserInfo, a: &Attributes) -> Status {
    if a.path.is_empty() {
        let resource = a.resource_path();
        Status::forbidden(
            &user.username,
            &a.verb,
            &a.group,
            &resource,
            &a.name,
            &a.namespace,
        )
    } else {
        Status::forbidden_path(&user.username, &a.verb, &a.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_who_what_and_where() {
        let user = UserInfo::new("jane", []);
        let message = |a: Attributes| forbidden(&user, &a).message;
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
