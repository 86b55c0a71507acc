//! The flags of `get`, and those that `top` has beside kubectl's.

use clap::{Args, ValueEnum};

use super::output::OutputFormat;
use crate::config::SourceChoice;
use crate::model::{Grouping, Stat, View};

/// The tables of `get`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GetResource {
    /// Pods.
    #[value(aliases = ["pod", "po"])]
    Pods,
    /// Nodes.
    #[value(aliases = ["node", "no"])]
    Nodes,
    /// Containers.
    #[value(aliases = ["container", "ctr"])]
    Containers,
    /// Workloads: Deployments, StatefulSets, DaemonSets, Jobs and other owners of pods.
    #[value(aliases = ["workload"])]
    Workloads,
    /// Namespaces.
    #[value(aliases = ["namespace", "ns"])]
    Namespaces,
    /// Horizontal pod autoscalers.
    #[value(aliases = ["hpa", "horizontalpodautoscalers"])]
    Hpas,
    /// Incidents.
    #[value(aliases = ["incident", "inc"])]
    Incidents,
    /// PersistentVolumeClaims and how full their volumes are.
    #[value(aliases = ["volume", "pvc", "persistentvolumeclaims"])]
    Volumes,
    /// Probes that are not passing; --filter 'probe=passing' shows others.
    #[value(aliases = ["probe"])]
    Probes,
}

impl GetResource {
    /// The view with the same rows.
    #[must_use]
    pub const fn view(self) -> View {
        match self {
            Self::Pods => View::Pods,
            Self::Nodes => View::Nodes,
            Self::Containers => View::Containers,
            Self::Workloads => View::Workloads,
            Self::Namespaces => View::Namespaces,
            Self::Hpas => View::Hpas,
            Self::Incidents => View::Incidents,
            Self::Volumes => View::Volumes,
            Self::Probes => View::Probes,
        }
    }
}

/// `get`.
#[derive(Debug, Clone, Args)]
pub struct GetArgs {
    /// The table
    #[arg(value_name = "TABLE")]
    pub resource: GetResource,
    /// The objects to show; without names, all
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Show the objects of all namespaces
    #[arg(long, short = 'A')]
    pub all_namespaces: bool,
    /// Show when workloads were up and down, the worst first: over 30 days, or over --span (1h, 24h, 7d)
    #[arg(long)]
    pub availability: bool,
    /// Selector (label query) to filter on: =, ==, !=, in, notin, gt, lt
    #[arg(long, short = 'l', value_name = "QUERY")]
    pub selector: Option<String>,
    /// Selector (field query) to filter on: =, ==, !=; the server decides which fields it knows
    #[arg(long, value_name = "QUERY")]
    pub field_selector: Option<String>,
    /// Sort by this column: COLUMN, COLUMN:asc or COLUMN:desc
    #[arg(long, value_name = "COLUMN")]
    pub sort_by: Option<String>,
    /// The form of the output
    #[arg(long, short, value_name = "FORMAT")]
    pub output: Option<OutputFormat>,
    /// Print output without headers
    #[arg(long)]
    pub no_headers: bool,
    /// The rows and the columns.
    #[command(flatten)]
    pub table: TableArgs,
    /// The source of the data
    #[arg(long, value_name = "SOURCE", env = "VITALS_SOURCE")]
    pub source: Option<SourceChoice>,
}

/// The rows and the columns of a table, as far as kubectl has no flag for them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Rows and columns")]
pub struct TableArgs {
    /// Show these columns, separated by commas; -o wide shows all
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// Show the rows that match, in the filter language of the dashboard: 'cpu>500m ready=false'
    #[arg(long, value_name = "FILTER")]
    pub filter: Option<String>,
    /// Show at most this many rows
    #[arg(long, value_name = "COUNT")]
    pub limit: Option<usize>,
    /// Add a last row with the sums
    #[arg(long)]
    pub total: bool,
    /// Sum the rows by namespace, workload, node or label:KEY
    #[arg(long, value_name = "GROUP")]
    pub by: Option<Grouping>,
    /// Show the state at this time: RFC 3339, or a time before now: -5m
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub at: Option<String>,
    /// Show the usage of this long, before now or before --at: 15m, 1h
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub span: Option<String>,
    /// The statistic of --span [default: p95]
    #[arg(long, value_name = "STATISTIC")]
    pub stat: Option<Stat>,
    /// Print the table again when it changes
    #[arg(long, short)]
    pub watch: bool,
}
