//! What can be wrong with a user or a cluster in a kubeconfig, in kubectl's words.

use std::fs::File;

use kube::config::{AuthInfo, Cluster, KubeconfigError, LoadDataError};

use super::files::reason;
use crate::source::Error;

fn set(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}

/// What is wrong with a user.
pub(super) fn user(name: &str, user: &AuthInfo) -> Vec<String> {
    let mut troubles = Vec::new();
    let certificate = set(user.client_certificate.as_ref());
    let certificate_data = set(user.client_certificate_data.as_ref());
    let (key, key_data) = (
        set(user.client_key.as_ref()),
        user.client_key_data.is_some(),
    );
    if certificate.is_some() || certificate_data.is_some() {
        if certificate.is_some() && certificate_data.is_some() {
            troubles.push(format!("client-cert-data and client-cert are both specified for {name}. client-cert-data will override."));
        }
        if key.is_some() && key_data {
            troubles.push(format!("client-key-data and client-key are both specified for {name}; client-key-data will override"));
        }
        if key.is_none() && !key_data {
            troubles.push(format!("client-key-data or client-key must be specified for {name} to use the clientCert authentication method."));
        }
        troubles.extend(certificate.and_then(|path| unreadable("client-cert", path, name)));
        troubles.extend(key.and_then(|path| unreadable("client-key", path, name)));
    }
    if let Some(exec) = &user.exec
        && set(exec.command.as_ref()).is_none()
    {
        troubles.push(format!(
            "command must be specified for {name} to use exec authentication plugin"
        ));
    }
    let basic = set(user.username.as_ref()).is_some() || user.password.is_some();
    if user.token.is_some() && basic {
        troubles.push(format!("more than one authentication method found for {name}; found [token basicAuth], only one is allowed"));
    }
    let more = set(user.impersonate_uid.as_ref()).is_some()
        || user
            .impersonate_groups
            .as_ref()
            .is_some_and(|groups| !groups.is_empty())
        || user
            .impersonate_user_extra
            .as_ref()
            .is_some_and(|extra| !extra.is_empty());
    if more && set(user.impersonate.as_ref()).is_none() {
        troubles.push(format!(
            "requesting uid, groups or user-extra for {name} without impersonating a user"
        ));
    }
    troubles
}

/// What is wrong with a cluster.
pub(super) fn cluster(name: &str, cluster: &Cluster) -> Vec<String> {
    let mut troubles = Vec::new();
    let authority = set(cluster.certificate_authority.as_ref());
    if authority.is_some() && set(cluster.certificate_authority_data.as_ref()).is_some() {
        troubles.push(format!("certificate-authority-data and certificate-authority are both specified for {name}. certificate-authority-data will override."));
    }
    troubles.extend(authority.and_then(|path| unreadable("certificate-authority", path, name)));
    troubles
}

fn unreadable(what: &str, path: &str, name: &str) -> Option<String> {
    let error = File::open(path).err()?;
    Some(format!(
        "unable to read {what} {path} for {name} due to open {path}: {}",
        reason(&error)
    ))
}

/// Reads a token file once, so that a missing one is named before any request.
pub(super) fn token_file(user: &AuthInfo) -> Result<(), Error> {
    match (&user.token, set(user.token_file.as_ref())) {
        (None, Some(path)) => File::open(path)
            .map(drop)
            .map_err(|error| Error::Config(format!("open {path}: {}", reason(&error)))),
        _ => Ok(()),
    }
}

/// Why no certificate was found where the kubeconfig says that the authority's is.
pub(super) fn no_roots(cluster: &Cluster) -> String {
    // What base64 makes of "-----BEGIN ".
    const BEGIN: &str = "LS0tLS1CRUdJTi";
    let is_pem = match set(cluster.certificate_authority_data.as_ref()) {
        Some(data) => data.trim_start().starts_with(BEGIN),
        None => set(cluster.certificate_authority.as_ref())
            .and_then(|path| std::fs::read_to_string(path).ok())
            .is_some_and(|text| text.contains("-----BEGIN ")),
    };
    let why = if is_pem {
        "no valid certificate authority data seen"
    } else {
        "unable to parse bytes as PEM block"
    };
    format!("unable to load root certificates: {why}")
}

/// What kube could not load.
pub(super) fn explain(error: &KubeconfigError) -> String {
    const ROOTS: &str = "unable to load root certificates: unable to parse bytes as PEM block";
    match error {
        KubeconfigError::ParseCertificates(_) => ROOTS.to_owned(),
        KubeconfigError::LoadCertificateAuthority(LoadDataError::DecodeBase64(error)) => {
            format!("certificate-authority-data is not base64: {error}")
        }
        other => other.to_string(),
    }
}
