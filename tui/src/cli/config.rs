//! The flags of `config`, `completion` and `man`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::Shell;

use super::DashboardArgs;

/// What can be done with the configuration.
#[derive(Debug, Clone, Subcommand)]
pub enum ConfigCommand {
    /// Write a commented file that changes nothing yet; never overwrites one
    Init {
        /// The configuration file [default: ~/.config/kubevitals/config.toml]
        #[arg(long, value_name = "PATH", env = "VITALS_CONFIG", hide_env = true)]
        config: Option<PathBuf>,
    },
    /// Print the settings in effect: flags over environment variables over the file
    Show(DashboardArgs),
}

/// For which shell.
#[derive(Debug, Clone, Args)]
pub struct CompletionArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// Where man pages go.
#[derive(Debug, Clone, Args)]
pub struct ManArgs {
    /// Write a page for each command into this folder, instead of printing the first one
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
}
