//! `vitals check` on a simulated cluster whose time is moved by hand, and on clusters that do not answer.

use std::collections::BTreeSet;
use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use kubevitals::model::check::Rule;
use kubevitals_sim::Fault;
use serde_json::Value;
use tempfile::TempDir;

use crate::api::kubeconfig;
use crate::ask::{At, Said, vitals};
use crate::running::Running;
use crate::schemas::fits;
use crate::simulated::calm;

/// A check of what fails, in this form. How much a simulated pod uses is not what these tests are about.
fn check(running: &Running, more: &str) -> Said {
    let line = format!("check --skip memory-limit,cpu-limit,node-cpu,node-memory {more}");
    let arguments: Vec<&str> = line.split_whitespace().collect();
    running.vitals(&arguments)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_exit_code_is_that_of_the_worst_problem() {
    let mut running = calm(3, 1).await;
    running.pass_for(Duration::from_secs(400)).await;
    let said = check(&running, "");
    assert_eq!((said.err.as_str(), said.code), ("", Some(0)), "{said:?}");
    assert!(
        said.out.starts_with("no problems; 3 nodes and ") && said.out.lines().count() == 1,
        "{}",
        said.out
    );
    let said = check(&running, "-o nagios");
    assert!(
        said.out
            .starts_with("VITALS OK - no problems | critical=0 ")
    );
    assert_eq!((said.err.as_str(), said.code), ("", Some(0)), "{said:?}");
    // metrics.k8s.io has neither incidents nor disks.
    let said = check(&running, "--source metrics");
    assert_eq!((said.err.as_str(), said.code), ("", Some(3)), "{said:?}");
    let doubt = "cannot judge incident, node-disk: metrics.k8s.io does not have what it needs\n";
    assert!(
        said.out.starts_with("no problems found; ") && said.out.ends_with(doubt),
        "{}",
        said.out
    );

    running.strike(Fault::CrashLoop).await;
    running.pass_for(Duration::from_secs(60)).await;
    let said = check(&running, "");
    assert_eq!((said.err.as_str(), said.code), ("", Some(2)), "{said:?}");
    let lines: Vec<&str> = said.out.lines().collect();
    assert!(lines[0].starts_with("SEVERITY   RULE "), "{}", said.out);
    assert!(
        lines[1].starts_with("critical   incident ") && lines[1].contains("restarts: exit "),
        "{}",
        said.out
    );
    assert!(
        lines[lines.len() - 1].starts_with("1 critical; 3 nodes and "),
        "{}",
        said.out
    );

    let json = check(&running, "-o json");
    let report: Value = serde_json::from_str(&json.out).unwrap();
    let problem = &report["problems"][0];
    assert_eq!(json.code, Some(2));
    fits("check", &report);
    assert_eq!(
        (
            &report["kind"],
            &report["source"],
            &report["verdict"],
            &report["exitCode"]
        ),
        (
            &"Check".into(),
            &"vitals".into(),
            &"critical".into(),
            &2.into()
        )
    );
    assert_eq!(
        (&problem["severity"], &problem["rule"], &problem["kind"]),
        (&"critical".into(), &"incident".into(), &"Pod".into())
    );
    let (namespace, pod) = (&problem["namespace"], &problem["name"]);
    let (namespace, pod) = (namespace.as_str().unwrap(), pod.as_str().unwrap());

    let said = check(&running, "-o nagios");
    let expected = format!("VITALS CRITICAL - 1 critical: Pod {namespace}/{pod} (");
    assert!(said.out.starts_with(&expected), "{}", said.out);
    assert_eq!((said.out.lines().count(), said.code), (1, Some(2)));
    let said = check(&running, "-o csv");
    assert!(
        said.out
            .starts_with("severity,rule,kind,namespace,name,container,since,message\r\n"),
        "{}",
        said.out
    );

    // Without incidents the state of the pod says the same.
    let rules = ["check", "--only", "pod-broken,restarted", "-n", namespace];
    let said = running.vitals(&rules);
    assert!(said.out.contains(pod) && said.code > Some(0), "{said:?}");
    let said = check(&running, "-n elsewhere");
    assert_eq!(
        (said.out.as_str(), said.code),
        ("no problems; 0 pods checked\n", Some(0))
    );
    closed_pipe_is_quiet(&running);
    running.stop().await;
}

#[test]
fn the_document_has_every_rule() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/check.md");
    let text = std::fs::read_to_string(path).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = rows.filter_map(|row| row.split(" | ").next());
    let names: BTreeSet<&str> = cells
        .flat_map(|cell| cell.split(", "))
        .map(|name| name.trim_matches('`'))
        .filter(|name| !name.starts_with("vitals "))
        .collect();
    let rules: BTreeSet<&str> = Rule::ALL.iter().map(|rule| rule.name()).collect();
    assert_eq!(names, rules);
}

/// A reader that has seen enough is no error, and the exit code stays that of the check.
fn closed_pipe_is_quiet(running: &Running) {
    tokio::task::block_in_place(|| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_vitals"))
            .args(["check", "-o", "json", "--skip", "memory-limit,cpu-limit"])
            .env("KUBECONFIG", running.kubeconfig())
            .env("HOME", running.directory())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let code = child.wait().unwrap().code();
        let mut err = String::new();
        child.stderr.unwrap().read_to_string(&mut err).unwrap();
        assert_eq!((err.as_str(), code), ("", Some(2)));
    });
}

/// A cluster at an address.
struct Address {
    folder: TempDir,
}

impl Address {
    fn new(address: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let text = kubeconfig(&format!("http://{address}"));
        std::fs::write(folder.path().join("kubeconfig"), text).unwrap();
        Self { folder }
    }
}

impl At for Address {
    fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    fn directory(&self) -> &Path {
        self.folder.path()
    }
}

#[test]
fn a_cluster_that_does_not_answer_is_unknown() {
    // It accepts connections, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = gone.local_addr().unwrap().to_string();
    drop(gone);
    for (address, expected) in [
        (
            address,
            "the cluster has not answered within 1s; --timeout changes that",
        ),
        (closed, "was refused"),
    ] {
        let at = Address::new(&address);
        let said = vitals(&at, &["check", "--timeout", "1s"]);
        assert_eq!((said.out.as_str(), said.code), ("", Some(3)), "{said:?}");
        assert!(said.err.contains(expected), "{}", said.err);
        assert_eq!(said.err.lines().count(), 1, "{}", said.err);
        // A Nagios plugin prints to the standard output.
        let said = vitals(&at, &["check", "-t", "1s", "-o", "nagios"]);
        assert_eq!((said.err.as_str(), said.code), ("", Some(3)), "{said:?}");
        assert!(
            said.out.starts_with("VITALS UNKNOWN - ") && said.out.contains(expected),
            "{}",
            said.out
        );
        assert_eq!(said.out.lines().count(), 1, "{}", said.out);
    }
    drop(silent);
}

#[test]
fn what_is_wrong_before_the_first_request_is_unknown_too() {
    let at = Address::new("127.0.0.1:1");
    let config = at.directory().join("config.toml");
    std::fs::write(&config, "theme = \"pink\"\n").unwrap();
    for arguments in [
        vec!["check", "--bogus"],
        vec!["check", "-w", "95", "-c", "90"],
        vec!["check", "--context", "nowhere"],
        vec!["check", "--config", config.to_str().unwrap()],
    ] {
        let said = vitals(&at, &arguments);
        assert_eq!(
            (said.out.as_str(), said.code),
            ("", Some(3)),
            "{arguments:?}"
        );
        assert!(!said.err.is_empty());
    }
}

/// The pod of the only problem.
fn broken_pod(running: &Running) -> (String, String) {
    let report: Value = serde_json::from_str(&check(running, "-o json").out).unwrap();
    let problem = &report["problems"][0];
    let text = |member: &str| problem[member].as_str().unwrap().to_owned();
    (text("namespace"), text("name"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_difference_and_a_description_show_what_broke() {
    let mut running = calm(3, 1).await;
    running.pass_for(Duration::from_secs(400)).await;
    let before = running.now();
    running.strike(Fault::CrashLoop).await;
    running.pass_for(Duration::from_secs(60)).await;
    let (namespace, pod) = broken_pod(&running);

    let said = running.vitals(&["diff", "--at", "-61s", "-o", "json"]);
    assert_eq!((said.err.as_str(), said.code), ("", Some(0)), "{said:?}");
    let diff: Value = serde_json::from_str(&said.out).unwrap();
    fits("diff", &diff);
    let began = &diff["differences"][0];
    assert_eq!(
        (&began["what"], &began["name"], &began["after"]),
        (
            &"incident-began".into(),
            &pod.as_str().into(),
            &"open".into()
        ),
        "{diff:#}"
    );
    let whats = diff["differences"].as_array().unwrap().iter();
    let of_pod = whats.filter(|it| it["name"] == pod.as_str() && it["what"] == "restarts");
    assert_eq!(of_pod.count(), 1, "{diff:#}");
    let at = before.to_rfc3339_seconds();
    let said = running.vitals(&["diff", "--at", &at, "-n", "elsewhere"]);
    assert!(
        said.out
            .starts_with(&format!("no differences between {at} and ")),
        "{said:?}"
    );
    for (arguments, expected, code) in [
        (
            vec!["--at", "-5m", "--source", "metrics"],
            "only vitals-server has a history",
            1,
        ),
        (vec!["--at", "-25h"], "the history goes from", 1),
        (
            vec!["--at", "yesterday"],
            "--at \"yesterday\": expected a time before now",
            2,
        ),
        (vec!["--at", "-1m", "--until", "-2m"], "is not before", 2),
    ] {
        let arguments = [vec!["diff"], arguments].concat();
        let said = running.vitals(&arguments);
        assert_eq!((said.out.as_str(), said.code), ("", Some(code)), "{said:?}");
        assert!(said.err.contains(expected), "{}", said.err);
        assert_eq!(said.err.lines().count(), 1, "{}", said.err);
    }

    let name = format!("{namespace}/{pod}");
    let said = running.vitals(&["describe", "pod", &name]);
    assert_eq!((said.err.as_str(), said.code), ("", Some(0)), "{said:?}");
    for line in [
        "Namespace:",
        "Name:",
        "Status:",
        " CONTAINER ",
        " INCIDENTS",
        " EVENTS",
    ] {
        let has = said.out.lines().any(|text| text.starts_with(line));
        assert!(has, "{line}: {}", said.out);
    }
    let said = running.vitals(&["describe", "pod", &name, "-o", "json"]);
    let description: Value = serde_json::from_str(&said.out).unwrap();
    fits("describe", &description);
    assert_eq!(description["object"]["name"], pod.as_str());
    assert_eq!(
        description["incidents"][0]["involved"]["name"],
        pod.as_str()
    );
    assert!(!description["containers"].as_array().unwrap().is_empty());
    let said = running.vitals(&["describe", "node", "node-0001"]);
    assert!(
        said.out.starts_with("Name: ") && said.out.contains("\n PODS\n"),
        "{said:?}"
    );
    let said = running.vitals(&["describe", "pod", "nobody"]);
    assert_eq!(
        (said.out.as_str(), said.err.as_str(), said.code),
        (
            "",
            "Error from server (NotFound): pods \"nobody\" not found\n",
            Some(1)
        )
    );
    running.stop().await;
}
