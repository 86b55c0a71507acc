//! Why a text is no command.

use crate::model::name::Name;

/// Why a text is no command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// No command has this name.
    #[error("there is no command {0:?}; the nearest is {1}")]
    Unknown(String, String),
    /// The command takes no argument.
    #[error("{0} takes nothing after it")]
    NoArgument(String),
    /// The argument is none of the names that exist.
    #[error("there is no {what} {name:?}; the nearest is {nearest}")]
    NoSuch {
        /// The kind of the name.
        what: &'static str,
        /// The name.
        name: String,
        /// The most similar one.
        nearest: String,
    },
    /// A pod or workload without a namespace.
    #[error("which namespace? Write {0} -n NAMESPACE")]
    NoNamespace(String),
    /// The time is invalid.
    #[error("{0:?} is no time: write it as 2026-07-08T14:05:09Z")]
    Time(String),
    /// The filter is invalid.
    #[error("filter: {0}")]
    Filter(String),
}

/// The name among those that exist.
///
/// # Errors
/// There is no such name.
pub(super) fn one_of(what: &'static str, name: &str, all: &[Name]) -> Result<Name, CommandError> {
    let found = all.iter().find(|other| ***other == *name);
    found.cloned().ok_or_else(|| CommandError::NoSuch {
        what,
        name: name.to_owned(),
        nearest: nearest(name, all.iter().map(|name| &**name)),
    })
}

/// The most similar name, by the number of typing errors, which may be letters that are swapped.
pub(super) fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> String {
    let word = word.to_ascii_lowercase();
    let nearest = names.min_by_key(|name| strsim::damerau_levenshtein(&word, name));
    nearest.unwrap_or("?").to_owned()
}
