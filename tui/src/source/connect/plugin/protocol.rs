//! The protocol of credential plugins: `KUBERNETES_EXEC_INFO` and `ExecCredential`.

use http::HeaderValue;
use jiff::Timestamp;
use kube::config::{ExecAuthCluster, ExecConfig};
use serde::{Deserialize, Serialize};

use super::error::Failure;
use crate::source::connect::credential::header;
use crate::source::connect::identity::Identity;

/// A credential, apart from a client certificate.
pub(super) struct PluginCredential {
    /// `Authorization`; none with a client certificate.
    pub(super) header: Option<HeaderValue>,
    /// The expiry; none if the credential does not expire.
    pub(super) expires: Option<Timestamp>,
}

/// The value of `KUBERNETES_EXEC_INFO`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExecInfo<'a> {
    kind: &'static str,
    api_version: &'a str,
    spec: ExecInfoSpec<'a>,
}

#[derive(Serialize)]
struct ExecInfoSpec<'a> {
    interactive: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<ExecInfoCluster<'a>>,
}

/// The cluster. client-go writes `config: null` if there is no config.
#[derive(Serialize)]
struct ExecInfoCluster<'a> {
    #[serde(flatten)]
    cluster: &'a ExecAuthCluster,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<serde_json::Value>,
}

impl<'a> ExecInfoCluster<'a> {
    fn of(cluster: &'a ExecAuthCluster) -> Self {
        let config = cluster.config.is_none().then_some(serde_json::Value::Null);
        Self { cluster, config }
    }
}

/// The output of a plugin.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecCredential {
    #[serde(default)]
    api_version: String,
    status: Option<Status>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    expiration_timestamp: Option<String>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// The value of `KUBERNETES_EXEC_INFO`.
pub(super) fn exec_info(exec: &ExecConfig, interactive: bool) -> String {
    serde_json::to_string(&ExecInfo {
        kind: "ExecCredential",
        api_version: exec.api_version.as_deref().unwrap_or_default(),
        spec: ExecInfoSpec {
            interactive,
            cluster: exec.cluster.as_ref().map(ExecInfoCluster::of),
        },
    })
    .unwrap_or_default()
}

/// Parses the output of a plugin and stores its client certificate in the identity.
///
/// # Errors
/// The output is invalid. The text contains nothing of it.
pub(super) fn read(
    exec: &ExecConfig,
    output: &[u8],
    identity: &Identity,
) -> Result<PluginCredential, Failure> {
    let no_credential = |why: &str| Failure::NoCredential(why.to_owned());
    let credential: ExecCredential = serde_json::from_slice(output)
        .map_err(|_| no_credential("its output is not an ExecCredential in JSON"))?;
    let expected = exec.api_version.as_deref().unwrap_or_default();
    if credential.api_version != expected {
        return Err(no_credential(&format!(
            "exec plugin is configured to use API version {expected}, but returned another one"
        )));
    }
    let status = credential
        .status
        .ok_or_else(|| no_credential("exec plugin didn't return a status field"))?;
    let non_empty = |text: Option<String>| text.filter(|text| !text.is_empty());
    let token = non_empty(status.token);
    match (
        non_empty(status.client_certificate_data),
        non_empty(status.client_key_data),
    ) {
        (Some(certificate), Some(key)) => {
            identity.replace(certificate.as_bytes(), key.as_bytes())?;
        }
        (None, None) if token.is_none() => {
            return Err(no_credential(
                "exec plugin didn't return a token or cert/key pair",
            ));
        }
        (None, None) => {}
        _ => {
            return Err(no_credential(
                "exec plugin returned only certificate or key, not both",
            ));
        }
    }
    let expires = non_empty(status.expiration_timestamp)
        .map(|text| text.parse::<Timestamp>())
        .transpose()
        .map_err(|_| no_credential("its expirationTimestamp is not a timestamp"))?;
    let header = token
        .map(|token| header("Bearer", token.trim()))
        .transpose()
        .map_err(|_| no_credential("its token has characters that a header cannot carry"))?;
    Ok(PluginCredential { header, expires })
}
