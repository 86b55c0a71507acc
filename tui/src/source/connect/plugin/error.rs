//! Why a credential plugin gave no credential.

use crate::source::connect::identity::IdentityError;

/// Why a plugin gave no credential. What it printed to its standard output is in no text, since that is secret.
#[derive(Debug, Clone, thiserror::Error)]
pub(in crate::source) enum PluginError {
    /// There is no such program.
    #[error("exec: executable {command} not found{}", after_blank_line(.hint))]
    NotFound {
        /// The program.
        command: String,
        /// How to install it, by the kubeconfig.
        hint: String,
    },
    /// It could not be started.
    #[error("exec: executable {command} cannot be started: {why}")]
    NotStarted {
        /// The program.
        command: String,
        /// The system's reason.
        why: String,
    },
    /// It ended with a failure.
    #[error("exec: executable {command} failed with {status}{}", after_colon(.last_line))]
    Failed {
        /// The program.
        command: String,
        /// `exit code 1`, or the signal that ended it.
        status: String,
        /// The last line that it wrote to its standard error.
        last_line: String,
    },
    /// It needs a terminal and there is none.
    #[error("exec: executable {0} needs a terminal: standard input is not a terminal")]
    NoTerminal(String),
    /// Its output is no credential.
    #[error("exec: executable {command}: {why}")]
    NoCredential {
        /// The program.
        command: String,
        /// What is wrong with the output.
        why: String,
    },
    /// Its client certificate cannot be used.
    #[error("exec: executable {command}: client certificate: {why}")]
    Identity {
        /// The program.
        command: String,
        /// Why.
        why: IdentityError,
    },
    /// It was ended before it gave a credential.
    #[error("exec: executable {0} was ended")]
    Ended(String),
}

fn after_blank_line(hint: &str) -> String {
    if hint.is_empty() {
        String::new()
    } else {
        format!("\n\n{hint}")
    }
}

fn after_colon(last_line: &str) -> String {
    if last_line.is_empty() {
        String::new()
    } else {
        format!(": {last_line}")
    }
}
