//! Completions, in real shells over a simulated cluster: commands and flags, and names from the cluster and kubeconfig.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::ask::{At, Said, run_in};
use crate::demo::Demo;
use crate::terminal::Terminal;

/// A folder with the program under each of its names, as `make install` makes it.
fn installed() -> TempDir {
    let folder = TempDir::new().unwrap();
    for name in ["vitals", "kubectl-vitals", "kubectl_complete-vitals"] {
        let link = folder.path().join(name);
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_vitals"), link).unwrap();
    }
    folder
}

/// PATH with that folder in front.
fn path(programs: &TempDir) -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{}:{path}", programs.path().display())
}

/// A cluster of two nodes, and the programs.
fn cluster() -> (Demo, TempDir) {
    let demo = Demo::start(&["--nodes", "2", "--pods-per-node", "4"]);
    demo.wait_until("the cluster", |demo| demo.kubeconfig().exists());
    (demo, installed())
}

fn completed(at: &impl At, words: &[&str]) -> Said {
    let arguments = [&["__complete"], words].concat();
    run_in(env!("CARGO_BIN_EXE_vitals"), at, &arguments, &[])
}

/// The completed words, without what is said about them.
fn words(said: &Said) -> Vec<&str> {
    let lines = said.out.lines().filter(|line| !line.starts_with(':'));
    lines
        .map(|line| line.split('\t').next().unwrap_or_default())
        .collect()
}

/// A kubeconfig alone, and its folder.
struct Kubeconfig(TempDir);

impl Kubeconfig {
    fn new(text: &str) -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("kubeconfig"), text).unwrap();
        Self(folder)
    }
}

impl At for Kubeconfig {
    fn kubeconfig(&self) -> PathBuf {
        self.0.path().join("kubeconfig")
    }

    fn directory(&self) -> &Path {
        self.0.path()
    }
}

#[test]
fn names_come_from_the_cluster() {
    let (demo, programs) = cluster();
    let namespaces = completed(&demo, &["top", "pods", "-n", "kube-s"]);
    assert_eq!(
        (
            namespaces.out.as_str(),
            namespaces.err.as_str(),
            namespaces.code
        ),
        ("kube-system\tActive\n:4\n", "", Some(0))
    );
    let nodes = completed(&demo, &["why", "node", ""]);
    assert_eq!(words(&nodes), ["node-0001", "node-0002"]);
    assert!(nodes.out.contains("node-0001\tReady\n"), "{}", nodes.out);
    let pods = completed(&demo, &["-n=kube-system", "top", "po", ""]);
    let all = ["get", "pods", "-n", "kube-system", "-o", "name"];
    let listed = run_in("kubectl", &demo, &all, &[]).out;
    let listed: Vec<&str> = listed.lines().map(|line| &line["pod/".len()..]).collect();
    assert!(!listed.is_empty());
    assert_eq!(words(&pods), listed);
    let by_flag = completed(&demo, &["--namespace=kube-s"]);
    assert_eq!(words(&by_flag), ["--namespace=kube-system"]);

    // kubectl itself asks the plugin.
    let path = path(&programs);
    let asked = |arguments: &[&str]| {
        let said = run_in("kubectl", &demo, arguments, &[("PATH", path.as_str())]);
        let lines: Vec<String> = said.out.lines().map(str::to_owned).collect();
        lines
    };
    let nodes = asked(&["__complete", "vitals", "top", "node", ""]);
    assert_eq!(nodes, ["node-0001\tReady", "node-0002\tReady", ":4"]);
    let commands = asked(&["__complete", "vitals", "wh"]);
    assert!(commands[0].starts_with("why\t"), "{commands:?}");
}

/// Who is typing wants no errors.
#[test]
fn a_cluster_that_cannot_be_reached_has_no_names_and_no_errors() {
    for text in [
        "not: [a kubeconfig",
        "",
        r#"{"current-context":"c","contexts":[{"name":"c","context":{"cluster":"k","user":"u"}}],
            "clusters":[{"name":"k","cluster":{"server":"http://127.0.0.1:1"}}]}"#,
        r#"{"current-context":"c","contexts":[{"name":"c","context":{"cluster":"k","user":"u"}}],
            "clusters":[{"name":"k","cluster":{"server":"http://127.0.0.1:1"}}],
            "users":[{"name":"u","user":{"exec":{"apiVersion":"client.authentication.k8s.io/v1",
                "command":"sh","args":["-c","echo no >&2; exit 1"],"interactiveMode":"Never"}}}]}"#,
    ] {
        let kubeconfig = Kubeconfig::new(text);
        let said = completed(&kubeconfig, &["top", "pod", ""]);
        assert_eq!(
            (said.out.as_str(), said.err.as_str()),
            (":4\n", ""),
            "{text}"
        );
    }
}

/// A server that accepts the connection and never answers.
#[test]
fn a_silent_cluster_is_left_after_two_seconds() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    let kubeconfig = Kubeconfig::new("");
    let said = completed(&kubeconfig, &["--server", &server, "-n", ""]);
    assert_eq!((said.out.as_str(), said.err.as_str()), (":4\n", ""));
}

const CONTEXTS: &str = r#"{"current-context":"c","contexts":[
    {"name":"arn:aws:eks:eu:1:cluster/shop","context":{"cluster":"k","user":"u"}},
    {"name":"a b","context":{"cluster":"k","user":"u"}},
    {"name":"evil\u001b[31m","context":{"cluster":"k","user":"u"}}],
    "clusters":[{"name":"k=v","cluster":{"server":"http://127.0.0.1:1"}}],
    "users":[{"name":"admin@k","user":{}}]}"#;

#[test]
fn contexts_clusters_and_users_come_from_the_kubeconfig() {
    let kubeconfig = Kubeconfig::new(CONTEXTS);
    for (line, expected) in [
        (
            ["--context", ""],
            vec!["arn:aws:eks:eu:1:cluster/shop", "a b"],
        ),
        (["--context", "a "], vec!["a b"]),
        (["--cluster", ""], vec!["k=v"]),
        (["--user", "ad"], vec!["admin@k"]),
    ] {
        let said = completed(&kubeconfig, &line);
        assert_eq!(words(&said), expected, "{line:?}");
    }
    // The shell completes files.
    assert_eq!(completed(&kubeconfig, &["--kubeconfig", ""]).out, ":0\n");
}

/// An interactive shell with the completions.
struct Shell(Terminal);

impl Shell {
    /// None without the shell.
    fn start(command: &str, load: &str, at: &impl At, programs: &TempDir) -> Option<Self> {
        let mut words = command.split(' ');
        let program = words.next().unwrap();
        if Command::new(program).arg("--version").output().is_err() {
            eprintln!("{program} is missing: its completions are not checked");
            return None;
        }
        let (path, home) = (path(programs), at.directory().to_str().unwrap());
        let kubeconfig = at.kubeconfig();
        let variables = [
            ("PATH", path.as_str()),
            ("HOME", home),
            ("KUBECONFIG", kubeconfig.to_str().unwrap()),
            ("PS1", "ready> "),
            ("INPUTRC", "/dev/null"),
            ("XDG_CONFIG_HOME", home),
            ("XDG_DATA_HOME", home),
        ];
        let arguments: Vec<&str> = words.collect();
        let terminal = Terminal::run(program, &arguments, home, 160, 30, &variables);
        let mut shell = Self(terminal);
        // In two parts, so that the echo of the line is not what is waited for.
        shell.0.send(&format!("{load}; echo load''ed\r"));
        shell.0.wait_for_text("loaded");
        Some(shell)
    }

    /// Types, presses Tab, waits for the text, and clears the line.
    fn completes(&mut self, typed: &str, expected: &str) {
        self.0.send(&format!("{typed}\t"));
        self.0.wait_for_text(expected);
        self.0.send("\x15");
    }

    fn completes_what_people_type(&mut self) {
        for (typed, expected) in [
            ("vitals comp", "vitals completion "),
            ("vitals top pod -n kube-s", "vitals top pod -n kube-system "),
            (
                "vitals top pod --namespace=kube-s",
                "vitals top pod --namespace=kube-system ",
            ),
            ("vitals top pod --show-s", "vitals top pod --show-swap "),
            ("kubectl-vitals why no", "kubectl-vitals why node "),
            (
                "vitals top pod --sort-by mem",
                "vitals top pod --sort-by memory ",
            ),
            (
                "vitals --kubeconfig kubec",
                "vitals --kubeconfig kubeconfig ",
            ),
            (
                "vitals --kubeconfig=kubec",
                "vitals --kubeconfig=kubeconfig ",
            ),
        ] {
            self.completes(typed, expected);
        }
    }

    /// Types, presses Tab until all of several words are listed, and clears the line.
    fn lists(&mut self, typed: &str, expected: &[&str]) {
        self.0.send(&format!("{typed}\t\t"));
        for word in expected {
            self.0.wait_for_text(word);
        }
        self.0.send("\x15");
    }
}

#[test]
fn bash_completes() {
    let (demo, programs) = cluster();
    let load = "source <(vitals completion bash)";
    let command = "bash --norc --noprofile -i";
    let Some(mut shell) = Shell::start(command, load, &demo, &programs) else {
        return;
    };
    shell.completes_what_people_type();
    shell.lists("vitals why node node-000", &["node-0001", "node-0002"]);
    let kubeconfig = Kubeconfig::new(CONTEXTS);
    let Some(mut shell) = Shell::start(command, load, &kubeconfig, &programs) else {
        return;
    };
    shell.completes(
        "vitals --context arn:aws:e",
        "arn:aws:eks:eu:1:cluster/shop ",
    );
    shell.completes(
        "vitals --context=arn:aws:eks:e",
        "--context=arn:aws:eks:eu:1:cluster/shop ",
    );
    shell.completes("vitals --context a\\ ", "vitals --context a\\ b ");
    shell.completes("vitals --cluster k=", "vitals --cluster k=v ");
    shell.completes("vitals --user admin@", "vitals --user admin@k ");
    shell.completes("vitals --user=adm", "vitals --user=admin@k ");
}

#[test]
fn zsh_completes_vitals_and_kubectl_vitals() {
    let (demo, programs) = cluster();
    let load = "autoload -Uz compinit; compinit -u -D; source <(vitals completion zsh); \
        source <(kubectl completion zsh)";
    let Some(mut shell) = Shell::start("zsh -f -i", load, &demo, &programs) else {
        return;
    };
    shell.completes_what_people_type();
    shell.lists(
        "vitals why node node-000",
        &["node-0001", "node-0002", "Ready"],
    );
    shell.completes(
        "kubectl vitals top pod -n kube-s",
        "kubectl vitals top pod -n kube-system ",
    );
}

#[test]
fn fish_completes() {
    let (demo, programs) = cluster();
    let load = "vitals completion fish | source";
    let Some(mut shell) = Shell::start("fish --no-config -i", load, &demo, &programs) else {
        return;
    };
    shell.completes_what_people_type();
    shell.lists("vitals why node node-000", &["node-0001", "node-0002"]);
}
