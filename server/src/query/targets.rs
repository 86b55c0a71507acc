//! Each node's scrapes, for whoever looks into them: /debug/targets. The names of the members are kept; ones that
//! have nothing to say are left out.

use std::collections::BTreeMap;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use serde::Serialize;

use super::Query;
use crate::clock::Age;
use crate::scrape::{History, Moment};

/// One node's scrapes.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetReport {
    /// The node.
    pub node: String,
    /// Whether its last scrape succeeded, failed, or none is over yet.
    pub state: TargetState,
    /// Whether the API server calls the node ready.
    pub ready: bool,
    /// The address that answered or failed last: `https://10.0.0.1:10250`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The last scrape that is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_scrape: Option<ScrapeReport>,
    /// The last that succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_success: Option<Instant>,
    /// Failures in a row.
    pub failures: u32,
    /// When it is asked next; nothing while it is being asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_scrape: Option<Timestamp>,
    /// Containers of which there is a point.
    pub containers: u32,
    /// Pods in its last answer that have rates.
    pub whole_pods: usize,
    /// Pods in its last answer that have none, by what their first such container lacks.
    pub incomplete_pods: BTreeMap<&'static str, usize>,
    /// What the node itself lacks for a rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_lacks: Option<&'static str>,
    /// Lines skipped since it is asked, all answers together.
    pub skipped_lines: u64,
    /// The last answer that had some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_skipped: Option<SkippedReport>,
}

/// What came of asking a node last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum TargetState {
    /// It answered.
    Answering,
    /// It did not.
    Failing,
    /// Its first scrape is not over.
    Waiting,
}

/// A point in time.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Instant {
    /// When, to the second.
    pub time: Timestamp,
    /// How long ago.
    pub age_seconds: f64,
}

/// A scrape that is over.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScrapeReport {
    /// When it began.
    #[serde(flatten)]
    pub began: Instant,
    /// How long it took.
    pub duration_seconds: f64,
    /// Why it failed, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorReport>,
}

/// Why a scrape failed.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorReport {
    /// In one word, as in kubevitals_scrape_failures_total.
    pub reason: &'static str,
    /// In words.
    pub message: String,
    /// What to do about it.
    pub hint: &'static str,
}

/// Lines that could not be read.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SkippedReport {
    /// When they were found.
    #[serde(flatten)]
    pub at: Instant,
    /// How many.
    pub lines: u32,
    /// The beginning of the first.
    pub first: Box<str>,
}

impl Query {
    /// All nodes' scrapes, by the nodes' names.
    pub fn targets(&self) -> Vec<TargetReport> {
        let now = self.now();
        let (nodes, cells) = (self.cluster.nodes(), self.store.cells());
        let records = self.records().into_iter();
        records
            .map(|(node, record)| {
                let mut report = record.read(|history| report(node.to_string(), history, now));
                report.ready = nodes.get(&node).is_some_and(|node| node.ready);
                if let Some(latest) = cells.get(&node).and_then(|cell| cell.latest()) {
                    report.node_lacks = latest.node.as_ref().err().map(|why| why.reason());
                    for pod in &latest.pods {
                        match &pod.rates {
                            Ok(_) => report.whole_pods += 1,
                            Err(why) => {
                                *report.incomplete_pods.entry(why.reason()).or_default() += 1;
                            }
                        }
                    }
                }
                report
            })
            .collect()
    }
}

fn report(node: String, history: &History, now: Age) -> TargetReport {
    let at = |moment: &Moment| Instant {
        time: moment.wall,
        age_seconds: now.since(moment.age).as_secs_f64(),
    };
    let failed = history.last.as_ref().and_then(|last| last.failed.as_ref());
    let answered = history.answered.as_ref();
    TargetReport {
        node,
        state: match (&history.last, failed) {
            (None, _) => TargetState::Waiting,
            (Some(_), Some(_)) => TargetState::Failing,
            (Some(_), None) => TargetState::Answering,
        },
        ready: false,
        address: failed
            .map(|failed| failed.address.clone())
            .or_else(|| answered.map(|(address, _)| address.to_string())),
        last_scrape: history.last.as_ref().map(|last| ScrapeReport {
            began: at(&last.began),
            duration_seconds: rounded(last.took),
            error: failed.map(|failed| ErrorReport {
                reason: failed.error.reason(),
                message: failed.error.to_string(),
                hint: failed.error.hint(),
            }),
        }),
        last_success: answered.map(|(_, moment)| at(moment)),
        failures: history.failures,
        next_scrape: history.next,
        containers: history.held.containers,
        whole_pods: 0,
        incomplete_pods: BTreeMap::new(),
        node_lacks: None,
        skipped_lines: history.skipped_lines,
        last_skipped: history.bad.as_ref().map(|bad| SkippedReport {
            at: at(&bad.at),
            lines: bad.lines,
            first: bad.first.clone(),
        }),
    }
}

/// In seconds, to the tenth of a millisecond: more digits would say nothing.
fn rounded(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e4).round() / 1e4
}
