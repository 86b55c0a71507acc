//! The real kubectl with kubevitals.io, through the simulated API server's aggregation.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use kubevitals_sim::Config;
use kubevitals_sim::identity::Rule;
use serde_json::Value;

use crate::harness::Harness;
use crate::kubectl::{Kubectl, squeezed};

const GROUP: &str = "kubevitals.io";
const RESOURCES: [&str; 6] = [
    "availabilities",
    "clustervitals",
    "incidents",
    "nodevitals",
    "podvitals",
    "volumevitals",
];

async fn cluster() -> Harness {
    let harness = Harness::start(Config {
        nodes: 2,
        pods_per_node: 3,
        ..Config::default()
    })
    .await;
    harness.server.ready().await;
    harness.server.query().detector().detect();
    harness
}

/// A user who may read the group and nothing else.
fn reader(harness: &Harness) -> Kubectl {
    let rules = [Rule::resources(
        &["get", "list", "watch"],
        GROUP,
        &RESOURCES,
    )];
    Kubectl::of_user(harness, "viewer", rules)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_resource_is_a_table_worth_reading() {
    let harness = cluster().await;
    let kubectl = reader(&harness);

    let nodes = squeezed(&kubectl.says("get nodevitals").await);
    assert_eq!(
        nodes[0],
        "NAME STATUS PODS CPU CPU% MEMORY MEMORY% RESTARTS AGE"
    );
    assert_eq!(nodes.len(), 1 + 2, "{nodes:?}");

    let pods = squeezed(&kubectl.says("get podvitals -A").await);
    assert_eq!(
        pods[0],
        "NAMESPACE NAME READY STATUS PROBES RESTARTS CPU MEMORY CPU%LIM MEM%LIM AGE"
    );
    assert_eq!(pods.len(), 1 + 6, "{pods:?}");
    let wide = squeezed(&kubectl.says("get podvitals -A -o wide").await);
    assert!(
        wide[0].ends_with("CPU%REQ MEM%REQ RESIZE SWAP MEM-STALL GPUS GPU% GPU-MEM ABSENT"),
        "{wide:?}"
    );

    let cluster = squeezed(&kubectl.says("get clustervitals").await);
    assert_eq!(
        cluster[0],
        "NAME NODES PODS CPU CPU% MEMORY MEMORY% FAILING RESTARTS INCIDENTS"
    );
    assert!(cluster[1].starts_with("cluster "), "{cluster:?}");

    let availability = squeezed(&kubectl.says("get availabilities -A").await);
    assert_eq!(
        availability[0],
        "NAMESPACE NAME STATE FOR SPAN AVAILABILITY DOWN OUTAGES MTTR MTBF UNKNOWN"
    );
    assert!(availability.len() > 1, "{availability:?}");

    // Short names, the category, and an empty list.
    for (asked, expected) in [
        ("get nv", 1 + 2),
        ("get pov -A", 1 + 6),
        ("get cv cluster", 1 + 1),
        ("get nodevitals,clustervitals -o name", 3),
    ] {
        let said = kubectl.says(asked).await;
        assert_eq!(said.lines().count(), expected, "{asked}: {said}");
    }
    let all = kubectl.says("get vitals -A").await;
    for resource in ["clustervitals", "nodevitals", "podvitals"] {
        assert!(all.contains(&format!("{resource}.{GROUP}/")), "{all}");
    }

    let resources = squeezed(
        &kubectl
            .says("api-resources --api-group=kubevitals.io")
            .await,
    );
    assert_eq!(
        resources,
        [
            "NAME SHORTNAMES APIVERSION NAMESPACED KIND",
            "availabilities avail kubevitals.io/v1alpha1 true Availability",
            "clustervitals cv kubevitals.io/v1alpha1 false ClusterVitals",
            "incidents inc kubevitals.io/v1alpha1 true Incident",
            "nodevitals nv kubevitals.io/v1alpha1 false NodeVitals",
            "podvitals pov kubevitals.io/v1alpha1 true PodVitals",
            "volumevitals vv kubevitals.io/v1alpha1 true VolumeVitals",
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_a_new_row_of_the_table() {
    let harness = Harness::start(Config {
        nodes: 2,
        pods_per_node: 3,
        // Four scrapes a second.
        speed: 60.0,
        ..Config::default()
    })
    .await;
    harness.server.ready().await;
    harness.server.query().detector().detect();
    let kubectl = reader(&harness);
    let mut command = kubectl.command("get podvitals -A -w");
    let lines = tokio::task::spawn_blocking(move || {
        let mut kubectl = command.stdout(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(kubectl.stdout.take().unwrap());
        // The heading, all pods, and each of them once more.
        let lines: Vec<String> = said.lines().take(1 + 6 + 6).map(Result::unwrap).collect();
        kubectl.kill().unwrap();
        kubectl.wait().unwrap();
        lines
    });
    let lines = squeezed(&lines.await.unwrap().join("\n"));
    assert_eq!(lines.len(), 1 + 6 + 6, "{lines:?}");
    let headings = lines
        .iter()
        .filter(|line| line.starts_with("NAMESPACE NAME READY"));
    assert_eq!(headings.count(), 1, "{lines:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_gets_sorts_and_selects_objects() {
    let harness = cluster().await;
    let kubectl = reader(&harness);
    let list = kubectl.says("get podvitals -A -o json").await;
    let list: Value = serde_json::from_str(&list).unwrap();
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 6);

    let meta = &items[0]["metadata"];
    let (namespace, name) = (
        meta["namespace"].as_str().unwrap(),
        meta["name"].as_str().unwrap(),
    );
    let yaml = kubectl
        .says(&format!("get podvitals {name} -n {namespace} -o yaml"))
        .await;
    for line in [
        "apiVersion: kubevitals.io/v1alpha1",
        "kind: PodVitals",
        &format!("  name: {name}"),
        "usage:",
        "  cpu: ",
    ] {
        assert!(yaml.contains(line), "{line:?} is missing in {yaml}");
    }

    let sorted = kubectl
        .says("get podvitals -A --sort-by=.usage.memory -o jsonpath={.items[*].usage.memory}")
        .await;
    let amounts: Vec<i64> = sorted
        .split_whitespace()
        .map(|amount| {
            amount
                .parse::<kubevitals_proto::quantity::Quantity>()
                .unwrap()
                .value()
        })
        .collect();
    assert!(amounts.is_sorted() && amounts.len() == 6, "{sorted}");
    let table = squeezed(
        &kubectl
            .says("get podvitals -A --sort-by=.usage.memory")
            .await,
    );
    assert_eq!(table.len(), 1 + 6, "{table:?}");

    let labels = meta["labels"].as_object().unwrap();
    let (key, value) = labels.iter().next().unwrap();
    let value = value.as_str().unwrap();
    let alike = items
        .iter()
        .filter(|item| item["metadata"]["labels"][key] == value)
        .count();
    let said = kubectl
        .says(&format!("get podvitals -A --no-headers -l {key}={value}"))
        .await;
    assert_eq!(said.lines().count(), alike, "{said}");

    let node = &harness.cluster.node_names()[0];
    let here = items
        .iter()
        .filter(|item| item["nodeName"] == **node)
        .count();
    let said = kubectl
        .says(&format!(
            "get podvitals -A --no-headers --field-selector spec.nodeName={node}"
        ))
        .await;
    assert_eq!(said.lines().count(), here, "{said}");
    let said = kubectl
        .fails("get podvitals -A --field-selector spec.hostname=a")
        .await;
    assert!(
        said.contains("\"spec.hostname\" is not a known field selector"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_explains_itself() {
    let harness = cluster().await;
    let kubectl = reader(&harness);
    let explained = kubectl.says("explain podvitals.probes").await;
    for part in [
        "GROUP:      kubevitals.io",
        "KIND:       PodVitals",
        "VERSION:    v1alpha1",
        "FIELD: probes <[]Probe>",
        "All probes of all containers.",
        "asks\t<string>",
        "failures\t<integer>",
        "since\t<string>",
        "status\t<string>",
        "enum: Pending, Held, Waiting, Passing, ....",
    ] {
        assert!(
            explained.contains(part),
            "{part:?} is missing in {explained}"
        );
    }
    for resource in RESOURCES {
        let explained = kubectl.says(&format!("explain {resource}")).await;
        assert!(explained.contains("metadata\t<ObjectMeta>"), "{explained}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_denied_user_learns_which_permission_is_missing() {
    let harness = cluster().await;
    let stranger = Kubectl::of_user(&harness, "stranger", []);
    let said = stranger.fails("get podvitals -A").await;
    let expected = "User \"stranger\" cannot list resource \"podvitals\" in API group \"kubevitals.io\" at the \
                    cluster scope";
    assert!(said.contains(expected), "{said}");
    // The permission to list does not include the permission to watch.
    let rules = [Rule::resources(&["list"], GROUP, &["podvitals"])];
    let lister = Kubectl::of_user(&harness, "lister", rules);
    let said = lister
        .fails("get --raw /apis/kubevitals.io/v1alpha1/podvitals?watch=1&timeoutSeconds=1")
        .await;
    assert!(
        said.contains("cannot watch resource \"podvitals\""),
        "{said}"
    );
}
