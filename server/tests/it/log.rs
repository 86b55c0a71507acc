//! The log while the API server or a credential fails: one line for each failure, in plain words.

use std::collections::BTreeMap;

use kubevitals_sim::apiserver::{Answer, Serves};
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Cluster, Config};

use crate::cli::Running;
use crate::harness::{Harness, wait_until};

const FORBIDDEN: &str = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"pods is forbidden: RBAC is not there yet","reason":"Forbidden","details":{"kind":"pods"},"code":403}"#;
const BROKEN: &str = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"etcdserver: leader changed","reason":"InternalError","code":500}"#;
const PAGE: &str = "<!DOCTYPE html>\n<html>\n<body>Sign in</body></html>";

async fn cluster() -> (Cluster, tempfile::TempDir, String) {
    let cluster = Cluster::start(Config {
        nodes: 1,
        pods_per_node: 3,
        ..Config::default()
    })
    .await
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kubeconfig");
    cluster.write_server_kubeconfig(&file).unwrap();
    let flag = format!("--kubeconfig={}", file.display());
    (cluster, folder, flag)
}

/// Checks that no line is there twice, apart from numbers, and that none contains debug output.
fn is_plain(lines: &[String]) {
    let mut seen: BTreeMap<String, &String> = BTreeMap::new();
    for line in lines {
        for structure in [
            "Status {",
            "Api(",
            "Some(",
            "Error {",
            "{ ",
            "unreported=0",
            "kube_",
            "hyper",
        ] {
            assert!(!line.contains(structure), "{structure:?} in {line}");
        }
        let level = line
            .find("WARN")
            .or_else(|| line.find("INFO"))
            .unwrap_or_default();
        let (_, text) = line.split_at(level);
        let key: String = text.chars().filter(|c| !c.is_ascii_digit()).collect();
        assert!(
            seen.insert(key, line).is_none(),
            "twice: {line}\n{lines:#?}"
        );
    }
    assert!(lines.len() <= 16, "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_api_server_failure_is_logged_once() {
    let json = "application/json";
    for (code, content_type, body, expected) in [
        (
            403,
            json,
            FORBIDDEN,
            "403 Forbidden from the API server: pods is forbidden: RBAC is not there yet",
        ),
        (
            500,
            json,
            BROKEN,
            "500 Internal Server Error from the API server: etcdserver: leader changed",
        ),
        (
            200,
            "text/html",
            PAGE,
            "the answer is text/html, which no Kubernetes API server sends",
        ),
        (
            503,
            "text/plain",
            "no healthy upstream",
            "503 Service Unavailable from the API server: no healthy upstream",
        ),
    ] {
        let (cluster, _folder, flag) = cluster().await;
        cluster.api().answer_with(Some(Answer {
            code,
            content_type,
            body,
        }));
        let server = Running::start(&[&flag]);
        let mut lines = server.until(expected);
        // By then each watch has tried more than once.
        wait_until("it has asked again", async || {
            cluster.api().requests() >= 16
        })
        .await;
        cluster.api().answer_with(None);
        lines.extend(server.until("INFO the API server answers"));
        is_plain(&lines);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_resets_is_one_failure() {
    let (cluster, _folder, flag) = cluster().await;
    cluster.cut_api(true);
    let server = Running::start(&[&flag]);
    let mut lines = server.until("the API server cannot be watched");
    assert!(!lines.last().unwrap().contains("client error"), "{lines:?}");
    cluster.cut_api(false);
    lines.extend(server.until("INFO the API server answers again"));
    is_plain(&lines);
}

#[test]
fn an_absent_api_server_is_one_failure() {
    let server = Running::start(&[]);
    let lines = server.until("the API server cannot be watched");
    assert!(
        lines.last().unwrap().contains("onnection refused"),
        "{lines:?}"
    );
    is_plain(&lines);
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_permissions_are_logged() {
    let (cluster, folder, _) = cluster().await;
    let file = folder.path().join("nobody");
    let config = cluster.api().service_account_kubeconfig("a", "nobody");
    std::fs::write(&file, config).unwrap();
    let server = Running::start(&[&format!("--kubeconfig={}", file.display())]);
    let mut lines = server.until("resource=\"pods\"");
    if !lines.iter().any(|line| line.contains("resource=\"nodes\"")) {
        lines.extend(server.until("resource=\"nodes\""));
    }
    wait_until("it has asked again", async || {
        cluster.api().requests() >= 12
    })
    .await;
    is_plain(&lines);
    let said = lines.join("\n");
    assert!(
        said.contains("grant this account list and watch of pods"),
        "{said}"
    );
}

#[test]
fn a_missing_credential_is_named_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let config = |user: &str| {
        format!(
            "apiVersion: v1\nkind: Config\nclusters: [{{name: c, cluster: {{server: 'https://127.0.0.1:1'}}}}]\n\
             users: [{{name: jane, user: {user}}}]\ncontexts: [{{name: x, context: {{cluster: c, user: jane}}}}]\n\
             current-context: x\n"
        )
    };
    let empty = folder.path().join("token");
    std::fs::write(&empty, "\n").unwrap();
    let file = format!("{{tokenFile: {}}}", empty.display());
    for flag in [
        "--kubeconfig",
        "--authentication-kubeconfig",
        "--authorization-kubeconfig",
    ] {
        for (user, expected) in [
            (
                "{token: ''}",
                "user jane has an empty token: requests to the API server are anonymous",
            ),
            (
                "{}",
                "user jane has no token, client certificate or other credential",
            ),
            (
                file.as_str(),
                "that is empty: requests to the API server are anonymous",
            ),
        ] {
            let file = folder.path().join("config");
            std::fs::write(&file, config(user)).unwrap();
            let flag = format!("{flag}={}", file.display());
            let lines = Running::start(&[&flag]).until(" serves on ");
            let said: Vec<&String> = lines
                .iter()
                .filter(|line| line.contains(expected))
                .collect();
            assert_eq!(said.len(), 1, "{flag}, {user}: {lines:#?}");
            assert!(
                said[0].contains(&format!("kubeconfig {}: ", file.display())),
                "{lines:#?}"
            );
        }
    }
    let lines = Running::start(&[]).until(" serves on ");
    assert!(
        !lines.iter().any(|line| line.contains("anonymous")),
        "{lines:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_api_server_is_listed_and_watched() {
    for (protobuf, watch_list) in [(true, true), (true, false), (false, true), (false, false)] {
        let serves = Serves {
            protobuf,
            watch_list,
        };
        let config = Config {
            nodes: 2,
            pods_per_node: 3,
            ..Config::default()
        };
        let harness = Harness::start_on(config, |cluster| cluster.api().set_serves(serves)).await;
        let watches = harness.server.query().watches();
        wait_until("all is listed", async || {
            watches.all().iter().all(|(_, watch)| watch.synced())
        })
        .await;
        let (before, store) = (watches.pods.last_version(), harness.cluster.store());
        let pods = store.snapshot(Resource::Pods);
        let (_, pod) = pods.range(None, None).next().unwrap();
        store.delete(
            Resource::Pods,
            pod.meta().namespace.as_deref(),
            &pod.meta().name,
        );
        wait_until("a change is seen", async || {
            watches.pods.last_version() != before
        })
        .await;
        assert!(
            watches.all().iter().all(|(_, watch)| watch.failures() == 0),
            "{serves:?}"
        );
    }
}
