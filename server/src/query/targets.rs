//! The state of each node's scrapes, for /debug/targets. Names of members are stable; empty members are omitted.

use std::collections::BTreeMap;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use serde::Serialize;

use super::sources::Sources;
use crate::clock::Age;
use crate::scrape::{Failed, History, Instants, PageHistory};
use crate::store::Absent;

/// The scrapes of one node.
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
    /// The last completed scrape.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_scrape: Option<ScrapeReport>,
    /// The last success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_success: Option<Instant>,
    /// Failures in a row.
    pub failures: u32,
    /// The time of the next scrape; omitted during a scrape.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_scrape: Option<Timestamp>,
    /// The number of containers with a sample.
    pub containers: u32,
    /// The number of pods in the last response that have rates.
    pub whole_pods: u64,
    /// The number of pods in the last response without rates, by what their first incomplete container lacks.
    pub incomplete_pods: BTreeMap<&'static str, u64>,
    /// What the node itself lacks for a rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_lacks: Option<&'static str>,
    /// The number of lines skipped in all responses.
    pub skipped_lines: u64,
    /// The last response with skipped lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_skipped: Option<SkippedReport>,
    /// The number of scrapes skipped because the one before was waiting or running.
    pub skipped_turns: u32,
    /// A scrape is due and waits, because the limit of concurrent scrapes is reached.
    pub waits: bool,
    /// The node's other pages.
    pub pages: Vec<PageReport>,
}

/// A page of a node besides `/metrics/resource`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PageReport {
    /// As in the label `page` of `/metrics`.
    pub name: &'static str,
    /// The path of the page.
    pub path: &'static str,
    /// The result of the last request.
    pub state: TargetState,
    /// The last completed request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_request: Option<ScrapeReport>,
    /// The last success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_success: Option<Instant>,
    /// Failures in a row.
    pub failures: u32,
    /// The number of requests skipped because scrapes of `/metrics/resource` waited.
    pub skipped_turns: u32,
}

/// The result of the last scrape or request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum TargetState {
    /// It succeeded.
    Answering,
    /// It failed.
    Failing,
    /// The first one is not complete.
    Waiting,
    /// The page is disabled.
    Disabled,
}

impl TargetState {
    /// The state of `/metrics/resource`.
    pub(super) fn of(history: &History) -> Self {
        match &history.last {
            None => Self::Waiting,
            Some(last) if last.failed.is_some() => Self::Failing,
            Some(_) => Self::Answering,
        }
    }

    /// The state of another page.
    pub(super) const fn of_page(page: &PageHistory) -> Self {
        match page {
            PageHistory { disabled: true, .. } => Self::Disabled,
            PageHistory { began: None, .. } => Self::Waiting,
            PageHistory {
                failed: Some(_), ..
            } => Self::Failing,
            _ => Self::Answering,
        }
    }

    /// The state's name in the kubevitals.io API.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Answering => "Answering",
            Self::Failing => "Failing",
            Self::Waiting => "Waiting",
            Self::Disabled => "Disabled",
        }
    }
}

/// A point in time.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Instant {
    /// The time, to the second.
    pub time: Timestamp,
    /// Its age.
    pub age_seconds: f64,
}

/// A completed scrape.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScrapeReport {
    /// The time at which it began.
    #[serde(flatten)]
    pub began: Instant,
    /// Its duration.
    pub duration_seconds: f64,
    /// The error of a failed scrape.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorReport>,
}

/// Why a scrape failed.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorReport {
    /// The reason in one word, as in kubevitals_scrape_failures_total.
    pub reason: &'static str,
    /// The error message.
    pub message: String,
    /// What to do about it.
    pub hint: &'static str,
}

/// Lines that could not be parsed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SkippedReport {
    /// The time of the response.
    #[serde(flatten)]
    pub at: Instant,
    /// The number of lines.
    pub lines: u32,
    /// The beginning of the first.
    pub first: Box<str>,
}

/// The numbers of objects with rates, and of objects without rates by what they lack.
#[derive(Debug, Default)]
pub(super) struct RateCounts {
    pub(super) whole: u64,
    pub(super) incomplete: BTreeMap<&'static str, u64>,
}

impl RateCounts {
    /// Counts an object with these rates.
    pub(super) fn add<T>(&mut self, rates: &Result<T, Absent>) {
        match rates {
            Ok(_) => self.whole += 1,
            Err(why) => *self.incomplete.entry(why.reason()).or_default() += 1,
        }
    }

    /// The numbers by what the objects lack, as metrics.
    pub(super) fn by_lack(&self) -> impl Iterator<Item = ([&'static str; 1], u64)> {
        self.incomplete
            .iter()
            .map(|(lack, count)| ([*lack], *count))
    }
}

/// The scrapes of all nodes, by node name.
pub(super) fn targets(sources: &Sources) -> Vec<TargetReport> {
    let now = sources.now();
    let (nodes, cells) = (sources.cluster.nodes(), sources.store.cells());
    let records = sources.stats.records().all().into_iter();
    let reports = records.map(|(node, record)| {
        let mut report = record.read(|history| report(node.to_string(), history, now));
        report.ready = nodes.get(&node).is_some_and(|node| node.ready);
        if let Some(latest) = cells.get(&node).and_then(|cell| cell.latest()) {
            report.node_lacks = latest.node.as_ref().err().map(|why| why.reason());
            let mut pods = RateCounts::default();
            latest.pods.iter().for_each(|pod| pods.add(&pod.rates));
            (report.whole_pods, report.incomplete_pods) = (pods.whole, pods.incomplete);
        }
        report
    });
    reports.collect()
}

fn report(node: String, history: &History, now: Age) -> TargetReport {
    let at = |moment: &Instants| Instant {
        time: moment.wall,
        age_seconds: now.since(moment.age).as_secs_f64(),
    };
    let failed = history.last.as_ref().and_then(|last| last.failed.as_ref());
    let answered = history.answered.as_ref();
    TargetReport {
        node,
        state: TargetState::of(history),
        ready: false,
        address: failed
            .map(|failed| failed.address.clone())
            .or_else(|| answered.map(|(address, _)| address.to_string())),
        last_scrape: history.last.as_ref().map(|last| ScrapeReport {
            began: at(&last.began),
            duration_seconds: rounded(last.took),
            error: failed.map(|failed| error(failed, failed.error.hint())),
        }),
        last_success: answered.map(|(_, moment)| at(moment)),
        failures: history.failures,
        next_scrape: history.next,
        containers: history.series.containers,
        whole_pods: 0,
        incomplete_pods: BTreeMap::new(),
        node_lacks: None,
        skipped_lines: history.skipped_lines,
        last_skipped: history.bad.as_ref().map(|bad| SkippedReport {
            at: at(&bad.at),
            lines: bad.lines,
            first: bad.first.clone(),
        }),
        skipped_turns: history.skipped_turns,
        waits: history.waits,
        pages: history
            .pages()
            .map(|(page, of)| PageReport {
                name: page.name(),
                path: page.path(),
                state: TargetState::of_page(of),
                last_request: of.began.as_ref().map(|began| ScrapeReport {
                    began: at(began),
                    duration_seconds: rounded(of.took),
                    error: of
                        .failed
                        .as_deref()
                        .map(|failed| error(failed, page.hint(&failed.error))),
                }),
                last_success: of.answered.as_ref().map(at),
                failures: of.failures,
                skipped_turns: of.skipped,
            })
            .collect(),
    }
}

fn error(failed: &Failed, hint: &'static str) -> ErrorReport {
    ErrorReport {
        reason: failed.error.reason(),
        message: failed.error.to_string(),
        hint,
    }
}

/// Seconds, rounded to a tenth of a millisecond.
fn rounded(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e4).round() / 1e4
}
