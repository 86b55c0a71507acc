//! Flags of the program.

use clap::{ArgAction, Args};

/// The flags of the program.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "General")]
pub struct General {
    /// Print this help.
    #[arg(short = 'h', long, action = ArgAction::HelpShort)]
    help: Option<bool>,

    /// Print the version.
    #[arg(long)]
    pub version: bool,
}
