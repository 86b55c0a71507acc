//! A user as authentication finds it.

use std::collections::BTreeMap;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use rustls_pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use x509_parser::prelude::{FromDer, X509Certificate};

/// The service account `vitals-server` runs as.
pub const SERVER_ACCOUNT: (&str, &str) = ("kube-system", "vitals-server");

/// The user of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UserInfo {
    /// The user's name. The spec of a SubjectAccessReview has it as `user`.
    #[serde(alias = "user")]
    pub username: String,
    /// The user's uid; empty when there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// The groups it is in.
    pub groups: Vec<String>,
    /// Extra attributes, by key.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, Vec<String>>,
}

impl UserInfo {
    /// A user of this name in these groups.
    pub fn new<'a>(username: &str, groups: impl IntoIterator<Item = &'a str>) -> Self {
        let groups = groups.into_iter().map(str::to_owned).collect();
        Self {
            username: username.to_owned(),
            groups,
            ..Self::default()
        }
    }

    /// A service account.
    pub fn service_account(namespace: &str, name: &str) -> Self {
        Self {
            uid: format!("sa-{namespace}-{name}"),
            groups: vec![
                "system:serviceaccounts".to_owned(),
                format!("system:serviceaccounts:{namespace}"),
            ],
            ..Self::new(&format!("system:serviceaccount:{namespace}:{name}"), [])
        }
    }

    /// The user of a request without credentials.
    pub fn anonymous() -> Self {
        Self::new("system:anonymous", ["system:unauthenticated"])
    }

    /// The same user, and in `system:authenticated`.
    pub fn authenticated(mut self) -> Self {
        if !self.groups.iter().any(|g| g == "system:authenticated") {
            self.groups.push("system:authenticated".to_owned());
        }
        self
    }

    /// Who a (verified) client certificate names: the common name, and the organizations as groups; `None` when it is
    /// damaged or has no common name.
    pub fn of_certificate(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
        let subject = certificate.subject();
        let username = subject.iter_common_name().next()?.as_str().ok()?.to_owned();
        let groups = subject
            .iter_organization()
            .filter_map(|o| Some(o.as_str().ok()?.to_owned()))
            .collect();
        Some(
            Self {
                username,
                groups,
                ..Self::default()
            }
            .authenticated(),
        )
    }
}

/// The bearer token of a request.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::Authority;

    #[test]
    fn a_certificate_names_user_and_groups() {
        let issued = Authority::new("ca")
            .unwrap()
            .issue_client("jane", &["dev", "ops"])
            .unwrap();
        let user = UserInfo::of_certificate(&issued.chain().unwrap()[0]).unwrap();
        assert_eq!(
            user,
            UserInfo::new("jane", ["dev", "ops", "system:authenticated"])
        );
    }
}
