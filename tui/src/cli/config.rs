//! The flags of `config`, `completion` and `man`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::Shell;

use super::DashboardArgs;

/// The commands of `vitals config`.
#[derive(Debug, Clone, Subcommand)]
pub enum ConfigCommand {
    /// Write a commented file with the defaults; never overwrites a file
    Init {
        /// The configuration file [default: ~/.config/kubevitals/config.toml]
        #[arg(long, value_name = "PATH", env = "VITALS_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Print the settings in effect: flags over environment variables over the file
    Show(DashboardArgs),
}

/// The arguments of `completion`.
#[derive(Debug, Clone, Args)]
pub struct CompletionArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// The arguments of `man`.
#[derive(Debug, Clone, Args)]
pub struct ManArgs {
    /// Write a page for each command into this folder, instead of printing the first one
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
}
