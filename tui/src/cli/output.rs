//! The flags of the output, for commands that print records.

use clap::{Args, ValueEnum};

/// The form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum OutputFormat {
    /// A table.
    #[default]
    Table,
    /// A table with all columns.
    Wide,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
    /// Comma-separated values.
    Csv,
    /// Tab-separated values.
    Tsv,
    /// The names of the objects, one in a line.
    Name,
}

/// The form of the output.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct OutputArgs {
    /// The form of the output
    #[arg(long, short, value_name = "FORMAT")]
    pub output: Option<OutputFormat>,
    /// Print output without headers
    #[arg(long)]
    pub no_headers: bool,
}

impl OutputArgs {
    /// The form of the output.
    #[must_use]
    pub fn format(&self) -> OutputFormat {
        self.output.unwrap_or_default()
    }
}
