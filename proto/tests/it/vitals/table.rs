//! What `kubectl get` shows.

use kubevitals_proto::vitals::table::{At, Vitals};
use kubevitals_proto::vitals::{Cause, Certainty, Meta, PodVitals, ProbeKind, ProbeStatus};
use kubevitals_proto::wire::form::{Beside, List, Shape};
use kubevitals_proto::wire::meta::MetaVersion;
use serde_json::{Value, json};

use super::whole::{self, NOW, probe};

/// Headings and cells: as kubectl shows them, and with -o wide what is beside that.
fn shown<T: Vitals>(object: &T) -> [Vec<(String, String)>; 2] {
    let shape = Shape::Table(MetaVersion::V1, Beside::Metadata);
    let meta = br#"{"resourceVersion":"9"}"#.to_vec();
    let mut list = List::new(T::KIND, shape, false, meta);
    let mut out = Vec::new();
    list.item(&mut out, &At(object, NOW));
    list.end(&mut out);
    let table: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(table["metadata"]["resourceVersion"], "9");
    let row = &table["rows"][0];
    assert_eq!(row["object"]["metadata"]["resourceVersion"], "7");
    let columns = table["columnDefinitions"].as_array().unwrap();
    let cells = row["cells"].as_array().unwrap();
    assert_eq!(columns.len(), cells.len(), "a cell for each column");
    let mut shown = [Vec::new(), Vec::new()];
    for (column, cell) in columns.iter().zip(cells) {
        let wide = usize::from(column["priority"] != 0);
        let text = match cell {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let heading = column["name"].as_str().unwrap().to_uppercase();
        shown[wide].push((heading, text));
    }
    shown
}

/// The same in a line each.
fn lines<T: Vitals>(object: &T) -> String {
    let line = |pairs: Vec<(String, String)>| {
        let pairs = pairs.iter().map(|(name, cell)| format!("{name}={cell}"));
        pairs.collect::<Vec<_>>().join(" ")
    };
    shown(object).map(line).join("\n")
}

#[test]
fn each_kind_has_its_columns() {
    assert_eq!(
        lines(&whole::pod()),
        "NAME=web-1 READY=1/2 STATUS=Running PROBES=1/2 readiness failing RESTARTS=3 (OOMKilled 2m) CPU=250m* \
         MEMORY=64Mi CPU%LIM=25% MEM%LIM=100% AGE=120m\n\
         NODE=n1 WORKLOAD=Deployment/web CPU-REQ=500m CPU-LIM=500m MEM-REQ=128Mi MEM-LIM=128Mi CPU%REQ=50% \
         MEM%REQ=75% RESIZE=Deferred SWAP=1Mi MEM-STALL=0.75% GPUS=2 GPU%=75% GPU-MEM=1024Mi ABSENT=Stale"
    );
    assert_eq!(
        lines(&whole::node()),
        "NAME=n1 STATUS=Ready PODS=12/110 CPU=250m* CPU%=12% MEMORY=64Mi MEMORY%=25% RESTARTS=5 AGE=120m\n\
         CPU-REQ=500m CPU-REQ%=50% MEM-REQ=128Mi MEM-REQ%=75% DISK%=25% MEM-STALL=0.75% GPUS=2 GPU%=75% GPU-MEM=1024Mi \
         CONDITIONS=DiskPressure ABSENT=Stale"
    );
    assert_eq!(
        lines(&whole::incident()),
        "LAST-SEEN=2m BEGAN=10m STATE=Over REASON=Restart OBJECT=pod/web-1 CONTAINER=web COUNT=3 CAUSE=OomKilled \
         MESSAGE=Container web was OOM-killed.\n\
         NAME=web-1.restart CERTAINTY=Direct NODE=n1"
    );
    assert_eq!(
        lines(&whole::cluster()),
        "NAME=cluster NODES=2/3 PODS=29/30 CPU=250m* CPU%=12% MEMORY=64Mi MEMORY%=25% FAILING=1 RESTARTS=5 \
         INCIDENTS=2/9\n\
         CPU-REQ%=50% MEM-REQ%=75% HISTORY=1h0m0s SERVER=v0.1.0"
    );
    assert_eq!(
        lines(&whole::volume()),
        "NAME=data-db-0 USED=9216Mi CAPACITY=10240Mi USED%=95% GROWTH/H=+128Mi FULL-IN=4h INODES%=1% PODS=1 \
         MEASURED=60s\n\
         AVAILABLE=512Mi NODES=1 NODE=n1 MOUNTED-BY=db-0"
    );
}

#[test]
fn a_missing_metric_is_an_error_that_names_it() {
    let bare = PodVitals {
        metadata: Meta {
            resource_version: "7".to_owned(),
            ..Meta::default()
        },
        ..PodVitals::default()
    };
    let [shown, _] = shown(&bare.named());
    let cell = |heading: &str| &*shown.iter().find(|(name, _)| name == heading).unwrap().1;
    assert_eq!(cell("PROBES"), "<none>");
    assert_eq!(cell("RESTARTS"), "0");
    assert_eq!(cell("CPU"), "<unknown>");
    assert_eq!(cell("CPU%LIM"), "<none>");
    assert_eq!(cell("AGE"), "<unknown>");
}

#[test]
fn the_worst_probe_names_the_cell() {
    use ProbeKind::{Liveness, Readiness, Startup};
    use ProbeStatus::{Failing, Held, Passed, Passing, Pending, Unknown};
    for (probes, expected) in [
        (vec![(Startup, Passed), (Liveness, Passing)], "2/2"),
        (
            vec![(Startup, Pending), (Liveness, Held), (Readiness, Held)],
            "0/3 startup pending",
        ),
        (
            vec![(Liveness, Unknown), (Readiness, Failing)],
            "0/1 readiness failing",
        ),
        (vec![(Liveness, Passing), (Readiness, Unknown)], "1/1"),
    ] {
        let probes = probes.into_iter();
        let pod = PodVitals {
            probes: probes.map(|(kind, status)| probe(kind, status)).collect(),
            ..whole::pod()
        };
        let [shown, _] = shown(&pod);
        assert_eq!(shown[3].1, expected);
    }
}

#[test]
fn restarts_have_their_cause() {
    use Certainty::{Direct, Likely};
    for (cause, certainty, reason, expected) in [
        (
            Cause::LivenessProbe,
            Direct,
            "Error",
            "3 (liveness probe 2m)",
        ),
        (
            Cause::LivenessProbe,
            Likely,
            "Error",
            "3 (liveness probe? 2m)",
        ),
        (Cause::Exited, Direct, "Error", "3 (exit 137 2m)"),
        (
            Cause::Unknown,
            Certainty::Unknown,
            "ContainerCannotRun",
            "3 (ContainerCannotRun 2m)",
        ),
        (Cause::Unknown, Certainty::Unknown, "", "3 (exit 137 2m)"),
    ] {
        let mut pod = whole::pod();
        let last = pod.restarts.last.as_mut().unwrap();
        last.cause = cause;
        last.certainty = certainty;
        last.ended.reason = reason.to_owned();
        let [shown, _] = shown(&pod);
        assert_eq!(shown[4].1, expected);
    }
}

#[test]
fn a_row_may_have_its_object_beside_it() {
    let shape = Shape::Table(
        MetaVersion::V1,
        Beside::Object(kubevitals_proto::vitals::API_VERSION),
    );
    let mut list = List::new(PodVitals::KIND, shape, false, b"{}".to_vec());
    let mut out = Vec::new();
    list.item(&mut out, &At(&whole::pod(), NOW));
    list.end(&mut out);
    let table: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(table["rows"][0]["object"], json!(whole::pod()));
}
