//! This server as one of several shards: what it scrapes, and who scrapes the other nodes.

use std::fmt;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use kubevitals_proto::kubelet::probes::ProbeScrape;
use kubevitals_proto::time::Timestamp;
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore};

use super::access::Access;
use super::claim::{Claim, owner};
use super::counts::ShardMetrics;
use super::members::{Members, Standing};
use super::messages::{Hello, NodeProbes};
use super::outbox::Outbox;
use super::settings::{Count, Settings};
use crate::clock::Age;
use crate::scrape::{NodeFilter, ProbeSink};
use crate::state::StateParts;

/// This server as one of several shards.
pub struct Shards {
    pub(super) settings: Settings,
    pub(super) parts: Arc<StateParts>,
    /// The id of this process.
    pub(super) process: String,
    pub(super) started: Timestamp,
    pub(super) started_age: Age,
    pub(super) scope: ArcSwap<Scope>,
    pub(super) members: Mutex<Members>,
    pub(super) outbox: Mutex<Outbox>,
    /// The way to the other shards, once there is a CA to verify them.
    pub(super) access: OnceLock<Arc<Access>>,
    /// Notified when another shard has answered.
    pub(super) answered: Notify,
    /// One for each query that requests history, because each may take much memory.
    pub(super) queries: Semaphore,
    pub(super) metrics: ShardMetrics,
}

/// The number of queries that request history from other shards at the same time. Others wait.
const MAX_QUERIES: usize = 4;

/// What this shard scrapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) claim: Claim,
    /// The claim before, until the other shards have handed over: only the nodes of both are scraped.
    pub(super) before: Option<Claim>,
    /// Another server has the same index and started later.
    pub(super) stands_by: bool,
    /// When the claim changed.
    pub(super) since: Age,
}

impl Scope {
    pub(super) fn scrapes(&self, node: &str) -> bool {
        !self.stands_by
            && self.claim.owns(node)
            && self.before.is_none_or(|before| before.owns(node))
    }
}

/// The shard that scrapes a node, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scraper {
    /// `shard 2/4 (10.0.0.2:10250)`.
    pub name: String,
    /// Why it does not answer, as a sentence without its subject; none if it answers.
    pub problem: Option<String>,
}

impl Shards {
    /// This process, whose id is `process`, as a shard.
    pub fn new(settings: Settings, parts: Arc<StateParts>, process: &str) -> Arc<Self> {
        let count = match settings.count {
            Count::Fixed(count) => count,
            Count::StatefulSet(_) => 0,
        };
        let (started, since) = (parts.clock.wall(), parts.clock.elapsed());
        let index = settings.index;
        Arc::new(Self {
            settings,
            parts,
            process: process.to_owned(),
            started,
            started_age: since,
            scope: ArcSwap::from_pointee(Scope {
                claim: Claim { index, count },
                before: Some(Claim { index, count: 0 }),
                stands_by: false,
                since,
            }),
            members: Mutex::default(),
            outbox: Mutex::default(),
            access: OnceLock::new(),
            answered: Notify::new(),
            queries: Semaphore::new(MAX_QUERIES),
            metrics: ShardMetrics::default(),
        })
    }

    /// The claim of this process.
    pub(super) fn claim(&self) -> Claim {
        self.scope.load().claim
    }

    /// The shard that should scrape a node; none if it is this one.
    pub fn scraper(&self, node: &str) -> Option<Scraper> {
        let (scope, now) = (**self.scope.load(), self.parts.clock.elapsed());
        let Claim { index, count } = scope.claim;
        if count == 0 {
            return Some(Scraper {
                name: "a shard".to_owned(),
                problem: Some(
                    "is not known: the number of shards has not been read yet".to_owned(),
                ),
            });
        }
        let of = owner(node, count);
        (of != index || scope.stands_by).then(|| self.scraper_of(of, now, &self.members.lock()))
    }

    fn scraper_of(&self, of: u32, now: Age, members: &Members) -> Scraper {
        let (address, problem) = match members.standing(of, now) {
            Standing::Answers(address, _) => (Some(address), None),
            Standing::Gone(address, problem) => (address, Some(problem)),
        };
        let address = address.map(|address| format!(" ({address})"));
        let (count, address) = (self.claim().count, address.unwrap_or_default());
        Scraper {
            name: format!("shard {of}/{count}{address}"),
            problem,
        }
    }

    /// The other shards that do not answer, each with its problem as a sentence.
    pub fn missing(&self) -> Vec<String> {
        let (Claim { index, count }, now) = (self.claim(), self.parts.clock.elapsed());
        let members = self.members.lock();
        let others = (0..count).filter(|other| *other != index);
        let scrapers = others.map(|other| self.scraper_of(other, now, &members));
        scrapers
            .filter_map(|Scraper { name, problem }| Some(format!("{name} {}", problem?)))
            .collect()
    }

    /// Whether another server that answers has the same index and started later. It scrapes, and this one does not.
    pub(super) fn is_superseded(&self, members: &Members, now: Age) -> bool {
        let rival = members.speaker(self.settings.index, now);
        let rival = rival.and_then(|(_, member)| member.hello.as_ref());
        rival.is_some_and(|rival| {
            (rival.started, &*rival.process) > (self.started.0, &*self.process)
        })
    }

    /// Whether a server that started later, this one included, has the same index.
    pub(super) fn is_rival(&self, hello: &Hello, now: Age) -> bool {
        let rank = (hello.started, &*hello.process);
        if hello.index == self.settings.index && rank < (self.started.0, &*self.process) {
            return true;
        }
        let members = self.members.lock();
        let speaker = members.speaker(hello.index, now);
        let speaker = speaker.and_then(|(_, member)| member.hello.as_ref());
        speaker.is_some_and(|speaker| rank < (speaker.started, &*speaker.process))
    }
}

impl NodeFilter for Shards {
    fn scrapes(&self, node: &str) -> bool {
        self.scope.load().scrapes(node)
    }
}

/// Passes the counters of probes to health, and to the other shards.
impl ProbeSink for Shards {
    fn probes(&self, node: &Arc<str>, probes: &ProbeScrape<'_>, now: Timestamp) {
        self.parts.health.probes(node, probes, now);
        let message = NodeProbes::of(node, probes, now.0);
        self.outbox.lock().store_probes(node, &message);
    }
}

impl fmt::Debug for Shards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shards")
            .field("settings", &self.settings)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
