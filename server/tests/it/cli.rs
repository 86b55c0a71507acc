//! The program's command line, signals and first log lines. An error is one line and exit code 2.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::mpsc::{Receiver, channel};

use assert_cmd::Command;

use crate::harness::PATIENCE;

fn run(arguments: &[&str]) -> Output {
    // Ignores the service account of a cluster that the test may run in.
    Command::cargo_bin("vitals-server")
        .unwrap()
        .env_remove("KUBERNETES_SERVICE_HOST")
        .args(arguments)
        .timeout(std::time::Duration::from_secs(60))
        .output()
        .unwrap()
}

fn refusal(arguments: &[&str]) -> String {
    let output = run(arguments);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    let last = text.lines().last().unwrap_or_default().to_owned();
    assert_eq!(text, format!("{last}\n"), "{arguments:?}: one line");
    assert!(last.starts_with("vitals-server: "), "{arguments:?}: {text}");
    assert!(
        !text.contains("panicked") && !text.contains("RUST_BACKTRACE"),
        "{text}"
    );
    last
}

fn write(folder: &Path, name: &str, content: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

const KUBECONFIG: &str = r#"
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
"#;

#[test]
fn an_error_is_one_line_and_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let good = write(folder.path(), "config", KUBECONFIG);
    let broken = write(folder.path(), "broken", "clusters: [");
    let empty = write(folder.path(), "empty", "");
    let no_context = write(
        folder.path(),
        "no-context",
        &KUBECONFIG.replace("current-context: x", ""),
    );
    let garbage = write(folder.path(), "garbage", "no PEM here");
    for (arguments, expected) in [
        (
            &["--no-such-flag"][..],
            "unknown flag --no-such-flag; --help lists all",
        ),
        (&["stray"], "unexpected argument \"stray\""),
        (&["--", "stray"], "unexpected argument \"stray\""),
        (&["--kubelet-insecure-tls", "false"], "--flag=false"),
        (
            &["--kubelet-insecure-tl"],
            "did you mean --kubelet-insecure-tls?",
        ),
        (
            &["--metric_resolution=15s"],
            "did you mean --metric-resolution?",
        ),
        (
            &["--metric-resolution"],
            "--metric-resolution needs a value",
        ),
        (
            &["--profiling=perhaps"],
            "--profiling=\"perhaps\": write true or false",
        ),
        (&["--audit-log-maxage=old"], "write a whole number"),
        (&["--request-timeout=0"], "must be more than 0"),
        (&["--metric-resolution=soon"], "write a duration"),
        (&["--metric-resolution=5s"], "at least 10s"),
        (
            &[],
            "--kubeconfig is not set and the server does not run in a pod",
        ),
        (&["--kubeconfig=/nowhere/config"], "/nowhere/config"),
        (&["--kubeconfig", &broken], "broken"),
        (&["--kubeconfig", &empty], "empty"),
        (&["--kubeconfig", &no_context], "no-context"),
        (&["--kubeconfig", &good], "the kubeconfig has no CA"),
        (
            &[
                "--kubeconfig",
                &good,
                "--kubelet-certificate-authority=/nowhere/ca",
            ],
            "/nowhere/ca",
        ),
        (
            &[
                "--kubeconfig",
                &good,
                "--kubelet-certificate-authority",
                &garbage,
            ],
            "no PEM certificate",
        ),
        (
            &[
                "--kubeconfig",
                &good,
                "--kubelet-insecure-tls",
                "--tls-cert-file",
                &garbage,
                "--tls-private-key-file",
                &garbage,
            ],
            "garbage",
        ),
        (
            &[
                "--kubeconfig",
                &good,
                "--kubelet-insecure-tls",
                "--bind-address=192.0.2.1",
                "--secure-port=1",
            ],
            "cannot listen on 192.0.2.1:1",
        ),
    ] {
        let refusal = refusal(arguments);
        assert!(refusal.contains(expected), "{arguments:?}: {refusal}");
    }
}

#[test]
fn help_and_version_go_to_standard_output() {
    let help = run(&["--help"]);
    assert!(help.status.success() && help.stderr.is_empty());
    assert!(
        String::from_utf8(help.stdout)
            .unwrap()
            .contains("--kubelet-preferred-address-types")
    );
    let version = run(&["--version"]);
    assert_eq!(
        String::from_utf8(version.stdout).unwrap(),
        format!("vitals-server {}\n", env!("CARGO_PKG_VERSION"))
    );
}

/// A child process that is killed at the end of the test.
struct KillOnDrop(std::process::Child);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        let _already_ended = self.0.kill();
        let _already_waited = self.0.wait();
    }
}

/// A running server and its log lines.
pub(crate) struct Running {
    child: KillOnDrop,
    pub(crate) address: SocketAddr,
    lines: Receiver<String>,
    _folder: tempfile::TempDir,
}

impl Running {
    /// Starts a server on a free port. Its API server and its kubelets do not exist.
    pub(crate) fn start(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kubeconfig = write(folder.path(), "config", KUBECONFIG);
        // The flag does not accept port 0, so the test uses a port that was free a moment ago.
        let address = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let mut child = KillOnDrop(
            std::process::Command::new(env!("CARGO_BIN_EXE_vitals-server"))
                .env_remove("RUST_LOG")
                .args(["--kubeconfig", &kubeconfig, "--kubelet-insecure-tls"])
                .arg("--bind-address=127.0.0.1")
                .arg(format!("--secure-port={}", address.port()))
                .args(flags)
                .stderr(Stdio::piped())
                .spawn()
                .unwrap(),
        );
        let log = BufReader::new(child.0.stderr.take().unwrap()).lines();
        let (sender, lines) = channel();
        // Ends with the child, or with the test.
        std::thread::spawn(move || {
            log.map_while(Result::ok)
                .try_for_each(|line| sender.send(line))
        });
        Self {
            child,
            address,
            lines,
            _folder: folder,
        }
    }

    fn signal(&self, signal: &str) {
        let status = std::process::Command::new("kill")
            .args([&format!("-{signal}"), &self.child.0.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// All lines up to the first one with `text`, that one last.
    pub(crate) fn until(&self, text: &str) -> Vec<String> {
        let mut lines = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            let found = line.contains(text);
            lines.push(line);
            if found {
                return lines;
            }
        }
        panic!("no line with {text:?}: {lines:?}");
    }
}

#[test]
fn the_server_logs_json_and_a_signal_ends_it() {
    for signal in ["TERM", "INT"] {
        let mut server = Running::start(&["--logging-format=json"]);
        let line = server.until(" serves on ").pop().unwrap();
        let first: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(first["level"], "INFO");
        assert_eq!(first["address"], server.address.to_string());
        server.signal(signal);
        // The watches may log that the API server is missing, before or after.
        server.until("finishes requests in flight");
        assert!(server.child.0.wait().unwrap().success());
    }
}

#[test]
fn important_settings_and_flags_without_effect_are_logged_once_at_start() {
    let server = Running::start(&[
        "--metric-resolution=15s",
        "--kubelet-preferred-address-types=InternalIP,Hostname",
        "-l=pool=web",
        "--profiling=false",
        "--audit-log-path=/var/log/audit",
        "--audit-log-path=-",
    ]);
    let lines = server.until(" serves on ");
    let about: Vec<_> = lines.iter().filter(|line| line.contains("--")).collect();
    assert_eq!(about.len(), 1, "{lines:?}");
    assert!(
        about[0].ends_with(
            "flags of metrics-server that have no effect here: --audit-log-path, --profiling"
        ),
        "{lines:?}"
    );
    let last = lines.last().unwrap();
    assert!(
        last.contains(
            "nodes with pool=web of https://127.0.0.1:1/ every 15s, kubelets at InternalIP,Hostname port 10250 \
             within 10s, their certificates not verified"
        ),
        "{last}"
    );

    let server = Running::start(&[]);
    let lines = server.until(" serves on ");
    assert!(
        !lines.iter().any(|line| line.contains("no effect")),
        "{lines:?}"
    );
}

#[test]
fn the_first_signal_starts_the_shutdown_delay_and_the_second_ends_the_server() {
    let mut server = Running::start(&["--shutdown-delay-duration=1h"]);
    server.until(" serves on ");
    server.signal("TERM");
    server.until("serves for another 1h");
    TcpStream::connect(server.address).expect("the server still listens");
    server.signal("TERM");
    server.until("ends at once");
    assert_eq!(server.child.0.wait().unwrap().code(), Some(1));
}

#[test]
fn a_killed_server_starts_again_on_the_same_address() {
    let mut server = Running::start(&[]);
    server.until(" serves on ");
    server.signal("KILL");
    server.child.0.wait().unwrap();
    let again = Running::start(&[&format!("--secure-port={}", server.address.port())]);
    let line = again.until(" serves on ").pop().unwrap();
    assert!(line.contains(&server.address.to_string()), "{line}");
}
