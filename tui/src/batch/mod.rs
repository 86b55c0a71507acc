//! Commands that print and exit, the tables of the demo, and the commands about the program itself.

pub mod check;
pub mod complete;
pub mod configure;
pub mod describe;
pub mod diff;
mod gosort;
pub mod history;
pub mod output;
pub mod plain;
pub mod rightsize;
pub mod rows;
mod tabwriter;
pub mod top;
mod vitals;
pub mod why;

pub use gosort::Ties;

use std::io::{self, ErrorKind, Write};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The source has no data.
    #[error(transparent)]
    Source(#[from] crate::source::Error),
    /// The command failed; the text is kubectl's if kubectl has the command.
    #[error("error: {0}")]
    Failed(String),
    /// A flag that kubectl does not have is invalid.
    #[error("error: {0}")]
    Flag(String),
    /// The server denied the request; the text says which permission is missing.
    #[error("{0}")]
    Refused(String),
    /// A check cannot tell whether the cluster is well.
    #[error(transparent)]
    CannotTell(Box<Self>),
    /// The output cannot be written.
    #[error("error: cannot write: {0}")]
    Output(#[from] io::Error),
}

impl Error {
    /// The exit code: 1 as in kubectl, but 2 for flags that kubectl does not have, and 3 if a check cannot tell.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Flag(_) => 2,
            Self::CannotTell(_) => 3,
            _ => 1,
        }
    }

    /// Whether the reader of the output closed it, which is not an error.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == ErrorKind::BrokenPipe)
    }
}

/// The output streams of a command.
pub struct Streams<'a> {
    /// The result.
    pub out: &'a mut dyn Write,
    /// Messages.
    pub err: &'a mut dyn Write,
}
