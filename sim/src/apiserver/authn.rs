//! Authentication: client certificate, bearer token, anonymous; and impersonation by an administrator.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use kubevitals_proto::wire::status::Status;

use super::connections::Peer;
use super::status::Refusal;
use crate::identity::{Attributes, Identities, UserInfo};

/// The user of a request. rustls has verified the client certificate, if there is one.
pub(super) fn authenticate(
    identities: &Identities,
    peer: &Peer,
    headers: &HeaderMap,
) -> Result<UserInfo, Refusal> {
    let by_certificate = peer.certificates.first().and_then(UserInfo::of_certificate);
    let user = match (by_certificate, bearer(headers)) {
        (Some(user), _) => user,
        (None, Some(token)) => identities
            .authenticate(token)
            .ok_or_else(Status::unauthorized)?,
        (None, None) => UserInfo::anonymous(),
    };
    impersonate(identities, user, headers)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
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
        return Err(super::authz::forbidden(&user, &attributes).into());
    }
    let groups = headers
        .get_all("impersonate-group")
        .iter()
        .filter_map(|v| v.to_str().ok());
    Ok(UserInfo::new(name, groups).authenticated())
}
