//! A credential as one request uses it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::header::InvalidHeaderValue;
use secrecy::{ExposeSecret, SecretString};

/// A credential as one request uses it.
#[derive(Debug, Clone, Default)]
pub(in crate::source) struct Credential {
    /// The header; none with a client certificate.
    pub(super) header: Option<HeaderValue>,
    /// Counts the credentials of this origin.
    pub(super) version: u64,
}

/// A header with a secret, marked as sensitive so that it is not printed.
pub(super) fn header(scheme: &str, secret: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::try_from(format!("{scheme} {secret}"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The header of a login.
pub(super) fn basic(
    user: &str,
    password: &SecretString,
) -> Result<HeaderValue, InvalidHeaderValue> {
    let login = STANDARD.encode(format!("{user}:{}", password.expose_secret()));
    header("Basic", &login)
}
