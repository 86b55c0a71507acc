//! docs/operations.md and the alerts: what is written there is what the manifests and the server have.

use kubevitals_sim::{Config, Faults};

use super::alerts::alerts;
use super::rendered::repository;
use crate::harness::Harness;

/// Metrics of others: of Prometheus itself, and of the kube-apiserver.
const NOT_OURS: [&str; 2] = ["up", "aggregator_unavailable_apiservice"];

#[tokio::test]
async fn alerts_are_over_metrics_that_the_server_has() {
    let config = Config {
        nodes: 1,
        pods_per_node: 1,
        faults: Faults::None,
        ..Config::default()
    };
    // As in the manifests.
    let harness = Harness::start_with(config, |settings| settings.tls.manage = true).await;
    let (status, body) = harness.get("/metrics").await;
    assert_eq!(status, 200);
    let exposed = String::from_utf8(body).unwrap();
    let mut count = 0;
    for (alert, expression) in alerts() {
        // Each selector names its job, or else its object.
        for before in expression
            .split('{')
            .collect::<Vec<_>>()
            .split_last()
            .unwrap()
            .1
        {
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let name = before.rsplit(|c| !is_name(c)).next().unwrap();
            if NOT_OURS.contains(&name) {
                continue;
            }
            count += 1;
            let family = name.strip_suffix("_bucket").unwrap_or(name);
            assert!(
                exposed.contains(&format!("# TYPE {family} ")),
                "{alert}: there is no {family}"
            );
        }
    }
    assert!(count >= alerts().len());
}

#[test]
fn every_alert_is_explained_with_the_same_expression() {
    let docs = std::fs::read_to_string(repository("docs/operations.md")).unwrap();
    for (name, expression) in alerts() {
        assert!(docs.contains(&format!("**{name}**")), "{name}");
        assert!(docs.contains(&expression), "{name}: {expression}");
    }
}

/// What the log says is quoted as it stands in the source, up to where something is filled in.
#[test]
fn every_quoted_log_line_is_one_that_the_server_writes() {
    let docs = std::fs::read_to_string(repository("docs/operations.md")).unwrap();
    let mut source = String::new();
    read_all(&repository("server/src"), &mut source);
    let quoted: Vec<&str> = docs
        .split("Log: ")
        .skip(1)
        .flat_map(|rest| {
            let sentence = rest.split(['.', ';', '(']).next().unwrap_or_default();
            sentence.split('`').skip(1).step_by(2)
        })
        .collect();
    assert!(quoted.len() >= 10, "{quoted:?}");
    for line in quoted {
        assert!(source.contains(line), "the server never says {line:?}");
    }
}

fn read_all(folder: &std::path::Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, into);
        } else {
            into.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_flag_of_the_docs_is_one_that_the_server_takes() {
    use clap::CommandFactory;
    let docs = std::fs::read_to_string(repository("docs/operations.md")).unwrap();
    let section = docs
        .split("\n## ")
        .find(|s| s.starts_with("Flags"))
        .unwrap();
    let known = kubevitals_server::config::Flags::command();
    let named = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `--")?.split('`').next());
    let mut count = 0;
    for flag in named {
        count += 1;
        assert!(
            known
                .get_arguments()
                .any(|known| known.get_long() == Some(flag)),
            "--{flag}"
        );
    }
    assert!(count > 8);
}
