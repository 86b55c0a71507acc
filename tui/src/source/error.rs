//! Why a source has no data.

use super::status::Failure;

/// Why a source has no data. The text is the one that kubectl prints.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kubeconfig, or a flag that overrides it, cannot be used.
    #[error("error: {0}")]
    Config(String),
    /// The kubeconfig has several problems.
    #[error("Error in configuration: \n{}", list(.0))]
    Configs(Vec<String>),
    /// No kubeconfig has the chosen context.
    #[error("Error in configuration: context was not found for specified context: {0}")]
    NoContext(String),
    /// The server refused the connection.
    #[error(
        "The connection to the server {0} was refused - did you specify the right host or port?"
    )]
    Refused(String),
    /// The server cannot be reached, or its certificate is not accepted.
    #[error("Unable to connect to the server: {0}")]
    Unreachable(String),
    /// The server returned a failure.
    #[error("{0}")]
    Server(Failure),
    /// The request cannot be encoded, or the response cannot be parsed.
    #[error("error: {0}")]
    Request(String),
}

impl Error {
    /// The error for a response that cannot be parsed.
    pub(super) fn unreadable(error: impl std::fmt::Display) -> Self {
        Self::Request(format!("the server's answer cannot be understood: {error}"))
    }

    /// Fails with all problems of the kubeconfig, if there are any.
    pub(super) fn of_config(mut problems: Vec<String>) -> Result<(), Self> {
        match problems.len() {
            0 => Ok(()),
            1 => Err(Self::Config(problems.swap_remove(0))),
            _ => Err(Self::Configs(problems)),
        }
    }
}

fn list(problems: &[String]) -> String {
    problems
        .iter()
        .map(|problem| format!("* {problem}\n"))
        .collect()
}
