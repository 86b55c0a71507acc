//! The credentials for kubelets and the CA that verifies them: those of the flags, else those of the API server.

use kube::Config;
use secrecy::ExposeSecret;

use super::error::ConfigError;
use crate::scrape::{Credentials, KubeletFlags, Pem, Token, Trust};
use crate::state::PeerCredentials;
use crate::tls::pem_of;

/// The credentials of the flags; what is not set comes from `kube`.
///
/// # Errors
/// The kubeconfig has a credential that kubelets do not accept, or that is invalid.
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
        // The token has further permissions, so a node gets it only if necessary.
        (Some(certificate), Some(key)) => {
            let files = (Pem::File(certificate.clone()), Pem::File(key.clone()));
            (Some(files), Token::None)
        }
        _ => {
            check_shareable(kube)?;
            (identity(kube)?, token(kube)?)
        }
    };
    Ok(Credentials::new(trust, identity, token))
}

/// The credentials for other replicas: those for the API server. None if they cannot be sent to others.
pub(super) fn to_peers(kube: &Config) -> Option<PeerCredentials> {
    check_shareable(kube).ok()?;
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
            "the kubeconfig has no CA: set --kubelet-certificate-authority, or --kubelet-insecure-tls on a test cluster"
                .to_owned(),
        ));
    };
    let pem: String = certificates
        .iter()
        .map(|der| pem_of(&der.as_slice().into()))
        .collect();
    Ok(Trust::Ca(Pem::Inline(pem.into_bytes())))
}

fn identity(kube: &Config) -> Result<Option<(Pem, Pem)>, ConfigError> {
    use base64::Engine as _;
    let auth = &kube.auth_info;
    let pem = |data: Option<&str>, path: Option<&String>, member: &str| {
        let Some(data) = data else {
            return Ok(path.map(|path| Pem::File(path.into())));
        };
        let bytes = base64::engine::general_purpose::STANDARD.decode(data.trim());
        bytes
            .map(|bytes| Some(Pem::Inline(bytes)))
            .map_err(|error| format!("the kubeconfig's {member}-data is not base64: {error}"))
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

/// Returns an error for a credential of the API server that kubelets do not accept.
fn check_shareable(kube: &Config) -> Result<(), ConfigError> {
    let auth = &kube.auth_info;
    let credential = if auth.exec.is_some() {
        "a credential plugin (exec)"
    } else if auth.auth_provider.is_some() {
        "an auth provider"
    } else if auth.password.is_some() {
        "a password"
    } else {
        return Ok(());
    };
    Err(ConfigError::Flag(format!(
        "the kubeconfig's user has {credential}, which kubelets do not accept: use one with a token or a client \
         certificate, or set --kubelet-client-certificate and --kubelet-client-key"
    )))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::Flags;

    /// The credentials for these flags and a kubeconfig with a token, in the debug format, which leaves out secrets.
    fn debug_credentials(flags: &[&str]) -> String {
        let flags = ["vitals-server", "--kubelet-insecure-tls"]
            .iter()
            .chain(flags);
        let flags = Flags::try_parse_from(flags).unwrap();
        let mut kube = Config::new("https://localhost".parse().unwrap());
        kube.auth_info.token = Some("token".to_owned().into());
        format!("{:?}", credentials(&flags.kubelets, &kube).unwrap())
    }

    #[test]
    fn kubelets_that_get_a_certificate_get_no_token() {
        assert!(debug_credentials(&[]).contains("token: Fixed("));
        let certificate = [
            "--kubelet-client-certificate=certificate.pem",
            "--kubelet-client-key=key.pem",
        ];
        let credentials = debug_credentials(&certificate);
        assert!(
            credentials.contains("certificate.pem") && credentials.contains("token: None"),
            "{credentials}"
        );
    }
}
