//! Why a credential plugin gave no credential.

use crate::source::connect::identity::IdentityError;

/// Why a plugin returned no credential. No text contains its standard output, which is secret.
#[derive(Debug, Clone, thiserror::Error)]
pub(in crate::source) enum PluginError {
    /// The program does not exist.
    #[error("exec: executable {command} not found{}", after("\n\n", .hint))]
    NotFound {
        /// The program.
        command: String,
        /// The install hint in the kubeconfig.
        hint: String,
    },
    /// The program could not be started.
    #[error("exec: executable {command} cannot be started: {why}")]
    NotStarted {
        /// The program.
        command: String,
        /// The system's reason.
        why: String,
    },
    /// The program failed.
    #[error("exec: executable {command} failed with {status}{}", after(": ", .last_line))]
    Failed {
        /// The program.
        command: String,
        /// `exit code 1`, or the signal that ended it.
        status: String,
        /// The last line of its standard error.
        last_line: String,
    },
    /// The program needs a terminal, and there is none.
    #[error("exec: executable {0} needs a terminal: standard input is not a terminal")]
    NoTerminal(String),
    /// The output is not a credential.
    #[error("exec: executable {command}: {why}")]
    NoCredential {
        /// The program.
        command: String,
        /// What is wrong with the output.
        why: String,
    },
    /// The client certificate cannot be used.
    #[error("exec: executable {command}: client certificate: {why}")]
    Identity {
        /// The program.
        command: String,
        /// The reason.
        why: IdentityError,
    },
    /// The run was aborted.
    #[error("exec: executable {0} was ended")]
    Ended(String),
}

/// The separator and the text; empty for an empty text.
fn after(separator: &str, text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("{separator}{text}")
    }
}
