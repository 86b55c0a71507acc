//! Full lists of metrics.k8s.io.

use std::sync::Arc;

use kubevitals_proto::metrics::encode::{Encoding, Form, Kind, List, Shape};
use kubevitals_proto::time::Timestamp;
use kubevitals_server::cluster::Pods;
use kubevitals_server::query::{Ages, LatestOfNodes, PodCursor, PodList, Visit};
use kubevitals_server::store::{Retention, Store};

use super::cluster::{self, RESOLUTION, SCRAPES, age};
use super::{allocated, callgrind};

const NODES: u64 = 6;
const PODS: u64 = NODES * 30;

/// Encodes the list of all pods in two visits if the form needs lengths, as the API does.
fn list(pods: &Arc<Pods>, store: &Store, encoding: Encoding, out: &mut Vec<u8>) {
    out.clear();
    let now = Timestamp::from_secs(1_800_000_180);
    let latest = LatestOfNodes::new(store.cells(), Retention::of(RESOLUTION), age(SCRAPES));
    let ages = Ages::new(&Ages::histogram(), now);
    let mut source = PodList::new(Arc::clone(pods), latest, ages);
    let form = Form::new(Shape::Whole("metrics.k8s.io/v1beta1"), encoding).unwrap();
    let mut list = List::new(Kind::Pod, form);
    if list.needs_lengths() {
        let mut cursor = PodCursor::new(None);
        source.visit(
            &mut cursor,
            usize::MAX,
            Visit::Lengths,
            |_| true,
            |pod| {
                list.measure(&pod.to_item(now));
                true
            },
        );
    }
    let mut cursor = PodCursor::new(None);
    let mut listed = 0;
    source.visit(
        &mut cursor,
        usize::MAX,
        Visit::Values,
        |_| true,
        |pod| {
            list.item(out, &pod.to_item(now));
            listed += 1;
            true
        },
    );
    list.end(out);
    let foreseen = list.measured_len();
    assert!(foreseen.is_none_or(|len| len == out.len()));
    assert_eq!(listed, PODS);
}

fn lists(encoding: Encoding) {
    let (pods, store) = cluster::large(NODES);
    let (pods, mut out) = (Arc::new(pods), Vec::new());
    for _ in 0..callgrind::units() {
        list(&pods, &store, encoding, &mut out);
    }
}

#[test]
#[ignore = "a workload"]
fn list_in_json() {
    lists(Encoding::Json);
}

#[test]
#[ignore = "a workload"]
fn list_in_protobuf() {
    lists(Encoding::Protobuf);
}

#[test]
fn a_listed_pod_takes_few_instructions() {
    callgrind::assert_each("lists::list_in_json", PODS, 34_000);
    callgrind::assert_each("lists::list_in_protobuf", PODS, 21_000);
}

#[test]
fn a_list_takes_memory_for_each_node_but_not_for_each_pod() {
    let (pods, store) = cluster::large(NODES);
    let pods = Arc::new(pods);
    for encoding in [Encoding::Json, Encoding::Protobuf] {
        let mut out = Vec::new();
        list(&pods, &store, encoding, &mut out);
        let before = allocated();
        list(&pods, &store, encoding, &mut out);
        let bytes = allocated() - before;
        println!("{encoding:?}: {bytes} bytes");
        assert!(bytes <= NODES * 512, "{encoding:?}: {bytes} bytes");
    }
}
