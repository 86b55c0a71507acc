//! Who asks.

use clap::Args;

/// Who asks.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Authentication")]
pub struct Authentication {}
