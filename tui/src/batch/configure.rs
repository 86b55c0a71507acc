//! `vitals config`, `completion` and `man`: output from the definitions of settings and flags.

use std::io;
use std::path::Path;

use clap_complete::Shell;

use super::{Error, Streams};
use crate::cli::{self, CompletionArgs, ConfigCommand, ManArgs};
use crate::config::{self, init, locate};

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Writes a configuration file, or prints the settings in effect.
///
/// # Errors
/// The file cannot be read or written, or is invalid.
pub fn config(command: &ConfigCommand, streams: &mut Streams<'_>) -> Result<(), Error> {
    match command {
        ConfigCommand::Init { config } => {
            let location = locate(config.as_deref(), &env);
            let location = location.ok_or_else(|| {
                Error::Flag(
                    "no home directory for the configuration: name a file with --config".to_owned(),
                )
            })?;
            init(&location.path).map_err(|error| Error::Flag(error.to_string()))?;
            writeln!(
                streams.out,
                "wrote {}: all lines are comments, so nothing changes until you edit it",
                location.path.display()
            )?;
        }
        ConfigCommand::Show(args) => {
            let settings = args
                .settings(env)
                .map_err(|error| Error::Flag(error.to_string()))?;
            streams.out.write_all(config::show(&settings).as_bytes())?;
        }
    }
    Ok(())
}

/// Prints the completions for a shell. Those for bash, zsh and fish request each word from the program, which also knows
/// the names in the cluster; others have the commands and flags only.
///
/// # Errors
/// The output cannot be written.
pub fn completion(args: &CompletionArgs, streams: &mut Streams<'_>) -> Result<(), Error> {
    let script = match args.shell {
        Shell::Bash => include_str!("completion/vitals.bash"),
        Shell::Zsh => include_str!("completion/_vitals"),
        Shell::Fish => include_str!("completion/vitals.fish"),
        other => {
            let mut text = Vec::new();
            clap_complete::generate(other, &mut cli::command("vitals"), "vitals", &mut text);
            return Ok(streams.out.write_all(&text)?);
        }
    };
    Ok(streams.out.write_all(script.as_bytes())?)
}

/// Prints the man page, or writes one for each command.
///
/// # Errors
/// The output cannot be written.
pub fn man(args: &ManArgs, streams: &mut Streams<'_>) -> Result<(), Error> {
    match &args.out {
        Some(folder) => pages(folder).map_err(|error| {
            Error::Flag(format!("cannot write into {}: {error}", folder.display()))
        }),
        None => {
            let mut text = Vec::new();
            clap_mangen::Man::new(cli::command("vitals")).render(&mut text)?;
            Ok(streams.out.write_all(&text)?)
        }
    }
}

fn pages(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(cli::command("vitals"), folder)
}
