//! May they.

use clap::Args;

/// May they.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Authorization")]
pub struct Authorization {}
