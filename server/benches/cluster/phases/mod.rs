//! The phases of the benchmark, in their order.

mod lists;
mod load;
mod pods;
mod scraping;
mod selectors;
mod start;
mod system_calls;
mod top;
mod watches;

use std::time::Duration;

pub(crate) use lists::lists;
pub(crate) use load::load;
pub(crate) use pods::pods;
pub(crate) use scraping::{at_the_same_time, kubelets, settle};
pub(crate) use selectors::selectors;
pub(crate) use start::{alone, with_history};
pub(crate) use system_calls::system_calls;
pub(crate) use top::top;
pub(crate) use watches::watches;

use crate::process::Cpu;
use crate::report::Report;

const NODES: &str = "/apis/metrics.k8s.io/v1beta1/nodes";
const PODS: &str = "/apis/metrics.k8s.io/v1beta1/pods";

/// The time between two scrapes of a node.
const RESOLUTION: Duration = crate::feed::RESOLUTION;

fn millicores(cpu: Duration, time: Duration) -> f64 {
    cpu.as_secs_f64() / time.as_secs_f64() * 1000.0
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The CPU time that requests cost, in milliseconds each: what a server has used, without what scraping alone would have
/// cost in that time.
fn per_request(report: &Report, server: usize, used: Cpu, time: Duration, count: usize) -> f64 {
    let scraping = report.get(server, "cpu").unwrap_or_default() * time.as_secs_f64();
    (milliseconds(used.total()) - scraping).max(0.0) / count as f64
}

/// A quantile of latencies, in milliseconds.
fn quantile(latencies: &mut [Duration], quantile: f64) -> Option<f64> {
    latencies.sort_unstable();
    let last = latencies.len().checked_sub(1)?;
    let at = (last as f64 * quantile).round() as usize;
    Some(milliseconds(latencies[at]))
}
