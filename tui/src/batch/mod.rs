//! Commands that print and end: `top`, `why`, the plain tables of the demo, and those about the program itself.

pub mod configure;
mod gosort;
mod tabwriter;
pub mod top;
pub mod why;

pub use gosort::Ties;

use std::io::{self, ErrorKind, Write};

/// Why a command ended without having done what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no data.
    #[error(transparent)]
    Source(#[from] crate::source::Error),
    /// The command line asks for what cannot be.
    #[error("error: {0}")]
    Usage(String),
    /// A flag cannot be followed, and kubectl has no word for it.
    #[error("error: {0}")]
    Flag(String),
    /// The demo cannot be shown.
    #[error("error: {0}")]
    Demo(String),
    /// The data are not there yet.
    #[error("error: {0}")]
    NoMetrics(String),
    /// There is no such object, or the server does not know it yet: the question was not answered.
    #[error("error: {0}")]
    NotFound(String),
    /// The server refused; what can be done about it is said too.
    #[error("{0}")]
    Refused(String),
    /// The output cannot be written.
    #[error("error: cannot write: {0}")]
    Output(#[from] io::Error),
}

impl Error {
    /// What the program ends with: kubectl's 1, but 2 for flags that are only ours.
    pub fn exit_code(&self) -> u8 {
        if matches!(self, Self::Flag(_)) { 2 } else { 1 }
    }

    /// Whether the reader of the output went away, which is no one's fault.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == ErrorKind::BrokenPipe)
    }
}

/// Where a command prints.
pub struct Streams<'a> {
    /// What was asked for.
    pub out: &'a mut dyn Write,
    /// Remarks.
    pub err: &'a mut dyn Write,
}
