//! The program as it is typed: what is wrong is one line that says what and where, and exit status 2.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::mpsc::{Receiver, channel};

use assert_cmd::Command;

use crate::harness::PATIENCE;

fn run(arguments: &[&str]) -> Output {
    // No service account of a cluster this test may run in.
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
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    let last = said.lines().last().unwrap_or_default().to_owned();
    assert_eq!(said, format!("{last}\n"), "{arguments:?}: one line");
    assert!(last.starts_with("vitals-server: "), "{arguments:?}: {said}");
    assert!(
        !said.contains("panicked") && !said.contains("RUST_BACKTRACE"),
        "{said}"
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
fn what_is_wrong_is_one_line_and_exit_2() {
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
    for (arguments, said) in [
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
            "no --kubeconfig is given and this is no pod of a cluster",
        ),
        (&["--kubeconfig=/nowhere/config"], "/nowhere/config"),
        (&["--kubeconfig", &broken], "broken"),
        (&["--kubeconfig", &empty], "empty"),
        (&["--kubeconfig", &no_context], "no-context"),
        (&["--kubeconfig", &good], "the kubeconfig names no CA"),
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
        assert!(refusal.contains(said), "{arguments:?}: {refusal}");
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

/// A child that does not outlive a test that fails.
struct EndsWithTheTest(std::process::Child);

impl Drop for EndsWithTheTest {
    fn drop(&mut self) {
        let _already_ended = self.0.kill();
        let _already_waited = self.0.wait();
    }
}

/// A server that runs, and what it says.
pub(crate) struct Running {
    child: EndsWithTheTest,
    pub(crate) address: SocketAddr,
    lines: Receiver<String>,
    _folder: tempfile::TempDir,
}

impl Running {
    /// Starts one on a free port. Its API server and its kubelets do not exist.
    pub(crate) fn start(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kubeconfig = write(folder.path(), "config", KUBECONFIG);
        // Port 0 is no flag's value: one that was free a moment ago has to do.
        let address = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let mut child = EndsWithTheTest(
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
        let said = BufReader::new(child.0.stderr.take().unwrap()).lines();
        let (sender, lines) = channel();
        // Ends with the child, or with the test.
        std::thread::spawn(move || {
            said.map_while(Result::ok)
                .try_for_each(|line| sender.send(line))
        });
        Self {
            child,
            address,
            lines,
            _folder: folder,
        }
    }

    fn tell(&self, signal: &str) {
        let told = std::process::Command::new("kill")
            .args([&format!("-{signal}"), &self.child.0.id().to_string()])
            .status()
            .unwrap();
        assert!(told.success());
    }

    /// All lines up to the first one with `text`, that one last.
    pub(crate) fn until(&self, text: &str) -> Vec<String> {
        let mut said = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            let found = line.contains(text);
            said.push(line);
            if found {
                return said;
            }
        }
        panic!("it never said {text:?}: {said:?}");
    }
}

#[test]
fn it_logs_json_and_ends_well_when_told_to() {
    for signal in ["TERM", "INT"] {
        let mut server = Running::start(&["--logging-format=json"]);
        let line = server.until(" serves on ").pop().unwrap();
        let first: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(first["level"], "INFO");
        assert_eq!(first["address"], server.address.to_string());
        server.tell(signal);
        // A watch may complain of the API server that is not there, before or after.
        server.until("requests under way are finished");
        assert!(server.child.0.wait().unwrap().success());
    }
}

#[test]
fn the_settings_that_matter_and_the_flags_that_do_not_are_said_once_at_start() {
    let server = Running::start(&[
        "--metric-resolution=15s",
        "--kubelet-preferred-address-types=InternalIP,Hostname",
        "-l=pool=web",
        "--profiling=false",
        "--audit-log-path=/var/log/audit",
        "--audit-log-path=-",
    ]);
    let said = server.until(" serves on ");
    let about: Vec<_> = said.iter().filter(|line| line.contains("--")).collect();
    assert_eq!(about.len(), 1, "{said:?}");
    assert!(
        about[0].ends_with(
            "flags of metrics-server that have no effect here: --audit-log-path, --profiling"
        ),
        "{said:?}"
    );
    let last = said.last().unwrap();
    assert!(
        last.contains(
            "nodes with pool=web of https://127.0.0.1:1/ every 15s, kubelets at InternalIP,Hostname port 10250 \
             within 10s, their certificates not verified"
        ),
        "{last}"
    );

    let server = Running::start(&[]);
    let said = server.until(" serves on ");
    assert!(
        !said.iter().any(|line| line.contains("no effect")),
        "{said:?}"
    );
}

#[test]
fn asked_to_end_it_serves_for_its_delay_and_asked_again_it_ends_at_once() {
    let mut server = Running::start(&["--shutdown-delay-duration=1h"]);
    server.until(" serves on ");
    server.tell("TERM");
    server.until("it serves for another 1h");
    TcpStream::connect(server.address).expect("it still listens");
    server.tell("TERM");
    server.until("it ends at once");
    assert_eq!(server.child.0.wait().unwrap().code(), Some(1));
}

#[test]
fn killed_it_starts_again_on_the_same_address() {
    let mut server = Running::start(&[]);
    server.until(" serves on ");
    server.tell("KILL");
    server.child.0.wait().unwrap();
    let again = Running::start(&[&format!("--secure-port={}", server.address.port())]);
    let said = again.until(" serves on ").pop().unwrap();
    assert!(said.contains(&server.address.to_string()), "{said}");
}
