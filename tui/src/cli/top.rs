//! The flags of `top`: kubectl's.

use clap::{Args, Subcommand};

use super::get::TableArgs;
use super::output::OutputFormat;
use super::pflag::{Help, Walked};
use super::stop::Stop;

/// The resources of `top`.
#[derive(Debug, Subcommand)]
pub enum Resource {
    /// Display resource (CPU/memory) usage of nodes
    #[command(name = "node", visible_aliases = ["nodes", "no"], args_override_self = true)]
    Node(TopNode),
    /// Display resource (CPU/memory) usage of pods
    ///
    /// Due to the metrics pipeline delay, they may be unavailable for a few minutes since pod
    /// creation.
    #[command(name = "pod", visible_aliases = ["pods", "po"], args_override_self = true)]
    Pod(TopPod),
    /// Display resource (CPU/memory) usage of containers
    #[command(name = "container", visible_aliases = ["containers", "ctr"], args_override_self = true)]
    Container(TopPod),
}

/// `top node`.
#[derive(Debug, Clone, Default, Args)]
pub struct TopNode {
    /// The one node to show
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Selector (label query) to filter on: =, ==, !=, in, notin, gt, lt
    #[arg(long, short = 'l', value_name = "QUERY")]
    pub selector: Option<String>,
    /// Sort by this field: cpu or memory, or another column: COLUMN, COLUMN:asc, COLUMN:desc
    #[arg(long, value_name = "FIELD")]
    pub sort_by: Option<String>,
    /// Print output without headers
    #[arg(long)]
    pub no_headers: bool,
    /// Print node resources based on Capacity instead of Allocatable (default) of the nodes
    #[arg(long)]
    pub show_capacity: bool,
    /// Print node resources related to swap memory
    #[arg(long)]
    pub show_swap: bool,
    /// Use protocol buffers to access the Metrics API
    #[arg(long, default_value = "true")]
    pub use_protocol_buffers: bool,
    /// What kubectl has no flag for.
    #[command(flatten)]
    pub more: TopMore,
}

/// `top pod`.
#[derive(Debug, Clone, Default, Args)]
pub struct TopPod {
    /// The one pod to show
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Selector (label query) to filter on: =, ==, !=, in, notin, gt, lt
    #[arg(long, short = 'l', value_name = "QUERY")]
    pub selector: Option<String>,
    /// Selector (field query) to filter on: =, ==, !=; the server decides which fields it knows
    #[arg(long, value_name = "QUERY")]
    pub field_selector: Option<String>,
    /// Sort by this field: cpu or memory, or another column: COLUMN, COLUMN:asc, COLUMN:desc
    #[arg(long, value_name = "FIELD")]
    pub sort_by: Option<String>,
    /// Show pods of all namespaces
    #[arg(long, short = 'A')]
    pub all_namespaces: bool,
    /// Print usage of containers within a pod
    #[arg(long)]
    pub containers: bool,
    /// Print the sum of the resource usage
    #[arg(long)]
    pub sum: bool,
    /// Print output without headers
    #[arg(long)]
    pub no_headers: bool,
    /// Print pod resources related to swap memory
    #[arg(long)]
    pub show_swap: bool,
    /// Use protocol buffers to access the Metrics API
    #[arg(long, default_value = "true")]
    pub use_protocol_buffers: bool,
    /// What kubectl has no flag for.
    #[command(flatten)]
    pub more: TopMore,
}

/// The flags of `top` that kubectl does not have. With one of them, the output has more forms than kubectl's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Rows and columns")]
pub struct TopMore {
    /// The form of the output
    #[arg(long, short, value_name = "FORMAT")]
    pub output: Option<OutputFormat>,
    /// Show requests, and usage as a part of them
    #[arg(long)]
    pub requests: bool,
    /// Show limits, and usage as a part of them
    #[arg(long)]
    pub limits: bool,
    /// Show GPUs, their utilization and their memory
    #[arg(long)]
    pub gpu: bool,
    /// The rows and the columns.
    #[command(flatten)]
    pub table: TableArgs,
}

/// The sort order of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortBy {
    /// Namespace and name, ascending.
    #[default]
    Name,
    /// CPU in whole millicores, descending.
    Cpu,
    /// Memory in bytes, descending.
    Memory,
}

/// Handles help, and the arguments that kubectl refuses before it does anything.
pub(super) fn check(definition: &mut clap::Command, walked: &Walked) -> Result<(), Stop> {
    let path = walked.command_path();
    let resource = walked.resource();
    definition.build();
    let top = definition.find_subcommand("top");
    if walked.help.is_some() || (resource.is_none() && walked.arguments.is_empty()) {
        let command = match (top, resource) {
            (Some(top), Some(resource)) => top.find_subcommand(resource).cloned().map(|command| {
                command.override_usage(format!("{path} [NAME | -l label] [options]"))
            }),
            (top, _) => top.cloned(),
        };
        let help = command.map(|mut command| match walked.help {
            Some(Help::Long) => command.render_long_help().to_string(),
            _ => command.render_help().to_string(),
        });
        let help = help.unwrap_or_default();
        return Err(match walked.help {
            Some(_) => Stop::Say(help),
            None => Stop::Fail(help, 1),
        });
    }
    let complaint = match resource {
        None => format!("unknown command {:?}", walked.arguments.join(" ")),
        Some(resource) if walked.arguments.len() > 1 => format!("{resource} [NAME | -l label]"),
        Some(_) => return Ok(()),
    };
    Err(Stop::Fail(
        format!("error: {complaint}\nSee '{path} -h' for help and examples"),
        1,
    ))
}
