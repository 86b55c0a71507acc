//! The flags of serving, checked.

use super::flags::Serving;
use super::settings::ConfigError;
use crate::tls;

/// What the listener needs.
///
/// # Errors
/// Flags that contradict each other.
pub(super) fn settings(flags: &Serving) -> Result<tls::Settings, ConfigError> {
    if flags.tls_cert_file.is_some() != flags.tls_private_key_file.is_some() {
        return Err(ConfigError::Flag(
            "--tls-cert-file and --tls-private-key-file go together: give both or neither"
                .to_owned(),
        ));
    }
    Ok(tls::Settings {
        certificate: flags
            .tls_cert_file
            .clone()
            .zip(flags.tls_private_key_file.clone()),
        ..tls::Settings::default()
    })
}
