//! `vitals demo`: the whole product in one process, with itself and a real kubectl as clients.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::ask::{At, kubectl, same_while_still, vitals};

/// A demo that runs until dropped.
pub(crate) struct Demo {
    child: Child,
    folder: TempDir,
}

impl At for Demo {
    fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    fn directory(&self) -> &Path {
        self.folder.path()
    }
}

impl Demo {
    pub(crate) fn start(flags: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_vitals"))
            .args(["demo", "--kubeconfig-out"])
            .arg(folder.path().join("kubeconfig"))
            .args(flags)
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        Self { child, folder }
    }

    /// Waits until a condition holds; a minute is far longer than it ever takes.
    pub(crate) fn wait_until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let begin = Instant::now();
        while !holds(self) {
            assert!(begin.elapsed() < Duration::from_secs(60), "{what}: never");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn once(flags: &[&str]) -> Output {
    let arguments = [&["demo", "--once"], flags].concat();
    Command::new(env!("CARGO_BIN_EXE_vitals"))
        .args(arguments)
        .output()
        .unwrap()
}

/// The rows under the headings that begin with a word.
fn table<'a>(text: &'a str, first: &str) -> Vec<Vec<&'a str>> {
    let lines = text
        .lines()
        .skip_while(|line| line.split(' ').next() != Some(first))
        .skip(1);
    lines
        .take_while(|line| !line.is_empty())
        .map(|line| line.split_whitespace().collect())
        .collect()
}

#[test]
fn once_prints_nodes_and_pods_and_ends() {
    let output = once(&["--nodes", "3", "--pods-per-node", "5"]);
    let (out, err) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{err}");
    assert_eq!(err, "");
    let nodes = table(&out, "NAME");
    assert_eq!(nodes.len(), 3, "{out}");
    for node in nodes {
        assert!(node[1] != "0m" && node[1].ends_with('m'), "{out}");
        assert!(node[3] != "0Mi" && node[3].ends_with("Mi"), "{out}");
    }
    let pods = table(&out, "NAMESPACE");
    assert_eq!(pods.len(), 15, "{out}");
    for pod in pods {
        assert!(pod[2] != "0m" && pod[3] != "0Mi", "{out}");
    }
}

#[test]
fn a_folder_that_holds_no_recording_is_named() {
    let output = once(&["--replay", "/nowhere"]);
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(
        err.starts_with("error: --replay: ") && err.contains("/nowhere"),
        "{err}"
    );
    assert_eq!(err.lines().count(), 1, "{err}");
}

#[test]
fn kubectl_and_vitals_agree_on_the_demo() {
    let demo = Demo::start(&["--nodes", "3", "--pods-per-node", "7"]);
    demo.wait_until("metrics of all nodes", |demo| {
        demo.kubeconfig().exists() && {
            let said = vitals(demo, &["top", "nodes", "--no-headers"]);
            said.out.lines().count() == 3 && !said.out.contains("<unknown>")
        }
    });
    for line in [
        "top nodes",
        "top nodes --show-capacity --sort-by=memory",
        "top node node-0001",
        "top node nope",
        "top pods -A",
        "top pods -A --containers",
        "top pods -A --sort-by=cpu --sum",
        "top pods -A --use-protocol-buffers=false",
        "top pods -n kube-system --no-headers",
        "top pods -n none",
        "top pods",
        "top pod nope -n shop",
        "top pods -A -l app=web",
        "top pods -A -l nothing=like-it",
        "top pods -l a=b=c",
        "top pods -A --field-selector metadata.namespace=kube-system",
    ] {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        same_while_still(&demo, &arguments);
    }
    for line in [
        "get nodes,pods -A",
        "get --raw /apis/metrics.k8s.io/v1beta1/nodes",
        "get --raw /apis/metrics.k8s.io/v1/pods",
    ] {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let said = kubectl(&demo, &arguments);
        assert_eq!((said.err.as_str(), said.code), ("", Some(0)), "{line}");
    }
}

#[cfg(unix)]
#[test]
fn a_signal_ends_the_demo_and_removes_its_files() {
    let temporary = TempDir::new().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_vitals"))
        .args(["demo", "--nodes", "1", "--pods-per-node", "1"])
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let left = || std::fs::read_dir(temporary.path()).unwrap().count();
    let begin = Instant::now();
    while left() == 0 {
        assert!(begin.elapsed() < Duration::from_secs(60), "never started");
        std::thread::sleep(Duration::from_millis(20));
    }
    let status = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
    assert!(child.wait().unwrap().success());
    assert_eq!(left(), 0);
}
