//! What kubelets are shown and must show: the flags' credentials, and without those the API server's.

use kube::Config;
use secrecy::ExposeSecret;

use super::error::ConfigError;
use crate::scrape::{Credentials, KubeletFlags, Pem, Token, Trust};
use crate::state::PeerCredentials;

/// The flags' credentials; what they leave open comes from `kube`.
///
/// # Errors
/// What of the kubeconfig cannot be shown to kubelets, or used at all.
pub(super) fn credentials(flags: &KubeletFlags, kube: &Config) -> Result<Credentials, ConfigError> {
    if flags.deprecated_kubelet_completely_insecure {
        return Ok(Credentials::new(Trust::Anything, None, Token::None));
    }
    let trust = if flags.kubelet_insecure_tls {
        Trust::Anything
    } else if let Some(path) = &flags.kubelet_certificate_authority {
        Trust::Ca(Pem::File(path.clone()))
    } else {
        trust(kube)?
    };
    let (identity, token) = match (&flags.kubelet_client_certificate, &flags.kubelet_client_key) {
        // The token may do more than read from kubelets: no node sees it that need not.
        (Some(certificate), Some(key)) => {
            let files = (Pem::File(certificate.clone()), Pem::File(key.clone()));
            (Some(files), Token::None)
        }
        _ => {
            showable(kube)?;
            (identity(kube)?, token(kube)?)
        }
    };
    Ok(Credentials::new(trust, identity, token))
}

/// What other replicas are shown: what the API server is. Nothing if that cannot be shown to others.
pub(super) fn to_peers(kube: &Config) -> Option<PeerCredentials> {
    showable(kube).ok()?;
    let (identity, token) = (identity(kube).ok()?, token(kube).ok()?);
    Some(PeerCredentials { identity, token })
}

/// The API server's CA, which in most clusters signs the kubelets' certificates too.
fn trust(kube: &Config) -> Result<Trust, ConfigError> {
    if let Some(path) = &kube.root_cert_file {
        return Ok(Trust::Ca(Pem::File(path.clone())));
    }
    let Some(certificates) = &kube.root_cert else {
        return Err(ConfigError::Flag(
            "the kubeconfig names no CA: give --kubelet-certificate-authority, or --kubelet-insecure-tls on a test cluster"
                .to_owned(),
        ));
    };
    let pem: String = certificates
        .iter()
        .map(|der| certificate_pem(der))
        .collect();
    Ok(Trust::Ca(Pem::Inline(pem.into_bytes())))
}

fn certificate_pem(der: &[u8]) -> String {
    use base64::Engine as _;
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
}

fn identity(kube: &Config) -> Result<Option<(Pem, Pem)>, ConfigError> {
    use base64::Engine as _;
    let auth = &kube.auth_info;
    let pem = |data: Option<&str>, path: Option<&String>, member: &str| match (data, path) {
        (Some(data), _) => base64::engine::general_purpose::STANDARD
            .decode(data.trim())
            .map(|bytes| Some(Pem::Inline(bytes)))
            .map_err(|error| {
                ConfigError::Flag(format!(
                    "the kubeconfig's {member}-data is no base64: {error}"
                ))
            }),
        (None, path) => Ok(path.map(|path| Pem::File(path.into()))),
    };
    let certificate = pem(
        auth.client_certificate_data.as_deref(),
        auth.client_certificate.as_ref(),
        "client-certificate",
    )?;
    let key = pem(
        auth.client_key_data
            .as_ref()
            .map(ExposeSecret::expose_secret),
        auth.client_key.as_ref(),
        "client-key",
    )?;
    Ok(certificate.zip(key))
}

fn token(kube: &Config) -> Result<Token, ConfigError> {
    Ok(match (&kube.auth_info.token_file, &kube.auth_info.token) {
        (Some(path), _) => Token::File(path.into()),
        (None, Some(token)) => Token::fixed(token.expose_secret())?,
        (None, None) => Token::None,
    })
}

/// Kubelets are shown the API server's credentials, which must be such as can be shown.
fn showable(kube: &Config) -> Result<(), ConfigError> {
    let auth = &kube.auth_info;
    let what = if auth.exec.is_some() {
        "a credential plugin (exec)"
    } else if auth.auth_provider.is_some() {
        "an auth provider"
    } else if auth.password.is_some() {
        "a password"
    } else {
        return Ok(());
    };
    Err(ConfigError::Flag(format!(
        "the kubeconfig's user has {what}, which kubelets do not take: use one with a token or a client certificate, \
         or give --kubelet-client-certificate and --kubelet-client-key"
    )))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::Flags;

    /// What kubelets are shown with these flags and a kubeconfig with a token. Its own words, without the secrets.
    fn shown(flags: &[&str]) -> String {
        let flags = ["vitals-server", "--kubelet-insecure-tls"]
            .iter()
            .chain(flags);
        let flags = Flags::try_parse_from(flags).unwrap();
        let mut kube = Config::new("https://localhost".parse().unwrap());
        kube.auth_info.token = Some("token".to_owned().into());
        format!("{:?}", credentials(&flags.kubelets, &kube).unwrap())
    }

    #[test]
    fn kubelets_that_are_shown_a_certificate_are_shown_no_token() {
        assert!(shown(&[]).contains("token: Fixed("));
        let certificate = [
            "--kubelet-client-certificate=certificate.pem",
            "--kubelet-client-key=key.pem",
        ];
        let shown = shown(&certificate);
        assert!(
            shown.contains("certificate.pem") && shown.contains("token: None"),
            "{shown}"
        );
    }
}
