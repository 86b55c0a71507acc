//! The pages that a kubelet serves besides `/metrics/resource`, as captured from a kubelet.

use std::hint::black_box;

use kubevitals_proto::kubelet::probes;
use kubevitals_proto::kubelet::summary::{Extras, prune};

use super::callgrind;

const SUMMARY: &[u8] =
    include_bytes!("../../../proto/tests/fixtures/kubelet-1.36/stats-summary.json");
const PROBES: &[u8] =
    include_bytes!("../../../proto/tests/fixtures/kubelet-1.36/metrics-probes.txt");

/// Reads the summary as the server does. Returns the number of its pods.
fn read_summary() -> u64 {
    let mut body = SUMMARY.to_vec();
    Extras::parse(prune(&mut body)).unwrap().pods.len() as u64
}

#[test]
#[ignore = "a workload"]
fn summary() {
    for _ in 0..callgrind::units() {
        black_box(read_summary());
    }
}

#[test]
#[ignore = "a workload"]
fn probes() {
    for _ in 0..callgrind::units() {
        black_box(probes::decode(PROBES));
    }
}

#[test]
fn a_pod_of_a_summary_takes_few_instructions() {
    callgrind::assert_each("pages::summary", read_summary(), 245_000);
}

#[test]
fn a_counter_of_probes_takes_few_instructions() {
    let counters = probes::decode(PROBES).probes.len() as u64;
    callgrind::assert_each("pages::probes", counters, 20_000);
}
