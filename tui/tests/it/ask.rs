//! Runs `vitals` and the real kubectl, and compares their outputs.

use std::path::{Path, PathBuf};
use std::process::Command;

use kubevitals::batch::Ties;
use kubevitals_proto::duration::GoDuration;

use super::api::Api;

/// The output and the exit code of a program.
#[derive(Debug, PartialEq, Eq, Clone)]
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) code: Option<i32>,
}

/// Where a cluster is: a kubeconfig, in a folder that can be a home.
pub(crate) trait At {
    /// The kubeconfig.
    fn kubeconfig(&self) -> PathBuf;
    /// The folder.
    fn directory(&self) -> &Path;
}

impl At for Api {
    fn kubeconfig(&self) -> PathBuf {
        self.kubeconfig()
    }

    fn directory(&self) -> &Path {
        self.directory()
    }
}

fn run(program: &str, api: &impl At, arguments: &[&str]) -> Said {
    run_in(program, api, arguments, &[])
}

/// Runs `vitals`, or kubectl, with further variables in its environment.
pub(crate) fn run_in(
    program: &str,
    api: &impl At,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> Said {
    let output = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", api.directory())
        .env("KUBECONFIG", api.kubeconfig())
        .envs(variables.iter().copied())
        .current_dir(api.directory())
        .stdin(std::process::Stdio::null())
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) if program == "kubectl" => {
            panic!(
                "kubectl cannot be run ({error}): it is needed on PATH, and `make test` installs it"
            )
        }
        Err(error) => panic!("{program} cannot be run: {error}"),
    };
    Said {
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code(),
    }
}

/// What `vitals` says.
pub(crate) fn vitals(api: &impl At, arguments: &[&str]) -> Said {
    run(env!("CARGO_BIN_EXE_vitals"), api, arguments)
}

/// What the real kubectl says.
pub(crate) fn kubectl(api: &impl At, arguments: &[&str]) -> Said {
    run("kubectl", api, arguments)
}

/// Whether the installed kubectl has a flag; older ones lack some.
pub(crate) fn kubectl_has(api: &impl At, command: &[&str], flag: &str) -> bool {
    let help = kubectl(api, &[command, &["--help"]].concat());
    help.out.contains(flag)
}

/// The order of equal elements of the installed kubectl: that of the Go that built it.
pub(crate) fn ties_of_kubectl(api: &impl At) -> Ties {
    if number_of_kubectl(api, "\"goVersion\": \"go1.") < 24 {
        Ties::Go1_19
    } else {
        Ties::Go1_24
    }
}

/// The minor version of the installed kubectl.
pub(crate) fn minor_of_kubectl(api: &impl At) -> u32 {
    number_of_kubectl(api, "\"minor\": \"")
}

fn number_of_kubectl(api: &impl At, before: &str) -> u32 {
    let version = kubectl(api, &["version", "--client", "-o", "json"]).out;
    let after = version.split(before).nth(1).unwrap_or_default();
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits
        .parse()
        .unwrap_or_else(|_| panic!("no {before}NUMBER in {version}"))
}

/// Fails unless both say the same, byte for byte, to the same streams, with the same code.
///
/// What may differ: the program's name; the order of nodes without metrics, which is random in
/// kubectl; ages; the headings of a kubectl older than 1.32 (then columns are compared without
/// their widths); the capital that wrapped builds of kubectl write "Error:" with; and, where many
/// rows are sorted by what they use, the order of equal rows if kubectl was made by an older Go
/// (another test takes that apart).
pub(crate) fn same(api: &impl At, arguments: &[&str]) {
    let theirs = kubectl(api, arguments);
    same_as(api, arguments, theirs, vitals(api, arguments));
}

/// As [`same`], for a cluster that changes: runs both again until nothing changed in between.
pub(crate) fn same_while_still(api: &impl At, arguments: &[&str]) {
    for _ in 0..20 {
        let before = vitals(api, arguments);
        let theirs = kubectl(api, arguments);
        let after = vitals(api, arguments);
        if before == after {
            return same_as(api, arguments, theirs, after);
        }
    }
    panic!("the cluster never stood still for {arguments:?}");
}

fn same_as(api: &impl At, arguments: &[&str], theirs: Said, ours: Said) {
    let (mut theirs, mut ours) = (comparable(theirs), comparable(ours));
    if theirs.out.contains("CPU%") {
        (theirs, ours) = (unaligned(theirs), unaligned(ours));
    }
    let sorted = arguments
        .iter()
        .any(|argument| argument.starts_with("--sort-by"));
    if sorted && theirs.out.lines().count() > 13 && ties_of_kubectl(api) != Ties::default() {
        (theirs, ours) = (in_any_order(theirs), in_any_order(ours));
    }
    assert_eq!(
        ours, theirs,
        "vitals (left) and kubectl (right) differ on {arguments:?}"
    );
}

fn comparable(said: Said) -> Said {
    let mut err = said.err.replace("kubectl top", "vitals top");
    if let Some(rest) = err.strip_prefix("Error: ") {
        err = format!("error: {rest}");
    }
    if let Some((front, age)) = err.clone().split_once(", age: ") {
        let age = age.trim_end().parse::<GoDuration>();
        assert!(age.is_ok(), "{err}");
        err = format!("{front}, age: some\n");
    }
    let mut lines: Vec<&str> = said.out.lines().collect();
    let silent = |line: &&str| line.split_whitespace().nth(1) == Some("<unknown>");
    let first = lines.iter().position(silent).unwrap_or(lines.len());
    lines[first..].sort_unstable();
    let out = lines.iter().map(|line| format!("{line}\n")).collect();
    Said {
        out,
        err,
        code: said.code,
    }
}

fn in_any_order(said: Said) -> Said {
    let mut lines: Vec<&str> = said.out.lines().collect();
    lines.sort_unstable();
    Said {
        out: lines.join("\n"),
        ..said
    }
}

fn unaligned(said: Said) -> Said {
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let out = said
        .out
        .lines()
        .map(|line| words(line) + "\n")
        .collect::<String>();
    let out = out
        .replace("CPU%", "CPU(%)")
        .replace("MEMORY%", "MEMORY(%)");
    Said { out, ..said }
}
