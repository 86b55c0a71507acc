//! Authentication: client certificate, bearer token, anonymous, and impersonation by an administrator. Authorization by
//! the identities' rules.

use http::HeaderMap;
use kubevitals_proto::wire::status::Status;
use rustls_pki_types::CertificateDer;

use super::status::Refusal;
use crate::identity::{Attributes, Identities, UserInfo, bearer};

/// The user of a request. rustls has verified the client certificate, if there is one.
pub(super) fn authenticate(
    identities: &Identities,
    certificate: Option<&CertificateDer<'_>>,
    headers: &HeaderMap,
) -> Result<UserInfo, Refusal> {
    let by_certificate = certificate.and_then(UserInfo::of_certificate);
    let user = match (by_certificate, bearer(headers)) {
        (Some(user), _) => user,
        (None, Some(token)) => identities
            .authenticate(token)
            .ok_or_else(Status::unauthorized)?,
        (None, None) => UserInfo::anonymous(),
    };
    impersonate(identities, user, headers)
}

/// `kubectl --as`: the Impersonate-* headers, for those who may impersonate.
fn impersonate(
    identities: &Identities,
    user: UserInfo,
    headers: &HeaderMap,
) -> Result<UserInfo, Refusal> {
    let Some(name) = headers
        .get("impersonate-user")
        .and_then(|v| v.to_str().ok())
    else {
        return Ok(user);
    };
    let attributes = Attributes {
        name: name.to_owned(),
        ..Attributes::resource("impersonate", "", "users")
    };
    if !identities.allow(&user, &attributes) {
        return Err(forbidden(&user, &attributes).into());
    }
    let groups = headers
        .get_all("impersonate-group")
        .iter()
        .filter_map(|v| v.to_str().ok());
    Ok(UserInfo::new(name, groups).authenticated())
}

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
    fn a_refusal_names_the_user_the_verb_and_the_resource() {
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
