//! What is kept, part by part: written down node by node, and taken in again.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use prost::Message as _;

use super::wire::{Item, Kind, StateError, Writer};
use crate::clock::{Age, Clock};
use crate::cluster::Cluster;
use crate::health::{Health, Snapshot};
use crate::store::{NodeSnapshot, Retention, Store};

/// A wall clock may be set back by so much between two processes without a doubt about what was written.
const CLOCK_TOLERANCE: i64 = 2_000_000_000;

/// The parts of a server that outlive it.
#[derive(Debug)]
pub struct StateParts {
    /// The latest rates, and those before them.
    pub store: Arc<Store>,
    /// Whose names are shared.
    pub cluster: Arc<Cluster>,
    /// What is wrong, since when and why.
    pub health: Arc<Health>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Time between two scrapes of a node.
    pub resolution: Duration,
    /// What was written longer ago is of no use.
    pub max_age: Duration,
}

/// A node's points and rates.
#[derive(Clone, PartialEq, prost::Message)]
struct NodeRates {
    #[prost(string, tag = "1")]
    node: String,
    #[prost(message, optional, tag = "2")]
    carried: Option<NodeSnapshot>,
}

/// How old what is read can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// As long ago as its header says.
    File,
    /// Just now, by another process whose wall clock may differ from ours.
    Peer,
}

/// What was taken in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Restored {
    /// How long ago it was written down.
    pub ago: Duration,
    /// Nodes whose rates are answered again.
    pub nodes: usize,
    /// Nodes whose history is there again.
    pub histories: usize,
    /// Incidents that were not known.
    pub incidents: usize,
    /// Frames that hold what nobody understands.
    pub left_out: usize,
}

impl StateParts {
    /// Writes everything to `out`: what answers at once first. No lock is held for longer than a copy of one node, or
    /// of the incidents, takes, and no more than that is in memory. Gives back `out`, and how many bytes it was
    /// given.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write<W: Write>(&self, out: W) -> io::Result<(W, u64)> {
        let mut writer = Writer::begin(out, self.clock.wall())?;
        let mut payload = Vec::new();
        for (node, cell) in self.store.cells().iter() {
            // Later than the header says: what is read looks older by that, and never younger.
            let Some(carried) = cell.snapshot(self.clock.elapsed()) else {
                continue;
            };
            let latest = NodeRates {
                node: node.to_string(),
                carried: Some(carried),
            };
            payload.clear();
            // A Vec has room for everything.
            let _encoded = latest.encode(&mut payload);
            writer.frame(Kind::Latest, &payload)?;
            std::thread::yield_now();
        }
        if let Ok(health) = serde_json::to_vec(&self.health.export()) {
            writer.frame(Kind::Health, &health)?;
        }
        for (node, history) in self.store.history().nodes() {
            payload.clear();
            history.export(&node, self.clock.elapsed(), &mut payload);
            if !payload.is_empty() {
                writer.frame(Kind::History, &payload)?;
            }
            std::thread::yield_now();
        }
        writer.end()
    }

    /// Takes in what was written, piece by piece.
    pub fn restorer(&self, origin: Origin) -> Restorer<'_> {
        Restorer {
            parts: self,
            origin,
            now: self.clock.elapsed(),
            age_is_known: true,
            on_ready: None,
            at: self.clock.wall(),
            restored: Restored::default(),
        }
    }
}

/// Takes in pieces.
pub struct Restorer<'a> {
    parts: &'a StateParts,
    origin: Origin,
    now: Age,
    /// Whether it is certain how long ago it was written.
    age_is_known: bool,
    /// To be told when what answers at once is there.
    on_ready: Option<Box<dyn FnOnce() + Send + 'a>>,
    /// When it was written, as far as that is known.
    at: Timestamp,
    /// What was taken in so far.
    pub restored: Restored,
}

impl<'a> Restorer<'a> {
    /// Has `notify` told when all is there that answers at once, at the latest when this is dropped.
    pub fn notify_when_ready(&mut self, notify: impl FnOnce() + Send + 'a) {
        self.on_ready = Some(Box::new(notify));
    }

    /// Takes in one piece. What a whole frame holds that is no message is left out: somebody wrote it so.
    ///
    /// # Errors
    /// When it is too old to be of use.
    pub fn apply(&mut self, item: Item<'_>) -> Result<(), StateError> {
        match item {
            Item::Header { written } => self.begin(written),
            Item::Frame(Kind::Latest, payload) => {
                self.latest(payload);
                Ok(())
            }
            Item::Frame(Kind::History, payload) => {
                self.notify_ready();
                self.history(payload);
                Ok(())
            }
            Item::Frame(Kind::Health, payload) => {
                self.health(payload);
                Ok(())
            }
            Item::Frame(Kind::End, _) => Ok(()),
        }
    }

    fn notify_ready(&mut self) {
        if let Some(notify) = self.on_ready.take() {
            notify();
        }
    }

    fn begin(&mut self, written: Timestamp) -> Result<(), StateError> {
        if self.origin == Origin::Peer {
            return Ok(());
        }
        let ago = self.parts.clock.wall().since(written);
        self.at = written;
        self.age_is_known = ago >= -CLOCK_TOLERANCE;
        self.restored.ago = Duration::from_nanos(u64::try_from(ago).unwrap_or_default());
        if self.restored.ago > self.parts.max_age {
            return Err(StateError::TooOld);
        }
        Ok(())
    }

    /// Rates that could not be answered any more are left alone, and so are those of which nobody knows how old they
    /// are: what is old must not look fresh.
    fn latest(&mut self, payload: &[u8]) {
        let Ok(NodeRates {
            node,
            carried: Some(carried),
        }) = NodeRates::decode(payload)
        else {
            self.restored.left_out += 1;
            return;
        };
        let max_age = Retention::of(self.parts.resolution).unseen;
        let ago = carried.scraped_ago().saturating_add(self.restored.ago);
        if !self.age_is_known || ago > max_age || node.is_empty() {
            return;
        }
        let names = self.parts.cluster.names();
        let restored = carried.restore(self.now, self.restored.ago, self.parts.resolution, names);
        self.parts.store.restore(&names.intern(&node), restored);
        self.restored.nodes += 1;
    }
}

impl Restorer<'_> {
    /// What another replica has noticed meanwhile we may have noticed too: it is one incident then.
    fn health(&mut self, payload: &[u8]) {
        let snapshot = Snapshot::from_json(payload);
        let merged = snapshot.and_then(|snapshot| self.parts.health.merge(snapshot, self.at));
        match merged {
            Ok(merged) => self.restored.incidents += merged.added,
            Err(_) => self.restored.left_out += 1,
        }
    }

    fn history(&mut self, payload: &[u8]) {
        let (history, names) = (self.parts.store.history(), self.parts.cluster.names());
        let now = self.parts.clock.elapsed();
        match history.import(payload, self.restored.ago, now, names) {
            Ok(imported) => self.restored.histories += usize::from(imported.points > 0),
            Err(_) => self.restored.left_out += 1,
        }
    }
}

impl Drop for Restorer<'_> {
    fn drop(&mut self) {
        self.notify_ready();
    }
}

impl std::fmt::Debug for Restorer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Taking")
            .field("restored", &self.restored)
            .finish_non_exhaustive()
    }
}
