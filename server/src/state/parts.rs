//! What is kept, part by part: written down node by node, and taken in again.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use prost::Message as _;

use super::wire::{Kind, Piece, Refused, Writer};
use crate::clock::{Age, Clock};
use crate::cluster::Cluster;
use crate::health::{Health, Snapshot};
use crate::store::{NodeSnapshot, Retention, Store};

/// A wall clock may be set back by so much between two processes without a doubt about what was written.
const SET_BACK: i64 = 2_000_000_000;

/// The parts of a server that outlive it.
#[derive(Debug)]
pub struct Parts {
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
    pub kept_for: Duration,
}

/// A node's points and rates.
#[derive(Clone, PartialEq, prost::Message)]
struct LatestOfNode {
    #[prost(string, tag = "1")]
    node: String,
    #[prost(message, optional, tag = "2")]
    carried: Option<NodeSnapshot>,
}

/// How old what is read can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// As long ago as its header says.
    Then,
    /// Just now, by another process whose wall clock may differ from ours.
    Now,
}

/// What was taken in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
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

impl Parts {
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
            let latest = LatestOfNode {
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
    pub fn taking(&self, written: Written) -> Taking<'_> {
        Taking {
            parts: self,
            written,
            now: self.clock.elapsed(),
            certain: true,
            answering: None,
            at: self.clock.wall(),
            taken: Taken::default(),
        }
    }
}

/// Takes in pieces.
pub struct Taking<'a> {
    parts: &'a Parts,
    written: Written,
    now: Age,
    /// Whether it is certain how long ago it was written.
    certain: bool,
    /// To be told when what answers at once is there.
    answering: Option<Box<dyn FnOnce() + Send + 'a>>,
    /// When it was written, as far as that is known.
    at: Timestamp,
    /// What was taken in so far.
    pub taken: Taken,
}

impl<'a> Taking<'a> {
    /// Has `tell` told when all is there that answers at once, at the latest when this is dropped.
    pub fn tell_when_answering(&mut self, tell: impl FnOnce() + Send + 'a) {
        self.answering = Some(Box::new(tell));
    }

    /// Takes in one piece. What a whole frame holds that is no message is left out: somebody wrote it so.
    ///
    /// # Errors
    /// When it is too old to be of use.
    pub fn take(&mut self, piece: Piece<'_>) -> Result<(), Refused> {
        match piece {
            Piece::Header { written } => self.begin(written),
            Piece::Frame(Kind::Latest, payload) => {
                self.latest(payload);
                Ok(())
            }
            Piece::Frame(Kind::History, payload) => {
                self.answers();
                self.history(payload);
                Ok(())
            }
            Piece::Frame(Kind::Health, payload) => {
                self.health(payload);
                Ok(())
            }
            Piece::Frame(Kind::End, _) => Ok(()),
        }
    }

    fn answers(&mut self) {
        if let Some(tell) = self.answering.take() {
            tell();
        }
    }

    fn begin(&mut self, written: Timestamp) -> Result<(), Refused> {
        if self.written == Written::Now {
            return Ok(());
        }
        let ago = self.parts.clock.wall().since(written);
        self.at = written;
        self.certain = ago >= -SET_BACK;
        self.taken.ago = Duration::from_nanos(u64::try_from(ago).unwrap_or_default());
        if self.taken.ago > self.parts.kept_for {
            return Err(Refused::TooOld);
        }
        Ok(())
    }

    /// Rates that could not be answered any more are left alone, and so are those of which nobody knows how old they
    /// are: what is old must not look fresh.
    fn latest(&mut self, payload: &[u8]) {
        let Ok(LatestOfNode {
            node,
            carried: Some(carried),
        }) = LatestOfNode::decode(payload)
        else {
            self.taken.left_out += 1;
            return;
        };
        let believed = Retention::of(self.parts.resolution).unseen;
        let ago = carried.scraped_ago().saturating_add(self.taken.ago);
        if !self.certain || ago > believed || node.is_empty() {
            return;
        }
        let names = self.parts.cluster.names();
        let restored = carried.restore(self.now, self.taken.ago, self.parts.resolution, names);
        self.parts.store.restore(&names.intern(&node), restored);
        self.taken.nodes += 1;
    }
}

impl Taking<'_> {
    /// What another replica has noticed meanwhile we may have noticed too: it is one incident then.
    fn health(&mut self, payload: &[u8]) {
        let snapshot = Snapshot::from_json(payload);
        let learned = snapshot.and_then(|snapshot| self.parts.health.merge(snapshot, self.at));
        match learned {
            Ok(learned) => self.taken.incidents += learned.added,
            Err(_) => self.taken.left_out += 1,
        }
    }

    fn history(&mut self, payload: &[u8]) {
        let (history, names) = (self.parts.store.history(), self.parts.cluster.names());
        let now = self.parts.clock.elapsed();
        match history.import(payload, self.taken.ago, now, names) {
            Ok(imported) => self.taken.histories += usize::from(imported.points > 0),
            Err(_) => self.taken.left_out += 1,
        }
    }
}

impl Drop for Taking<'_> {
    fn drop(&mut self) {
        self.answers();
    }
}

impl std::fmt::Debug for Taking<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Taking")
            .field("taken", &self.taken)
            .finish_non_exhaustive()
    }
}
