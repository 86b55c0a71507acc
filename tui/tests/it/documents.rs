//! The commands in the documents, which run on the demo's cluster, and the help of each command.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use kubevitals::cli;

use crate::ask::At;
use crate::demo::Demo;
use crate::examples::{examples, is_heading};

/// `vitals`.
const VITALS: &str = env!("CARGO_BIN_EXE_vitals");

/// The pages with examples for users. `walk.md` is written and compared by a test of its own.
fn pages() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut paths = vec![root.join("README.md")];
    let docs = std::fs::read_dir(root.join("docs")).unwrap();
    paths.extend(docs.map(|entry| entry.unwrap().path()));
    paths
        .retain(|path| path.extension().is_some_and(|it| it == "md") && !path.ends_with("walk.md"));
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            (
                path.display().to_string(),
                std::fs::read_to_string(&path).unwrap(),
            )
        })
        .collect()
}

/// The arguments of an example that runs `vitals`; none if it runs another program.
fn arguments(command: &str) -> Option<&str> {
    let programs = ["vitals", "target/demo/vitals", "kubectl vitals"];
    programs.into_iter().find_map(|program| {
        let rest = command.strip_prefix(program)?;
        (rest.is_empty() || rest.starts_with(' ')).then_some(rest)
    })
}

/// Whether a command runs until a person or a signal ends it.
fn is_endless(arguments: &str) -> bool {
    let words: Vec<&str> = arguments.split_whitespace().collect();
    let is_dashboard = words.iter().all(|word| word.starts_with('-'));
    let is_demo = words.first() == Some(&"demo");
    is_dashboard || is_demo || words.contains(&"--watch") || words.contains(&"-w")
}

/// Runs a line in bash, with `vitals` and `kubectl vitals` on its path.
fn run(demo: &Demo, line: &str) -> Output {
    let programs = demo.directory().join("bin");
    let path = std::env::var("PATH").unwrap_or_default();
    Command::new("bash")
        .args(["-o", "pipefail", "-c", line])
        .env("PATH", format!("{}:{path}", programs.display()))
        .env("HOME", demo.directory())
        .env("KUBECONFIG", demo.kubeconfig())
        .current_dir(demo.directory())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn the_examples_of_the_documents_run_and_have_the_documented_headings() {
    let demo = Demo::start(&[]);
    let programs = demo.directory().join("bin");
    std::fs::create_dir(&programs).unwrap();
    for name in ["vitals", "kubectl-vitals"] {
        symlink(VITALS, programs.join(name)).unwrap();
    }
    demo.wait_until("metrics of all nodes", |demo| {
        let ready = "vitals top nodes --no-headers && vitals top pods -A --no-headers";
        demo.kubeconfig().exists() && run(demo, ready).status.success()
    });
    let mut found = 0;
    for (page, text) in pages() {
        for (command, printed) in examples(&text) {
            let Some(arguments) = arguments(&command) else {
                continue;
            };
            found += 1;
            if is_endless(arguments) {
                let words = std::iter::once("vitals").chain(arguments.split_whitespace());
                let parsed = cli::parse(words.map(Into::into));
                assert!(parsed.is_ok(), "{page}: {command}: {parsed:?}");
                continue;
            }
            let line = command
                .replace("target/demo/vitals", "vitals")
                .replace("/tmp/demo.yaml", "\"$KUBECONFIG\"");
            let output = run(&demo, &line);
            let (out, err) = (
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr),
            );
            let code = output.status.code();
            // `check` reports the problems of the simulated cluster by its exit code, and a cluster that has just started
            // has no history.
            let most = match arguments.split_whitespace().next() {
                Some("check") => 3,
                _ if arguments.contains("--at") => 1,
                _ => 0,
            };
            assert!(
                code.is_some_and(|code| code <= most),
                "{page}: {command}: {code:?}: {err}"
            );
            if let Some(heading) = printed.first().filter(|line| is_heading(line)) {
                let words = |line: &str| {
                    let words = line.split_whitespace().map(str::to_owned);
                    words.collect::<Vec<_>>()
                };
                // Without rows a command says so in a sentence.
                let actual = out.lines().next().unwrap_or_default();
                if is_heading(actual) {
                    assert_eq!(words(actual), words(heading), "{page}: {command}");
                }
            }
        }
    }
    assert!(found >= 10, "{found}");
}

/// Compares the help of a command and of its subcommands with snapshots.
fn compare(command: &clap::Command, path: &[&str]) {
    let output = Command::new(VITALS)
        .args(path)
        .arg("--help")
        .env_remove("VITALS_CONFIG")
        .output()
        .unwrap();
    assert!(output.status.success(), "{path:?}");
    let name = ["help"]
        .iter()
        .chain(path)
        .copied()
        .collect::<Vec<_>>()
        .join("-");
    insta::assert_snapshot!(name, String::from_utf8(output.stdout).unwrap());
    for subcommand in command.get_subcommands().filter(|it| !it.is_hide_set()) {
        compare(subcommand, &[path, &[subcommand.get_name()]].concat());
    }
}

#[test]
fn the_help_of_each_command_is_reviewed() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots/help");
    settings.bind(|| compare(&cli::command("vitals"), &[]));
}
