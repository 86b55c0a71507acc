//! Why the configuration cannot be used.

use std::io;
use std::path::{Path, PathBuf};

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Values are invalid.
    #[error("{}", lines(path, wrong))]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The invalid values, in the order of the file.
        wrong: Vec<Wrong>,
    },
}

/// An invalid value in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The line, counted from one.
    pub line: usize,
    /// The error.
    pub message: String,
}

fn lines(path: &Path, wrong: &[Wrong]) -> String {
    let lines = wrong
        .iter()
        .map(|wrong| format!("{}:{}: {}", path.display(), wrong.line, wrong.message));
    lines.collect::<Vec<_>>().join("\n")
}
