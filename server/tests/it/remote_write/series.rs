//! /metrics/vitals, the page with the series that remote write sends; docs/series.md; the dashboard for Grafana.

use std::collections::{BTreeMap, BTreeSet};

use kubevitals_sim::Faults;
use regex::Regex;
use reqwest::header::ACCEPT;
use serde_json::Value;

use super::config;
use crate::harness::{Harness, wait_until};
use crate::manifests::rendered::repository;
use crate::metrics::promtool;

const PATH: &str = "/metrics/vitals";

async fn cluster() -> Harness {
    let grant = |cluster: &kubevitals_sim::Cluster| cluster.identities().grant_exports();
    let harness = Harness::start_changed(config(3, Faults::None), grant, |_| {}).await;
    harness.first_step(3).await;
    harness.step(3).await;
    // Another page of the kubelet has them, which is read in its own turn.
    wait_until("the volumes are read", async || {
        page(&harness).await.contains("kubelet_volume_stats_")
    })
    .await;
    harness
}

async fn page(harness: &Harness) -> String {
    let (status, body) = harness.get(PATH).await;
    assert_eq!(status, 200);
    String::from_utf8(body).unwrap()
}

/// Name, type, labels and meaning of each family, as docs/series.md has them.
fn families(page: &str) -> BTreeMap<String, (String, BTreeSet<String>, String)> {
    let mut families: BTreeMap<String, (String, BTreeSet<String>, String)> = BTreeMap::new();
    let label = Regex::new(r#"([a-z_]+)="(?:[^"\\]|\\.)*""#).unwrap();
    for line in page.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').unwrap();
            families.entry(name.to_owned()).or_default().2 = help.to_owned();
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            kind.clone_into(&mut families.get_mut(name).unwrap().0);
        } else {
            let name = line.split(['{', ' ']).next().unwrap();
            let labels = label.captures_iter(line).map(|it| it[1].to_owned());
            families.get_mut(name).expect(line).1.extend(labels);
        }
    }
    families
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_is_valid_in_both_formats_and_has_every_pod() {
    let harness = cluster().await;
    let text = page(&harness).await;
    assert_eq!(promtool(&text), "");
    let pods = harness.pods().await;
    let ready = |pod: &str| {
        let sample = format!("pod=\"{pod}\"");
        let mut lines = text.lines();
        lines.any(|line| line.starts_with("kube_pod_status_ready{") && line.contains(&sample))
    };
    assert!(pods.iter().all(|pod| ready(pod)));
    let request = harness.request("GET", PATH);
    let openmetrics = request.header(ACCEPT, "application/openmetrics-text; version=1.0.0");
    let (status, body) = harness.send(openmetrics).await;
    assert_eq!(status, 200);
    let openmetrics = String::from_utf8(body).unwrap();
    assert!(openmetrics.ends_with("\n# EOF\n"));
    assert!(openmetrics.contains(
        "# TYPE container_cpu_usage_seconds counter\ncontainer_cpu_usage_seconds_total{"
    ));
    // The formats have the same samples, apart from the form of a time.
    let samples = |page: &str| page.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(samples(&openmetrics), samples(&text));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documentation_lists_all_series() {
    let families = families(&page(&cluster().await).await);
    let docs = std::fs::read_to_string(repository("docs/series.md")).unwrap_or_default();
    let rows = docs.lines().filter(|line| line.starts_with("| `"));
    let documented: BTreeMap<&str, &str> = rows
        .map(|row| (row.split('`').nth(1).unwrap(), row))
        .collect();
    let mut missing = String::new();
    for (name, (kind, labels, help)) in &families {
        let documented_labels = || {
            let row = documented.get(name.as_str())?;
            let cell = row.split(" | ").nth(2)?;
            Some(cell.trim().to_owned())
        };
        let seen: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
        // What the cluster of the test does not have has no labels to compare.
        let labels = match (seen.is_empty(), documented_labels()) {
            (true, Some(documented)) => documented,
            _ => seen.join(", "),
        };
        let row = format!("| `{name}` | {kind} | {labels} | {help} |");
        if documented.get(name.as_str()) != Some(&row.as_str()) {
            missing.push_str(&row);
            missing.push('\n');
        }
    }
    assert!(missing.is_empty(), "docs/series.md should have\n{missing}");
    for name in documented.keys() {
        assert!(
            families.contains_key(*name),
            "{name} is documented, and is none"
        );
    }
}

/// Every expression of a JSON document.
fn expressions<'a>(value: &'a Value, all: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if name == "expr" || name == "query" => all.push(text),
                    _ => expressions(member, all),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| expressions(item, all)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_dashboard_for_grafana_uses_series_and_labels_that_exist() {
    let families = families(&page(&cluster().await).await);
    let docs = std::fs::read_to_string(repository("docs/series.md")).unwrap();
    let json = std::fs::read(repository("deploy/grafana/kubevitals.json")).unwrap();
    let dashboard: Value = serde_json::from_slice(&json).unwrap();
    let mut all = Vec::new();
    expressions(&dashboard, &mut all);
    assert!(all.len() >= 15);
    let metric = Regex::new(r"\b(?:kube|kubevitals|container|node)_[a-z_]+\b").unwrap();
    let matcher = Regex::new(r#"([a-z_]+)(?:=~|!~|!=|=)""#).unwrap();
    let mut rules = String::from("groups:\n- name: dashboard\n  rules:\n");
    for (at, expression) in all.iter().enumerate() {
        if matches!(*expression, "prometheus") {
            continue;
        }
        let names: Vec<&str> = metric.find_iter(expression).map(|it| it.as_str()).collect();
        assert!(!names.is_empty(), "{expression}");
        for name in &names {
            assert!(families.contains_key(*name), "{name}: {expression}");
        }
        for label in matcher.captures_iter(expression) {
            let label = &label[1];
            assert!(
                label == "cluster" || docs.contains(&format!("`{label}`")),
                "{label}: {expression}"
            );
        }
        if !expression.starts_with("label_values(") {
            let quoted = serde_json::to_string(expression).unwrap();
            rules.push_str(&format!("  - {{record: 'a:{at}', expr: {quoted}}}\n"));
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.yaml");
    std::fs::write(&file, rules.replace("a:", "dashboard:panel")).unwrap();
    let mut check = std::process::Command::new("promtool");
    crate::manifests::rendered::output(check.args(["check", "rules"]).arg(file));
}
