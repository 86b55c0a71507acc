//! Several servers of one Service, each of which scrapes a part of the nodes and answers for all (`--shard`).
//!
//! All shards watch the API server. The name of a node decides which shard scrapes it ([`claim`]). Each shard requests
//! the latest values of the others' nodes once a second ([`exchange`]) and stores them like its own, so queries know
//! nothing of shards. The history stays with the shard that scraped it; queries request a part of it ([`histories`]). When
//! the number of shards changes, the new shard of a node requests its series and its history from the old one.

mod claim;
mod exchange;
mod histories;
mod inbox;
mod members;
mod messages;
mod metrics;
mod outbox;
mod request;
mod settings;

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use kubevitals_proto::kubelet::probes::ProbeScrape;
use kubevitals_proto::time::Timestamp;
use parking_lot::Mutex;
use prost::Message as _;
use tokio::sync::{Notify, Semaphore};

use crate::clock::Age;
use crate::scrape::{NodeFilter, ProbeSink};
use crate::state::StateParts;
use crate::state::wire::{Kind, Writer};
use crate::store::NodeReport;
use claim::{Claim, owner};
use exchange::Access;
pub use histories::{HistoryScope, NodeScope, PodScope, RemoteHistory};
use members::{Members, Standing};
use messages::{Hello, NodeProbes};
use metrics::ShardMetrics;
use outbox::{Changed, Outbox};
pub use request::PeerRequest;
pub use settings::{Count, Settings, ShardFlags, ShardSpec};

/// This server as one of several shards.
pub struct Shards {
    settings: Settings,
    parts: Arc<StateParts>,
    /// The id of this process.
    process: String,
    started: Timestamp,
    started_age: Age,
    scope: ArcSwap<Scope>,
    members: Mutex<Members>,
    outbox: Mutex<Outbox>,
    /// The way to the other shards, once there is a CA to verify them.
    access: OnceLock<Arc<Access>>,
    /// Notified when another shard has answered.
    answered: Notify,
    /// One for each query that requests history, because each may take much memory.
    queries: Semaphore,
    metrics: ShardMetrics,
}

/// The number of queries that request history from other shards at the same time. Others wait.
const MAX_QUERIES: usize = 4;

/// What this shard scrapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Scope {
    claim: Claim,
    /// The claim before, until the other shards have handed over: only the nodes of both are scraped.
    before: Option<Claim>,
    /// Another server has the same index and started later.
    stands_by: bool,
    /// When the claim changed.
    since: Age,
}

impl Scope {
    fn scrapes(&self, node: &str) -> bool {
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
    fn claim(&self) -> Claim {
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
    fn is_superseded(&self, members: &Members, now: Age) -> bool {
        let rival = members.speaker(self.settings.index, now);
        let rival = rival.and_then(|(_, member)| member.hello.as_ref());
        rival.is_some_and(|rival| {
            (rival.started, &*rival.process) > (self.started.0, &*self.process)
        })
    }

    /// Whether a server that started later, this one included, has the same index.
    fn is_rival(&self, hello: &Hello, now: Age) -> bool {
        let rank = (hello.started, &*hello.process);
        if hello.index == self.settings.index && rank < (self.started.0, &*self.process) {
            return true;
        }
        let members = self.members.lock();
        let speaker = members.speaker(hello.index, now);
        let speaker = speaker.and_then(|(_, member)| member.hello.as_ref());
        speaker.is_some_and(|speaker| rank < (speaker.started, &*speaker.process))
    }

    /// Writes the answer to another shard.
    ///
    /// # Errors
    /// The error of `out`.
    pub fn write<W: Write>(&self, request: &PeerRequest, out: W) -> io::Result<W> {
        match request {
            PeerRequest::Latest { since, process } => {
                let since = if *process == self.process { *since } else { 0 };
                self.write_latest(since, out)
            }
            PeerRequest::HandOver(claim) => {
                let (out, _) = self.parts.write_nodes(out, |node| claim.owns(node))?;
                Ok(out)
            }
            PeerRequest::History(scope) => self.write_history(scope, out),
        }
    }

    fn write_latest<W: Write>(&self, since: u64, out: W) -> io::Result<W> {
        let (clock, cells) = (&self.parts.clock, self.parts.store.cells());
        let scope = self.scope.load();
        let batch = self
            .outbox
            .lock()
            .changes(since, &cells, |node| scope.scrapes(node));
        let mut writer = Writer::begin(out, clock.wall())?;
        let running = clock.elapsed().since(self.started_age).as_millis();
        let hello = Hello {
            index: scope.claim.index,
            count: scope.claim.count,
            started: self.started.0,
            running: u64::try_from(running).unwrap_or(u64::MAX),
            process: self.process.clone(),
            sequence: batch.sequence,
        };
        let mut payload = hello.encode_to_vec();
        writer.frame(Kind::Shard, &payload)?;
        for Changed {
            node,
            latest,
            extra,
        } in &batch.reports
        {
            let report = NodeReport::of(node, latest, extra.as_deref(), clock.elapsed());
            payload.clear();
            // Encoding into a Vec cannot fail.
            let _encoded = report.encode(&mut payload);
            writer.frame(Kind::Report, &payload)?;
        }
        for probes in &batch.probes {
            writer.frame(Kind::Probes, probes)?;
        }
        Ok(writer.end()?.0)
    }
}

#[cfg(test)]
mod tests;

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
