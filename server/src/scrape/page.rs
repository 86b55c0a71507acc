//! The kubelet's pages besides `/metrics/resource`, and their intervals.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::kubelet::probes::ProbeScrape;
use kubevitals_proto::time::Timestamp;

use super::failure::ScrapeError;

/// A page besides `/metrics/resource`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Page {
    /// `/metrics/probes`.
    Probes,
    /// `/stats/summary`, the whole of it.
    Summary,
}

/// The interval of each page; none for a disabled page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intervals {
    /// `/metrics/probes`.
    pub probes: Option<Duration>,
    /// `/stats/summary`.
    pub summary: Option<Duration>,
}

/// Receives the counters of probes.
pub trait ProbeSink: Debug + Send + Sync {
    /// Receives a node's page of probes, read at `now` of the server's clock (the page has no time). The node's task
    /// calls it for each response in order, so it must be fast.
    fn probes(&self, node: &Arc<str>, probes: &ProbeScrape<'_>, now: Timestamp);
}

impl Page {
    /// All pages.
    pub const ALL: [Self; 2] = [Self::Probes, Self::Summary];

    /// The name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Probes => "probes",
            Self::Summary => "summary",
        }
    }

    /// The path.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Probes => "/metrics/probes",
            Self::Summary => "/stats/summary",
        }
    }

    /// What is unknown without the page.
    pub const fn missing_data(self) -> &'static str {
        match self {
            Self::Probes => "which probes fail is known from events alone",
            Self::Summary => "disk, network, pressure and processes are not known",
        }
    }

    /// What to do about a failure.
    pub fn hint(self, error: &ScrapeError) -> &'static str {
        let ScrapeError::Status(status) = error else {
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
    /// The interval of a page.
    pub const fn of(&self, page: Page) -> Option<Duration> {
        match page {
            Page::Probes => self.probes,
            Page::Summary => self.summary,
        }
    }
}
