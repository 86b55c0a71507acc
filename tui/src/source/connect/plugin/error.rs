//! Why a credential plugin returned no credential.

use crate::source::connect::identity::IdentityError;

/// Why a plugin returned no credential. No text contains its standard output, which is secret.
#[derive(Debug, Clone, thiserror::Error)]
#[error("exec: executable {command}{failure}")]
pub(in crate::source) struct PluginError {
    /// The program.
    pub(super) command: String,
    #[source]
    pub(super) failure: Failure,
}

/// Why a program returned no credential. The text follows the name of the program.
#[derive(Debug, Clone, thiserror::Error)]
pub(in crate::source) enum Failure {
    /// The program does not exist. The kubeconfig has the install hint.
    #[error(" not found{}", after("\n\n", .0))]
    NotFound(String),
    /// The program could not be started, for the system's reason.
    #[error(" cannot be started: {0}")]
    NotStarted(String),
    /// The program failed.
    #[error(" failed with {status}{}", after(": ", .last_line))]
    Failed {
        /// `exit code 1`, or the signal that ended it.
        status: String,
        /// The last line of its standard error.
        last_line: String,
    },
    /// The program needs a terminal, and there is none.
    #[error(" needs a terminal: standard input is not a terminal")]
    NoTerminal,
    /// The output is not a credential. The text says what is wrong with it.
    #[error(": {0}")]
    NoCredential(String),
    /// The client certificate cannot be used.
    #[error(": client certificate: {0}")]
    Identity(#[from] IdentityError),
    /// The run was aborted.
    #[error(" was ended")]
    Ended,
}

/// The separator and the text; empty for an empty text.
fn after(separator: &str, text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("{separator}{text}")
    }
}
