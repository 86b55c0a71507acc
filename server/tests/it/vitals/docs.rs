//! Runs the examples in docs/api.md and compares their output: tables must have the same headings, other output the
//! same fields.

use std::collections::BTreeSet;

use kubevitals_sim::{Config, Faults};
use serde_json::Value;

use crate::examples::{examples, is_heading};
use crate::harness::{Harness, wait_until};
use crate::kubectl::{Kubectl, squeezed};

/// The paths of all members, including those of every item of a list.
fn members(value: &Value, place: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members_of) => {
            for (key, value) in members_of {
                let place = format!("{place}.{key}");
                members(value, &place, found);
                found.insert(place);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| members(item, place, found)),
        _ => {}
    }
}

fn members_of(json: &str) -> BTreeSet<String> {
    let value: Value = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"));
    let mut found = BTreeSet::new();
    members(&value, "", &mut found);
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_examples_of_the_page_are_real_output() {
    let harness = Harness::start(Config {
        faults: Faults::None,
        ..Config::default()
    })
    .await;
    harness.server.ready().await;
    harness.server.query().detector().detect();
    wait_until("the volumes are read", async || {
        let path = "/apis/kubevitals.io/v1alpha1/volumevitals";
        harness.json(path).await["items"] != serde_json::json!([])
    })
    .await;
    let kubectl = Kubectl::new(harness.cluster.kubeconfig());
    let page = include_str!("../../../../docs/api.md");
    let examples = examples(page);
    assert!(examples.len() >= 12, "{}", examples.len());
    for (command, printed) in examples {
        let command = command
            .strip_prefix("kubectl ")
            .expect("the page is about kubectl");
        // No argument contains a space.
        let output = kubectl.says(&command.replace('"', "")).await;
        let Some(first) = printed.first() else {
            continue;
        };
        if is_heading(first) {
            let headings = squeezed(&output).first().cloned().unwrap_or_default();
            // Without an incident kubectl prints nothing.
            if command.starts_with("get incidents") && headings.is_empty() {
                continue;
            }
            assert_eq!(headings, squeezed(first)[0], "{command}");
        } else if first.starts_with('{') {
            let documented = printed.join("").replace('…', "");
            let (documented, actual) = (members_of(&documented), members_of(&output));
            let missing: Vec<_> = documented.difference(&actual).collect();
            assert!(
                missing.is_empty(),
                "{command}: {missing:?} is not in {output}"
            );
        } else {
            for line in printed.iter().filter(|line| !line.trim().is_empty()) {
                let line = line.trim();
                let found = output.lines().any(|other| other.trim() == line);
                assert!(found, "{command}: {line:?} is not in\n{output}");
            }
        }
    }
}
