//! About the program.

use clap::{ArgAction, Args};

/// About the program.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "General")]
pub struct General {
    /// Say what there is.
    #[arg(short = 'h', long, action = ArgAction::HelpShort)]
    help: Option<bool>,

    /// Say which version this is.
    #[arg(long)]
    pub version: bool,
}
