//! The command line: one definition of every command and flag, from which parsing, help,
//! completions and man pages are made.

mod config;
mod connection;
mod dashboard;
#[cfg(feature = "demo")]
mod demo;
pub mod pflag;
mod top;
mod why;

pub use config::{CompletionArgs, ConfigCommand, ManArgs};
pub use connection::Connection;
pub(crate) use connection::non_empty;
pub use dashboard::DashboardArgs;
#[cfg(feature = "demo")]
pub use demo::DemoArgs;
pub use top::{Resource, SortBy, TopNode, TopPod};
pub use why::{Output, Whom, WhyArgs};

use std::ffi::OsString;
use std::path::Path;

use clap::{ArgAction, CommandFactory, FromArgMatches, Parser, Subcommand};

/// The vital signs of a Kubernetes cluster.
#[derive(Debug, Parser)]
#[command(version, propagate_version = false, disable_help_subcommand = true)]
#[command(args_override_self = true)]
pub struct Cli {
    /// Which cluster, and as whom.
    #[command(flatten)]
    pub connection: Connection,
    /// How the dashboard is to be, where no command is given.
    #[command(flatten)]
    pub dashboard: DashboardArgs,
    /// What to do; without, the dashboard is shown.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Display resource (CPU/memory) usage
    ///
    /// Prints what `kubectl top` prints: what nodes and pods used lately, as any server of
    /// metrics.k8s.io tells.
    #[command(args_override_self = true, subcommand_required = true)]
    Top {
        /// Of what.
        #[command(subcommand)]
        resource: Resource,
    },
    /// Tell why a pod or a node has metrics, or has none
    ///
    /// Follows the way of the metrics from the API server over the node and its kubelet to the last
    /// reading of each container, says where it breaks, and what to do about it. The cluster's metrics
    /// server must be vitals-server; of another one it is told only whether it has metrics.
    #[command(args_override_self = true)]
    Why(WhyArgs),
    /// Start a simulated cluster and look at it
    ///
    /// Starts a simulated cluster and the metrics server in this process, over real sockets, and
    /// shows its nodes and pods live. Any Kubernetes client can be pointed at the kubeconfig it
    /// names.
    #[cfg(feature = "demo")]
    #[command(args_override_self = true)]
    Demo(DemoArgs),
    /// Create a configuration file, or show the settings in effect
    #[command(args_override_self = true)]
    Config {
        /// What is done with it.
        #[command(subcommand)]
        what: ConfigCommand,
    },
    /// Print completions for a shell
    ///
    /// For bash: `source <(vitals completion bash)`. For zsh: `vitals completion zsh > "${fpath[1]}/_vitals"`. For fish:
    /// `vitals completion fish > ~/.config/fish/completions/vitals.fish`.
    Completion(CompletionArgs),
    /// Print the man page, or write those of all commands
    Man(ManArgs),
}

/// How a command line ended that is not to be run.
#[derive(Debug)]
pub enum Stop {
    /// Print this to the standard output and end well.
    Say(String),
    /// Print this to the standard error and end with the code.
    Fail(String, u8),
}

/// The definition of everything, for a program of this name.
pub fn command(name: &'static str) -> clap::Command {
    let command = Cli::command().name(name).bin_name(name);
    dashboard::with_defaults(switches_with_values(command))
}

/// Lets every switch be given as `--switch=false` too, as kubectl's can.
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

/// Understands the command line.
///
/// # Errors
/// What to print, and how to end, instead of running anything: help, the version, or what is
/// wrong. Commands that kubectl has too fail with its words and its code, 1; others with clap's, 2.
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
        .map_err(|error| from_clap(&error))
}

/// The words with the dashboard's flags that stand before a command moved behind it, where clap looks for them: the
/// command takes them or refuses them, as it would if they had been written there.
fn moved(walked: &pflag::Walked, mut words: Vec<String>) -> Vec<String> {
    if walked.early.is_empty() || walked.leading == 0 {
        return words;
    }
    let at = walked.leading.min(words.len());
    words.splice(at..at, walked.early.iter().cloned());
    words
}

fn from_clap(error: &clap::Error) -> Stop {
    let text = error.render().to_string();
    match u8::try_from(error.exit_code()) {
        Ok(0) => Stop::Say(text),
        code => Stop::Fail(text, code.unwrap_or(2)),
    }
}

/// `kubectl vitals` when started by kubectl as its plugin, else `vitals`.
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
    fn the_definition_is_sound() {
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
                panic!("{program} took a flag that there is not");
            };
            assert_eq!(
                text,
                format!("error: unknown flag: --bogus\nSee '{name} --help' for usage.")
            );
        }
    }

    #[test]
    fn top_takes_its_flags() {
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
    fn help_goes_to_the_output_and_refusals_do_not() {
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
    fn without_a_command_it_is_the_dashboard() {
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

    /// Each command that does something, and the arguments that it needs.
    fn leaves(command: &clap::Command, path: &str, found: &mut Vec<String>) {
        let mut subcommands = command.get_subcommands().peekable();
        if subcommands.peek().is_none() {
            let arguments = match path {
                " why" => " pod web",
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

    /// A value that a flag takes; the switches need none.
    fn value(flag: &str) -> &'static str {
        match flag {
            "source" => " metrics",
            "view" => " nodes",
            "theme" => " light",
            "colors" => " 256",
            "time-zone" => " local",
            "fps" => " 7",
            "as-user-extra" => " a=b",
            "ascii" | "no-mouse" | "insecure-skip-tls-verify" => "",
            _ => " x",
        }
    }

    #[test]
    fn a_flag_before_a_command_does_what_it_does_behind_it() {
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
                let given = format!("--{flag}{}", value(flag));
                let first = parsed(&format!("vitals {given}{command}"));
                let last = parsed(&format!("vitals{command} {given}"));
                let parts = |cli: &Cli| format!("{:?} {:?}", cli.command, cli.connection);
                match (&first, &last) {
                    (Ok(first), Ok(last)) => {
                        assert_eq!(parts(first), parts(last), "{given}{command}");
                        let without = parsed(&format!("vitals{command}")).unwrap();
                        assert_ne!(parts(first), parts(&without), "{given}{command} is ignored");
                    }
                    (Err(Stop::Fail(_, first)), Err(Stop::Fail(_, last))) => {
                        assert_eq!(first, last, "{given}{command}");
                    }
                    _ => panic!("{given}{command} is {first:?} before and {last:?} behind"),
                }
            }
        }
    }

    #[test]
    fn flags_of_the_dashboard_reach_the_command_behind_them() {
        let demo = |line: &str| match parsed(line).unwrap().command {
            Some(Command::Demo(args)) => args.dashboard,
            other => panic!("{other:?}"),
        };
        let args = demo("vitals --view nodes --ascii demo");
        assert_eq!(
            (args.view, args.ascii),
            (Some(crate::model::View::Nodes), true)
        );
        // What stands nearer to the command holds.
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

    /// What `--help` says of each flag: its name and the default that stands there.
    fn stated(command: &clap::Command) -> Vec<(String, String)> {
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

    #[test]
    fn every_default_in_the_help_is_what_the_program_does() {
        use crate::config::Settings;
        let definition = command("vitals");
        let mut of_the_dashboard = 0;
        for (flag, value) in stated(&definition) {
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
        let defaults = stated(demo);
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
            let given = parsed(&format!("vitals demo --{flag} {value}")).unwrap();
            let without = parsed("vitals demo").unwrap();
            assert_eq!(
                format!("{given:?}"),
                format!("{without:?}"),
                "--{flag} {value}"
            );
        }
    }
}
