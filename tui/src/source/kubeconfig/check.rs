//! Checks users and clusters of a kubeconfig, with kubectl's texts.

use std::fs::File;

use kube::config::{AuthInfo, Cluster};

use crate::source::error_text::reason;

/// The problems of a user.
pub(super) fn user(name: &str, user: &AuthInfo) -> Vec<String> {
    let mut problems = Vec::new();
    let certificate = user.client_certificate.as_deref();
    let certificate_data = user.client_certificate_data.as_deref();
    let (key, key_data) = (user.client_key.as_deref(), user.client_key_data.is_some());
    if certificate.is_some() || certificate_data.is_some() {
        if certificate.is_some() && certificate_data.is_some() {
            problems.push(format!("client-cert-data and client-cert are both specified for {name}. client-cert-data will override."));
        }
        if key.is_some() && key_data {
            problems.push(format!("client-key-data and client-key are both specified for {name}; client-key-data will override"));
        }
        if key.is_none() && !key_data {
            problems.push(format!("client-key-data or client-key must be specified for {name} to use the clientCert authentication method."));
        }
        problems.extend(certificate.and_then(|path| unreadable("client-cert", path, name)));
        problems.extend(key.and_then(|path| unreadable("client-key", path, name)));
    }
    if let Some(exec) = &user.exec {
        let version = exec.api_version.as_deref().unwrap_or_default();
        // Versions before v1 have a default: IfAvailable.
        let no_mode = exec.interactive_mode.is_none() && version.ends_with("/v1");
        for (missing, field) in [
            (
                exec.command.as_deref().unwrap_or_default().is_empty(),
                "command",
            ),
            (version.is_empty(), "apiVersion"),
            (no_mode, "interactiveMode"),
        ] {
            if missing {
                problems.push(format!(
                    "{field} must be specified for {name} to use exec authentication plugin"
                ));
            }
        }
    }
    let basic = user.username.as_deref().is_some() || user.password.is_some();
    if user.token.is_some() && basic {
        problems.push(format!("more than one authentication method found for {name}; found [token basicAuth], only one is allowed"));
    }
    let more = user.impersonate_uid.as_deref().is_some()
        || user
            .impersonate_groups
            .as_ref()
            .is_some_and(|groups| !groups.is_empty())
        || user
            .impersonate_user_extra
            .as_ref()
            .is_some_and(|extra| !extra.is_empty());
    if more && user.impersonate.as_deref().is_none() {
        problems.push(format!(
            "requesting uid, groups or user-extra for {name} without impersonating a user"
        ));
    }
    problems
}

/// The problems of a cluster.
pub(super) fn cluster(name: &str, cluster: &Cluster) -> Vec<String> {
    let mut problems = Vec::new();
    let authority = cluster.certificate_authority.as_deref();
    if authority.is_some() && cluster.certificate_authority_data.as_deref().is_some() {
        problems.push(format!("certificate-authority-data and certificate-authority are both specified for {name}. certificate-authority-data will override."));
    }
    problems.extend(authority.and_then(|path| unreadable("certificate-authority", path, name)));
    problems
}

fn unreadable(field: &str, path: &str, name: &str) -> Option<String> {
    let error = File::open(path).err()?;
    Some(format!(
        "unable to read {field} {path} for {name} due to open {path}: {}",
        reason(&error)
    ))
}
