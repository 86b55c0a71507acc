//! The pods that use most.

use std::sync::Arc;
use std::time::Duration;

use kubevitals_server::query::{Measure, TopQuery, TopScope};
use kubevitals_server::store::Retention;
use kubevitals_server::work::Cancel;

use super::callgrind;
use super::cluster::{self, RESOLUTION, SCRAPES, age};

const NODES: u64 = 6;
const PODS: u64 = NODES * 30;

fn rank(measure: Measure) {
    let (pods, store) = cluster::large(NODES);
    let query = TopQuery {
        restarted: pods.values().collect(),
        pods: Arc::new(pods),
        cells: store.cells(),
        history: store.history(),
        retention: Retention::of(RESOLUTION),
        now: age(SCRAPES - 1),
    };
    let everyone = TopScope {
        namespace: None,
        filter: &|_| true,
        cancel: &Cancel::default(),
    };
    for _ in 0..callgrind::units() {
        assert_eq!(query.pods(measure, 5, &everyone).len(), 5);
    }
}

#[test]
#[ignore = "a workload"]
fn by_cpu() {
    rank(Measure::Cpu);
}

#[test]
#[ignore = "a workload"]
fn by_ratio() {
    rank(Measure::CpuOfRequest);
}

#[test]
#[ignore = "a workload"]
fn by_restarts() {
    rank(Measure::Restarts);
}

#[test]
#[ignore = "a workload"]
fn by_growth() {
    rank(Measure::MemoryGrowth(Duration::from_secs(120)));
}

#[test]
fn a_ranked_pod_takes_few_instructions() {
    callgrind::assert_each("rankings::by_cpu", PODS, 3_000);
    callgrind::assert_each("rankings::by_ratio", PODS, 6_500);
    callgrind::assert_each("rankings::by_restarts", PODS, 6_000);
    callgrind::assert_each("rankings::by_growth", PODS, 33_000);
}
