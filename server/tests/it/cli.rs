//! The program as it is typed: what is wrong is one line that says what and where, and exit status 2.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Output, Stdio};

use assert_cmd::Command;

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
    // A log line may come before; the refusal is the last one.
    let last = said.lines().last().unwrap_or_default().to_owned();
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
        (&["--metric-resolution"], "--metric-resolution"),
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

#[test]
fn it_logs_json_and_ends_well_when_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = write(folder.path(), "config", KUBECONFIG);
    // Port 0 is no flag's value: one that was free a moment ago has to do.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut server = EndsWithTheTest(
        std::process::Command::new(env!("CARGO_BIN_EXE_vitals-server"))
            .args([
                "--kubeconfig",
                &kubeconfig,
                "--kubelet-insecure-tls",
                "--logging-format=json",
            ])
            .args([
                "--bind-address=127.0.0.1",
                "--secure-port",
                &port.to_string(),
            ])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let mut lines = BufReader::new(server.0.stderr.take().unwrap()).lines();
    let first: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(first["level"], "INFO");
    assert!(
        first["message"]
            .as_str()
            .unwrap()
            .contains("serves on 127.0.0.1"),
        "{first}"
    );
    let told = std::process::Command::new("kill")
        .args(["-TERM", &server.0.id().to_string()])
        .status()
        .unwrap();
    assert!(told.success());
    assert!(server.0.wait().unwrap().success());
    // A watch may still complain of the API server that is not there; the order of the two is open.
    let said: Vec<String> = lines.map(Result::unwrap).collect();
    let well = |line: &String| line.contains("requests under way are finished");
    assert!(said.iter().any(well), "{said:?}");
}
