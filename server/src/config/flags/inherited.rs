//! The peer's flags that have no meaning here: accepted, and named once at start.

use clap::Args;

/// The peer's flags that have no meaning here: accepted, and named once at start.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Inherited")]
pub struct Inherited {}
