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
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Cli, Stop> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn the_definition_is_valid() {
        command("vitals").debug_assert();
    }

    #[test]
    fn usage_names_the_program_as_it_was_called() {
        for (program, name) in [
            ("vitals", "vitals top pod"),
            ("/usr/bin/vitals", "vitals top pod"),
            ("/usr/bin/kubectl-vitals", "kubectl vitals top pod"),
        ] {
            let Err(Stop::Fail(text, 1)) = parsed(&format!("{program} top pods --bogus")) else {
                panic!("{program} accepted an unknown flag");
            };
            assert_eq!(
                text,
                format!("error: unknown flag: --bogus\nSee '{name} --help' for usage.")
            );
        }
    }

    #[test]
    fn top_accepts_its_flags() {
        let line =
            "vitals top pods -A --sort-by cpu --sum --use-protocol-buffers=false --context c";
        let cli = parsed(line).unwrap();
        assert_eq!(cli.connection.context.as_deref(), Some("c"));
        let Some(Command::Top {
            resource: Resource::Pod(pod),
        }) = cli.command
        else {
            panic!("not pods");
        };
        assert!(pod.all_namespaces && pod.sum && !pod.use_protocol_buffers && !pod.containers);
        assert_eq!(pod.sort_by.as_deref(), Some("cpu"));
    }

    #[test]
    fn help_goes_to_stdout_and_errors_to_stderr() {
        assert!(matches!(parsed("vitals --help"), Err(Stop::Say(_))));
        assert!(matches!(parsed("vitals top --help"), Err(Stop::Say(_))));
        assert!(matches!(parsed("vitals top pod -A -h"), Err(Stop::Say(_))));
        assert!(matches!(parsed("vitals --version"), Err(Stop::Say(_))));
        assert!(matches!(parsed("vitals top"), Err(Stop::Fail(_, 1))));
        assert!(matches!(
            parsed("vitals demo --bogus"),
            Err(Stop::Fail(_, 2))
        ));
        assert!(matches!(parsed("vitals bogus"), Err(Stop::Fail(_, 2))));
    }

    #[test]
    fn without_a_command_the_dashboard_runs() {
        let cli = parsed("vitals --view pods --context c").unwrap();
        assert!(cli.command.is_none());
        assert_eq!(cli.dashboard.view, Some(crate::model::View::Pods));
        assert!(parsed("vitals").unwrap().command.is_none());
    }

    #[test]
    fn arguments_are_counted_as_kubectl_counts_them() {
        for (line, expected) in [
            (
                "vitals top pods a b",
                "error: pod [NAME | -l label]\nSee 'vitals top pod -h' for help and examples",
            ),
            (
                "kubectl-vitals top no a b",
                "error: node [NAME | -l label]\nSee 'kubectl vitals top node -h' for help and examples",
            ),
            (
                "vitals top foo bar",
                "error: unknown command \"foo bar\"\nSee 'vitals top -h' for help and examples",
            ),
        ] {
            assert!(
                matches!(parsed(line), Err(Stop::Fail(text, 1)) if text == expected),
                "{line}"
            );
        }
    }

    /// Each command that can run, with the arguments that it requires.
    fn leaves(command: &clap::Command, path: &str, found: &mut Vec<String>) {
        let mut subcommands = command.get_subcommands().peekable();
        if subcommands.peek().is_none() {
            let arguments = match path {
                " why" | " history" => " pod web",
                " get" => " pods",
                " diff" => " --at -5m",
                " describe" => " pod web",
                " completion" => " bash",
                _ => "",
            };
            found.push(format!("{path}{arguments}"));
        }
        for subcommand in subcommands {
            leaves(
                subcommand,
                &format!("{path} {}", subcommand.get_name()),
                found,
            );
        }
    }

    /// A value for a flag; empty for switches.
    fn value(flag: &str) -> &'static str {
        match flag {
            "source" => " metrics",
            "view" => " nodes",
            "theme" => " light",
            "colors" => " 256",
            "time-zone" => " local",
            "fps" => " 7",
            "as-user-extra" => " a=b",
            "ascii" | "plain" | "allow-actions" | "no-mouse" | "insecure-skip-tls-verify" => "",
            _ => " x",
        }
    }

    #[test]
    fn a_flag_works_the_same_before_and_after_a_command() {
        let definition = command("vitals");
        let mut commands = Vec::new();
        leaves(&definition, "", &mut commands);
        assert!(commands.len() >= 7, "{commands:?}");
        let flags = definition
            .get_arguments()
            .filter_map(|arg| arg.get_long())
            .filter(|flag| !matches!(*flag, "help" | "version"));
        for flag in flags {
            for command in &commands {
                let with_flag = format!("--{flag}{}", value(flag));
                let first = parsed(&format!("vitals {with_flag}{command}"));
                let last = parsed(&format!("vitals{command} {with_flag}"));
                let parts = |cli: &Cli| format!("{:?} {:?}", cli.command, cli.connection);
                match (&first, &last) {
                    (Ok(first), Ok(last)) => {
                        assert_eq!(parts(first), parts(last), "{with_flag}{command}");
                        let without = parsed(&format!("vitals{command}")).unwrap();
                        assert_ne!(
                            parts(first),
                            parts(&without),
                            "{with_flag}{command} is ignored"
                        );
                    }
                    (Err(Stop::Fail(_, first)), Err(Stop::Fail(_, last))) => {
                        assert_eq!(first, last, "{with_flag}{command}");
                    }
                    _ => panic!("{with_flag}{command} is {first:?} before and {last:?} behind"),
                }
            }
        }
    }

    #[cfg(feature = "demo")]
    #[test]
    fn dashboard_flags_reach_the_command_behind_them() {
        let demo = |line: &str| match parsed(line).unwrap().command {
            Some(Command::Demo(args)) => args.dashboard,
            other => panic!("{other:?}"),
        };
        let args = demo("vitals --view nodes --ascii demo");
        assert_eq!(
            (args.view, args.ascii),
            (Some(crate::model::View::Nodes), true)
        );
        // The flag nearer to the command wins.
        for (line, fps) in [
            ("vitals --fps 5 demo --fps=9", 9),
            ("vitals --fps=5 -n shop demo --nodes 2", 5),
            ("vitals --kubeconfig demo --fps 6 demo", 6),
        ] {
            assert_eq!(demo(line).fps, Some(fps), "{line}");
        }
        for line in [
            "vitals --theme light config show",
            "vitals --config x config show",
            "vitals --config x config init",
        ] {
            assert!(matches!(
                parsed(line).unwrap().command,
                Some(Command::Config { .. })
            ));
        }
        for (line, code) in [
            ("vitals --view nodes top pods", 1),
            ("vitals --ascii why pod web", 2),
            ("vitals --theme light config init", 2),
            ("vitals --fps 5 man", 2),
        ] {
            assert!(
                matches!(parsed(line), Err(Stop::Fail(_, refused)) if refused == code),
                "{line}"
            );
        }
    }

    /// The flags in `--help` with their defaults.
    #[cfg(feature = "demo")]
    fn defaults_in_help(command: &clap::Command) -> Vec<(String, String)> {
        let mut wide = command.clone().term_width(10_000);
        let help = wide.render_long_help().to_string();
        let mut flag = String::new();
        let mut stated = Vec::new();
        for line in help.lines() {
            let line = line.trim();
            if let Some(at) = line.find("--").filter(|_| line.starts_with('-')) {
                let name = line.get(at + 2..).unwrap_or_default();
                flag = name
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '-')
                    .collect();
            }
            if let Some((_, rest)) = line.split_once("[default: ") {
                let value = rest.split(']').next().unwrap_or_default();
                stated.push((flag.clone(), value.to_owned()));
            }
        }
        stated
    }

    #[cfg(feature = "demo")]
    #[test]
    fn every_default_in_the_help_is_true() {
        use crate::config::Settings;
        let definition = command("vitals");
        let mut of_the_dashboard = 0;
        for (flag, value) in defaults_in_help(&definition) {
            if flag == "config" {
                continue;
            }
            let cli = parsed(&format!("vitals --{flag} {value}")).unwrap();
            let settings = cli.dashboard.settings(|_| None).unwrap();
            assert_eq!(settings, Settings::default(), "--{flag} {value}");
            of_the_dashboard += 1;
        }
        assert!(of_the_dashboard >= 5, "{of_the_dashboard}");
        let demo = definition.find_subcommand("demo").unwrap();
        let defaults = defaults_in_help(demo);
        assert!(
            defaults
                .iter()
                .any(|(flag, value)| flag == "speed" && value == "1")
        );
        for (flag, value) in defaults {
            if flag == "config"
                || definition
                    .get_arguments()
                    .any(|arg| arg.get_long() == Some(&flag))
            {
                continue;
            }
            let with_flag = parsed(&format!("vitals demo --{flag} {value}")).unwrap();
            let without = parsed("vitals demo").unwrap();
            assert_eq!(
                format!("{with_flag:?}"),
                format!("{without:?}"),
                "--{flag} {value}"
            );
        }
    }
}
