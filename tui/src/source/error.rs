//! Why a source has no data.

use super::status::Failure;

/// Why a source has no data. Its text is the line (or lines) kubectl prints for the same problem.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kubeconfig, or a flag that overrides it, cannot be used.
    #[error("error: {0}")]
    Config(String),
    /// Several things are wrong in the kubeconfig.
    #[error("Error in configuration: \n{}", list(.0))]
    Configs(Vec<String>),
    /// The chosen context is in no kubeconfig.
    #[error("Error in configuration: context was not found for specified context: {0}")]
    NoContext(String),
    /// Nobody listens at the server's address.
    #[error(
        "The connection to the server {0} was refused - did you specify the right host or port?"
    )]
    Refused(String),
    /// The server cannot be reached, or is not who it should be.
    #[error("Unable to connect to the server: {0}")]
    Unreachable(String),
    /// The server refused the request.
    #[error("{0}")]
    Server(Failure),
    /// What was asked for cannot be put in a request, or the answer cannot be understood.
    #[error("error: {0}")]
    Request(String),
}

impl Error {
    /// The kubeconfig's problems, as many as there are.
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
