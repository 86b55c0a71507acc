//! The flags of `diff`.

use clap::{Args, ValueEnum};

use super::check::percent;
use super::output::OutputFormat;
use crate::config::SourceChoice;

/// `diff`.
#[derive(Debug, Clone, Args)]
pub struct DiffArgs {
    /// The earlier time: RFC 3339, or a time before now: -30m
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub at: String,
    /// The later time, in the same form; now without this flag
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub until: Option<String>,
    /// Compare all namespaces and the nodes; this is the default without --namespace
    #[arg(long, short = 'A')]
    pub all_namespaces: bool,
    /// Show changes of usage from this percentage of the earlier usage on
    #[arg(long, value_name = "PERCENT", default_value = "20", value_parser = percent)]
    pub threshold: f64,
    /// The form of the output
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub output: DiffOutput,
    /// The source of the data
    #[arg(long, value_name = "SOURCE", env = "VITALS_SOURCE")]
    pub source: Option<SourceChoice>,
}

/// The form of the output of `diff`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DiffOutput {
    /// A table.
    Table,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
    /// Comma-separated values.
    Csv,
    /// Tab-separated values.
    Tsv,
}

impl DiffOutput {
    /// The form as other commands have it.
    #[must_use]
    pub const fn format(self) -> OutputFormat {
        match self {
            Self::Table => OutputFormat::Table,
            Self::Json => OutputFormat::Json,
            Self::Yaml => OutputFormat::Yaml,
            Self::Csv => OutputFormat::Csv,
            Self::Tsv => OutputFormat::Tsv,
        }
    }
}
