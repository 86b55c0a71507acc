//! What the command line accepts and refuses.

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
    let line = "vitals top pods -A --sort-by cpu --sum --use-protocol-buffers=false --context c";
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
