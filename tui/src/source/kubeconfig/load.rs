//! Loads the certificates and keys of a kubeconfig.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kube::config::{AuthInfo, Cluster, ExecAuthCluster};
use secrecy::ExposeSecret;

use crate::source::Error;
use crate::source::connect::{Identity, Trust};
use crate::source::error_text::reason;

/// Which server certificates are accepted.
pub(super) fn trust(cluster: &Cluster) -> Result<Trust, Error> {
    if cluster.insecure_skip_tls_verify.unwrap_or_default() {
        return Ok(Trust::Any);
    }
    let bundle = data_or_file(
        "certificate-authority",
        cluster.certificate_authority_data.as_deref(),
        cluster.certificate_authority.as_deref(),
    )
    .map_err(Error::Config)?;
    let Some(bundle) = bundle else {
        return Ok(Trust::System);
    };
    Trust::of_pem(&bundle).ok_or_else(|| {
        let why = if String::from_utf8_lossy(&bundle).contains("-----BEGIN ") {
            "no valid certificate authority data seen"
        } else {
            "unable to parse bytes as PEM block"
        };
        Error::Config(format!("unable to load root certificates: {why}"))
    })
}

/// The user, with the cluster information for its credential plugin if it requires it.
pub(super) fn with_cluster_info(cluster: &Cluster, mut user: AuthInfo) -> Result<AuthInfo, Error> {
    if let Some(exec) = user.exec.as_mut().filter(|exec| exec.provide_cluster_info) {
        let info = ExecAuthCluster::try_from(cluster)
            .map_err(|error| Error::Config(format!("cluster information for a plugin: {error}")))?;
        exec.cluster = Some(info);
    }
    Ok(user)
}

/// The client certificate of the user, if there is one.
pub(super) fn identity(
    user: &AuthInfo,
    name: &str,
    file: Option<&Path>,
) -> Result<Identity, Error> {
    let of_user = |why: String| {
        let file = file.map_or_else(String::new, |file| format!(" ({})", file.display()));
        Error::Config(format!(
            "the client certificate of user {name:?}{file}: {why}"
        ))
    };
    let certificate = data_or_file(
        "client-certificate",
        user.client_certificate_data.as_deref(),
        user.client_certificate.as_deref(),
    )
    .map_err(of_user)?;
    let key_data = user
        .client_key_data
        .as_ref()
        .map(ExposeSecret::expose_secret);
    let key = data_or_file("client-key", key_data, user.client_key.as_deref()).map_err(of_user)?;
    let identity = Identity::default();
    if let (Some(certificate), Some(key)) = (certificate, key) {
        identity
            .replace(&certificate, &key)
            .map_err(|why| of_user(why.to_string()))?;
    }
    Ok(identity)
}

/// The content of `FIELD-data`, else of the file that `FIELD` names.
fn data_or_file(
    field: &str,
    data: Option<&str>,
    file: Option<&str>,
) -> Result<Option<Vec<u8>>, String> {
    match (data, file) {
        (Some(data), _) => STANDARD
            .decode(data)
            .map(Some)
            .map_err(|error| format!("{field}-data is not base64: {error}")),
        (None, Some(path)) => std::fs::read(path)
            .map(Some)
            .map_err(|error| format!("unable to read {field} {path}: {}", reason(&error))),
        (None, None) => Ok(None),
    }
}
