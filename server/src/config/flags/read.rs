//! Parses the command line. An error is one line.

use std::error::Error as _;
use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Error, FromArgMatches};

use super::Flags;
use crate::flag_values::without_empty;

/// What the program does for a command line.
#[derive(Debug)]
pub enum Invocation {
    /// Serves with these flags.
    Serve(Box<Flags>),
    /// Prints this text and ends.
    Print(String),
}

impl Flags {
    /// Parses a command line that starts with the program's name.
    ///
    /// # Errors
    /// A flag or value is invalid; one line for the user.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Invocation, String> {
        let command = Self::command();
        let mut matches = match command.clone().try_get_matches_from(arguments) {
            Ok(matches) => matches,
            Err(error) if error.kind() == ErrorKind::DisplayHelp => {
                return Ok(Invocation::Print(error.to_string()));
            }
            Err(error) => return Err(line(&error)),
        };
        without_empty(&command, &mut matches);
        let flags = Self::from_arg_matches(&matches).map_err(|error| line(&error))?;
        if flags.general.version {
            let version = concat!("vitals-server ", env!("CARGO_PKG_VERSION"), "\n");
            return Ok(Invocation::Print(version.to_owned()));
        }
        Ok(Invocation::Serve(Box::new(flags)))
    }
}

/// Renders an error of clap as one line for the user.
fn line(error: &Error) -> String {
    let of = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.as_str(),
        _ => "",
    };
    // clap names a flag together with its value: `--name <VALUE>`, `--name[=<VALUE>]`.
    let (named, value) = (of(ContextKind::InvalidArg), of(ContextKind::InvalidValue));
    let flag = named.split([' ', '[', '=']).next().unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument if !named.starts_with('-') => {
            format!(
                "unexpected argument {named:?}: there are only flags; write --flag=false to turn off a switch"
            )
        }
        ErrorKind::UnknownArgument => match of(ContextKind::SuggestedArg) {
            "" => format!("unknown flag {flag}; --help lists all"),
            near => format!("unknown flag {flag}; did you mean {near}?"),
        },
        ErrorKind::InvalidValue if value.is_empty() => format!("{flag} needs a value"),
        ErrorKind::ValueValidation | ErrorKind::InvalidValue => {
            let cause = error
                .source()
                .map(|cause| format!(": {cause}"))
                .unwrap_or_default();
            format!("{flag}={value:?}{cause}")
        }
        _ => {
            let text = error.to_string();
            let lines = text
                .lines()
                .map(str::trim)
                .take_while(|line| !line.starts_with("Usage:"));
            let joined: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
            joined.join(" ").trim_start_matches("error: ").to_owned()
        }
    }
}
