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

/// The number of rankings by restarts in a unit: one costs less than what varies from run to run.
const RANKINGS: u64 = 200;

/// Ranks `times` times for each unit of work.
fn rank(measure: Measure, times: u64) {
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
    for _ in 0..callgrind::units() * times {
        assert_eq!(query.pods(measure, 5, &everyone).len(), 5);
    }
}

#[test]
#[ignore = "a workload"]
fn by_cpu() {
    rank(Measure::Cpu, 1);
}

#[test]
#[ignore = "a workload"]
fn by_ratio() {
    rank(Measure::CpuOfRequest, 1);
}

#[test]
#[ignore = "a workload"]
fn by_restarts() {
    rank(Measure::Restarts, RANKINGS);
}

#[test]
#[ignore = "a workload"]
fn by_growth() {
    rank(Measure::MemoryGrowth(Duration::from_secs(120)), 1);
}

#[test]
fn a_ranked_pod_takes_few_instructions() {
    callgrind::assert_each("rankings::by_cpu", PODS, 2_500);
    callgrind::assert_each("rankings::by_ratio", PODS, 7_000);
    callgrind::assert_each("rankings::by_restarts", RANKINGS, 27_000);
    callgrind::assert_each("rankings::by_growth", PODS, 33_000);
}
