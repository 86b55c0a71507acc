//! The pages that are asked for beside `/metrics/resource`: how often each probe succeeded, and what `/stats/summary`
//! tells beside CPU and memory.
//!
//! Each has an interval of its own, and turns of its own that lie between the node's. They are asked for one at a time,
//! over the node's connection, only while `/metrics/resource` answers, and after all nodes that wait to be asked for
//! that. A page that takes longer than the node's next turn keeps its connection, and the node has a second one from
//! then on. What fails here costs what it would have told, and nothing else.

mod metrics;
mod request;
mod timetable;

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::kubelet::probes::ProbeScrape;
use kubevitals_proto::time::Timestamp;

pub(super) use metrics::PageMetrics;
pub use metrics::PageSnapshot;
pub(super) use request::{Ended, Request, turn};
pub(super) use timetable::Timetable;

use super::failure::ScrapeError;

/// A page that is asked for beside `/metrics/resource`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Page {
    /// `/metrics/probes`.
    Probes,
    /// `/stats/summary`, the whole of it.
    Summary,
}

/// How often each page is asked for; nothing for never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intervals {
    /// `/metrics/probes`.
    pub probes: Option<Duration>,
    /// `/stats/summary`.
    pub summary: Option<Duration>,
}

/// Where counts of probes go: whoever judges containers by them.
pub trait ProbeSink: Debug + Send + Sync {
    /// What a node's kubelet said of its probes, at `now` of our clock (the page carries no time). It is called by
    /// the node's task with each answer, in order, and must be quick.
    fn probes(&self, node: &Arc<str>, probes: &ProbeScrape<'_>, now: Timestamp);
}

/// Nobody who asks for counts of probes.
#[derive(Debug)]
pub struct NoProbes;

impl ProbeSink for NoProbes {
    fn probes(&self, _: &Arc<str>, _: &ProbeScrape<'_>, _: Timestamp) {}
}

impl Page {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Probes, Self::Summary];

    /// Its name in counts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Probes => "probes",
            Self::Summary => "summary",
        }
    }

    /// Where it is.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Probes => "/metrics/probes",
            Self::Summary => "/stats/summary",
        }
    }

    /// What is not known without it.
    pub const fn tells(self) -> &'static str {
        match self {
            Self::Probes => "which probes fail is known from events alone",
            Self::Summary => "disk, network, pressure and processes are not known",
        }
    }

    /// What to do about a failure.
    pub fn hint(self, error: &ScrapeError) -> &'static str {
        let ScrapeError::Status { status } = error else {
            return error.hint();
        };
        match (self, status.as_u16()) {
            (Self::Probes, 403) => {
                "grant this service account get on nodes/metrics, or give --probes-interval=0"
            }
            (Self::Summary, 403) => {
                "grant this service account get on nodes/stats, or give --summary-interval=0"
            }
            (Self::Probes, 404) => {
                "the kubelet has no such page; where none has, give --probes-interval=0"
            }
            (Self::Summary, 404) => {
                "the kubelet has no such page; where none has, give --summary-interval=0"
            }
            (Self::Probes | Self::Summary, 500..600) => {
                "look into the kubelet's and the container runtime's log"
            }
            _ => error.hint(),
        }
    }
}

impl Intervals {
    /// Of one page.
    pub const fn of(&self, page: Page) -> Option<Duration> {
        match page {
            Page::Probes => self.probes,
            Page::Summary => self.summary,
        }
    }
}
