//! The command line: one definition of all commands and flags, for parsing, help, completions and man pages.

mod check;
mod completing;
mod config;
mod connection;
mod dashboard;
#[cfg(feature = "demo")]
mod demo;
mod describe;
mod diff;
mod get;
mod history;
mod object;
mod output;
pub mod pflag;
mod rightsize;
mod stop;
mod top;
mod why;

pub use check::{CheckArgs, CheckOutput};
pub use completing::{Candidate, Completing, Value, ValueKind, completing, completion_words};
pub use config::{CompletionArgs, ConfigCommand, ManArgs};
pub use connection::Connection;
pub(crate) use connection::non_empty;
pub use dashboard::DashboardArgs;
#[cfg(feature = "demo")]
pub use demo::DemoArgs;
pub use describe::{DescribeArgs, DescribeOutput, DescribeSubject};
pub use diff::{DiffArgs, DiffOutput};
pub use get::{GetArgs, GetResource, TableArgs};
pub(crate) use history::span;
pub use history::{Fold, HistoryArgs, HistoryFormat, HistorySubject};
pub use output::{OutputArgs, OutputFormat};
pub use rightsize::{By, RightsizeArgs, RightsizeFormat};
pub use stop::Stop;
pub use top::{Resource, SortBy, TopMore, TopNode, TopPod};
pub use why::{Output, WhyArgs, WhySubject};

use std::ffi::OsString;
use std::path::Path;

use clap::error::ErrorKind;
use clap::{ArgAction, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::model::check::Verdict;

/// The vital signs of a Kubernetes cluster.
#[derive(Debug, Parser)]
#[command(version, propagate_version = false, disable_help_subcommand = true)]
#[command(args_override_self = true)]
pub struct Cli {
    /// The cluster and the user.
    #[command(flatten)]
    pub connection: Connection,
    /// Show several clusters: contexts, patterns with * or groups of the configuration, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',', conflicts_with_all = ["context", "cluster", "server"])]
    pub contexts: Vec<String>,
    /// The options of the dashboard, if there is no command.
    #[command(flatten)]
    pub dashboard: DashboardArgs,
    /// The command; without one, the dashboard runs.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Display resource (CPU/memory) usage
    ///
    /// Prints the same as `kubectl top`: the latest usage of nodes and pods, from any server of metrics.k8s.io. With a
    /// flag that kubectl does not have, prints in more forms, for containers and groups, and of the past.
    #[command(args_override_self = true, subcommand_required = true)]
    Top {
        /// The resource.
        #[command(subcommand)]
        resource: Resource,
    },
    /// Print a table of the dashboard
    ///
    /// Prints pods, nodes, containers, workloads, namespaces, HPAs, incidents, volumes or probes with the columns of the
    /// dashboard, as a table or for programs.
    #[command(args_override_self = true)]
    Get(GetArgs),
    /// Check the cluster once, for scripts, cron and monitoring
    ///
    /// Prints the problems by severity. The exit code is 0 without problems, 1 with warnings, 2 if something is critical,
    /// and 3 if that cannot be judged: the cluster does not answer, a permission is missing, the source does not have what
    /// a rule needs, or the command line has a mistake.
    #[command(args_override_self = true)]
    Check(CheckArgs),
    /// Describe a pod, a node or a workload
    ///
    /// Prints the page that the dashboard has of a pod, without its charts: usage, containers, probes, conditions,
    /// events, restarts and incidents; or the properties, pods and incidents of a node or a workload.
    #[command(args_override_self = true)]
    Describe(DescribeArgs),
    /// Compare the cluster with an earlier time
    ///
    /// Prints what is different: incidents that began and ended, nodes and pods that are new, gone or have another status,
    /// restarts, and changes of usage, the largest first. The cluster needs vitals-server, which remembers the past.
    #[command(args_override_self = true)]
    Diff(DiffArgs),
    /// Explain why a pod, a node, a metric or an HPA has values or not
    ///
    /// Checks each step from the API server over the node and its kubelet to the last sample of each container, and
    /// prints the step that fails and what to do. The cluster's metrics server must be vitals-server; for another
    /// server, the command only prints whether there are metrics.
    #[command(args_override_self = true)]
    Why(WhyArgs),
    /// Print the usage of an object over time
    ///
    /// Prints CPU, memory and restarts of a pod, node, workload, namespace or the cluster, as far as the cluster's
    /// vitals-server stores them: as a table, as a chart in the terminal, or for programs. A gap is a gap.
    #[command(args_override_self = true)]
    History(HistoryArgs),
    /// Advise on requests and limits
    ///
    /// Compares the requests and limits of each workload's containers with what they used, and prints what to request
    /// instead: as a table, for programs, as patches for kustomize or as a script of kubectl. It never advises less than
    /// was seen, and says why where it cannot advise.
    #[command(args_override_self = true)]
    Rightsize(RightsizeArgs),
    /// Start a simulated cluster and show it
    ///
    /// Starts a simulated cluster and the metrics server in this process, over real sockets, and shows the dashboard.
    /// Any Kubernetes client can use its kubeconfig.
    #[cfg(feature = "demo")]
    #[command(args_override_self = true)]
    Demo(DemoArgs),
    /// Create a configuration file, or show the settings in effect
    #[command(args_override_self = true)]
    Config {
        /// The command.
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Print completions for a shell
    ///
    /// For bash: `source <(vitals completion bash)`. For zsh: `vitals completion zsh > "${fpath[1]}/_vitals"`. For fish:
    /// `vitals completion fish > ~/.config/fish/completions/vitals.fish`. They offer namespaces, pods, nodes and contexts
    /// too. For `kubectl vitals`, kubectl runs `kubectl_complete-vitals`: make it a link to vitals.
    Completion(CompletionArgs),
    /// Print the man page, or write the pages of all commands
    Man(ManArgs),
}

/// The definition of all commands, for a program of this name.
pub fn command(name: &'static str) -> clap::Command {
    let command = Cli::command().name(name).bin_name(name);
    dashboard::with_defaults(switches_with_values(command))
}

/// Accepts `--switch=false` for every switch, as kubectl does.
fn switches_with_values(command: clap::Command) -> clap::Command {
    command
        .mut_subcommands(switches_with_values)
        .mut_args(|arg| match arg.get_action() {
            ArgAction::SetTrue => {
                let on = !arg.get_default_values().is_empty();
                arg.action(ArgAction::Set)
                    .num_args(0..=1)
                    .require_equals(true)
                    .value_name("BOOL")
                    .default_value(if on { "true" } else { "false" })
                    .default_missing_value("true")
                    .hide_default_value(!on)
                    .hide_possible_values(true)
            }
            _ => arg,
        })
}

/// Parses the command line.
///
/// # Errors
/// What to print, and the exit code: help, the version, or an error. Commands that kubectl has use its texts and its
/// exit code 1; others use clap's and 2.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, Stop> {
    let mut words = arguments
        .into_iter()
        .map(|word| word.to_string_lossy().into_owned());
    let program = program_name(&words.next().unwrap_or_default());
    let words: Vec<String> = words.collect();
    let mut definition = command(program);
    let like_kubectl = pflag::walk(&definition, &words);
    let path = match &like_kubectl {
        Ok(walked) => &walked.path,
        Err(error) => &error.path,
    };
    // A flag may be wrong before the command is reached.
    let is_check = match path.get(1) {
        Some(command) => command == "check",
        None => like_kubectl.is_err() && words.iter().any(|word| word == "check"),
    };
    let matches = if path.get(1).is_some_and(|command| command == "top") {
        let walked = like_kubectl.map_err(|error| Stop::Fail(error.to_string(), 1))?;
        if let Some(unknown) = walked.refuse_early() {
            return Err(Stop::Fail(unknown.to_string(), 1));
        }
        top::check(&mut definition, &walked)?;
        definition.try_get_matches_from(walked.for_clap())
    } else {
        let words = like_kubectl.map_or(words.clone(), |walked| moved(&walked, words));
        definition.try_get_matches_from(std::iter::once(program.to_owned()).chain(words))
    };
    matches
        .and_then(|matches| Cli::from_arg_matches(&matches))
        .map_err(|error| from_clap(&error, is_check))
}

/// Moves the dashboard's flags from before a command to behind it, where clap expects them: the command accepts or
/// refuses them as if they stood there.
fn moved(walked: &pflag::Walked, mut words: Vec<String>) -> Vec<String> {
    if walked.early.is_empty() || walked.leading == 0 {
        return words;
    }
    let at = walked.leading.min(words.len());
    words.splice(at..at, walked.early.iter().cloned());
    words
}

/// What to print instead of running a command. For `check` the code 2 has another meaning.
fn from_clap(error: &clap::Error, is_check: bool) -> Stop {
    let mut text = error.render().to_string();
    if error.kind() == ErrorKind::ValueValidation {
        // The other lines only point to the help.
        text.truncate(text.find('\n').unwrap_or(text.len()));
    }
    match u8::try_from(error.exit_code()) {
        Ok(0) => Stop::Say(text),
        Ok(_) if is_check => Stop::Fail(text, Verdict::Unknown.exit_code()),
        code => Stop::Fail(text, code.unwrap_or(2)),
    }
}

/// The name of the program: `kubectl vitals` as a plugin of kubectl, else `vitals`.
fn program_name(first: &str) -> &'static str {
    let file = Path::new(first)
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default();
    if file.starts_with("kubectl-") {
        "kubectl vitals"
    } else {
        "vitals"
    }
}

#[cfg(test)]
mod tests;
