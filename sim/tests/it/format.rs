//! The pages against those of a real kubelet 1.36: the same families, texts, labels, order and forms of numbers.

use std::collections::{BTreeMap, BTreeSet};

use kubevitals_proto::time::Timestamp;
use kubevitals_sim::{Cluster, Config, Faults, SimClock, fixtures};
use serde::Serialize;
use serde_json::Value;

use crate::client::get;

async fn page(path: &str) -> String {
    let cluster = Cluster::start(Config {
        nodes: 2,
        pods_per_node: 30,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(1_800_000_000))),
        ..Config::default()
    })
    .await
    .unwrap();
    cluster.identities().grant(
        kubevitals_sim::identity::Subject::Group("system:authenticated".to_owned()),
        kubevitals_sim::identity::Rule::resources(&["get"], "", &["nodes/stats", "nodes/pods"]),
    );
    get(&cluster, "node-0001", path)
        .await
        .unwrap()
        .text()
        .to_owned()
}

fn captured(file: &str) -> String {
    std::fs::read_to_string(fixtures().join("kubelet-1.36").join(file)).unwrap()
}

/// The page's lines with what differs from cluster to cluster taken out: comments as they are, series by family,
/// label names and whether there is a timestamp. Repeated lines once.
fn shape(page: &str) -> Vec<String> {
    let mut lines: Vec<String> = page
        .lines()
        .map(|line| {
            if line.starts_with('#') {
                return line.to_owned();
            }
            let names: Vec<&str> = line
                .split_once('{')
                .map(|(_, rest)| {
                    rest.split("=\"")
                        .filter_map(|p| p.rsplit(['"', ',', '{']).next())
                        .collect()
                })
                .unwrap_or_default();
            let family = line.split(['{', ' ']).next().unwrap();
            let mut numbers = line
                .rsplit_once('}')
                .map_or(line, |(_, n)| n.trim_start())
                .split(' ');
            let stamped = numbers
                .next_back()
                .is_some_and(|n| n.len() == 13 && n.bytes().all(|b| b.is_ascii_digit()));
            format!(
                "{family} {} {stamped}",
                &names[..names.len().saturating_sub(1)].join(",")
            )
        })
        .collect();
    lines.dedup();
    lines
}

#[tokio::test]
async fn the_resource_page_has_the_shape_of_the_captured_one() {
    let ours = page("/metrics/resource").await;
    assert_eq!(shape(&ours), shape(&captured("metrics-resource.txt")));
}

#[tokio::test]
async fn the_probes_page_has_the_shape_of_the_captured_one() {
    // A bucket is a line of its own, and so is each sum and count: as sets, since not every probe has failed.
    let set = |page: &str| shape(page).into_iter().collect::<BTreeSet<_>>();
    let (ours, theirs) = (
        page("/metrics/probes").await,
        captured("metrics-probes.txt"),
    );
    assert_eq!(set(&ours), set(&theirs));
    let heads = |page: &str| -> Vec<String> {
        page.lines()
            .filter(|l| l.starts_with('#'))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(heads(&ours), heads(&theirs));
}

#[tokio::test]
async fn series_are_sorted_by_their_label_values() {
    for file in ["/metrics/resource", "/metrics/probes"] {
        for page in [
            page(file).await,
            captured(&format!("{}.txt", file[1..].replace('/', "-"))),
        ] {
            let mut families: BTreeMap<&str, Vec<Vec<&str>>> = BTreeMap::new();
            for line in page
                .lines()
                .filter(|l| !l.contains("_bucket") && l.contains('{'))
            {
                let values = line.split('"').skip(1).step_by(2).collect();
                families
                    .entry(line.split('{').next().unwrap())
                    .or_default()
                    .push(values);
            }
            for (family, series) in families {
                assert!(series.is_sorted(), "{family}");
            }
        }
    }
}

/// Go's `strconv` with format 'g' and the shortest precision.
fn is_go_float(text: &str) -> bool {
    let value: f64 = text.parse().unwrap();
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, ""));
    let fraction = mantissa.split_once('.').map(|(_, f)| f);
    let trimmed = fraction.is_none_or(|f| !f.is_empty() && !f.ends_with('0'));
    let wants_exponent = value != 0.0 && !(1e-4..1e6).contains(&value.abs());
    let exponent_fits = if wants_exponent {
        let one_digit = mantissa.split('.').next().unwrap().len() == 1;
        one_digit && (exponent.starts_with('+') || exponent.starts_with('-')) && exponent.len() >= 3
    } else {
        exponent.is_empty()
    };
    trimmed && exponent_fits && text.parse::<f64>().unwrap().to_bits() == value.to_bits()
}

#[tokio::test]
async fn numbers_have_go_s_forms() {
    for page in [
        page("/metrics/resource").await,
        page("/metrics/probes").await,
        captured("metrics-resource.txt"),
        captured("metrics-probes.txt"),
    ] {
        for line in page.lines().filter(|l| !l.starts_with('#')) {
            let numbers = line
                .rsplit_once("} ")
                .or_else(|| line.split_once(' '))
                .unwrap()
                .1;
            assert!(is_go_float(numbers.split(' ').next().unwrap()), "{line}");
        }
    }
}

/// For each path the lists of keys that occur there, in their order.
fn keys(value: &Value, path: &str, into: &mut BTreeMap<String, BTreeSet<Vec<String>>>) {
    match value {
        Value::Object(members) => {
            let names = members.keys().cloned().collect();
            into.entry(path.to_owned()).or_default().insert(names);
            for (key, member) in members {
                keys(member, &format!("{path}/{key}"), into);
            }
        }
        Value::Array(items) => items
            .iter()
            .for_each(|i| keys(i, &format!("{path}[]"), into)),
        _ => {}
    }
}

#[tokio::test]
async fn summaries_have_the_members_of_the_captured_ones_in_their_order() {
    for (path, file) in [
        ("/stats/summary", "stats-summary.json"),
        (
            "/stats/summary?only_cpu_and_memory=true",
            "stats-summary-cpu-and-memory.json",
        ),
    ] {
        let (ours, theirs) = (page(path).await, captured(file));
        let (mut have, mut want) = (BTreeMap::new(), BTreeMap::new());
        let mut ours = serde_json::from_str(&ours).unwrap();
        let volumes = take_volumes(&mut ours);
        assert_eq!(!volumes.is_empty(), path == "/stats/summary");
        keys(&ours, "", &mut have);
        keys(&serde_json::from_str(&theirs).unwrap(), "", &mut want);
        assert_eq!(
            have.keys().collect::<Vec<_>>(),
            want.keys().collect::<Vec<_>>()
        );
        for (path, lists) in &have {
            assert!(
                lists.is_subset(&want[path]),
                "{path}: {lists:?} of {:?}",
                want[path]
            );
        }
    }
}

/// Removes the volumes of all pods.
fn take_volumes(summary: &mut Value) -> Vec<Value> {
    let pods = summary["pods"].as_array_mut().unwrap().iter_mut();
    let members = pods.map(|pod| pod.as_object_mut().unwrap());
    let lists = members.filter_map(|pod| pod.shift_remove("volume"));
    lists
        .flat_map(|list| list.as_array().unwrap().clone())
        .collect()
}

/// The newer captures have no pods with volumes.
#[tokio::test]
async fn volumes_have_the_members_of_the_captured_ones_in_their_order() {
    let theirs = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../proto/tests/fixtures/kubelet-other/stats-summary-old.json"
    );
    let theirs = std::fs::read_to_string(theirs).unwrap();
    let lists = [page("/stats/summary").await, theirs].map(|page| {
        let volumes = take_volumes(&mut serde_json::from_str(&page).unwrap());
        let mut lists = BTreeMap::new();
        keys(&Value::Array(volumes), "", &mut lists);
        lists
    });
    assert_eq!(lists[0], lists[1]);
}

#[tokio::test]
async fn summaries_are_indented_as_go_does_it() {
    for body in [
        page("/stats/summary").await,
        page("/stats/summary?only_cpu_and_memory=true").await,
        captured("stats-summary.json"),
    ] {
        let value: Value = serde_json::from_str(&body).unwrap();
        let mut again = Vec::new();
        let formatter = serde_json::ser::PrettyFormatter::with_indent(b" ");
        value
            .serialize(&mut serde_json::Serializer::with_formatter(
                &mut again, formatter,
            ))
            .unwrap();
        assert_eq!(body, String::from_utf8(again).unwrap());
    }
}

#[tokio::test]
async fn the_pod_list_is_that_of_the_node() {
    let list: Value = serde_json::from_str(&page("/pods").await).unwrap();
    assert_eq!(list["kind"], "PodList");
    let pods = list["items"].as_array().unwrap();
    assert_eq!(pods.len(), 30);
    assert!(pods.iter().all(|p| p["spec"]["nodeName"] == "node-0001"));
}
