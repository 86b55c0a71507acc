//! Writes and restores the parts of the state, node by node.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use prost::Message as _;

use super::wire::{Item, Kind, StateError, Writer};
use crate::availability::{Availability, RETENTION};
use crate::clock::{Age, Clock};
use crate::cluster::Cluster;
use crate::health::{Health, Snapshot};
use crate::store::{NodeSnapshot, Retention, Store};

/// The wall clock may go back this much between two processes, in nanoseconds, while the age of the state still
/// counts as known.
const CLOCK_TOLERANCE: i64 = 2_000_000_000;

/// The parts of a server that outlive the process.
#[derive(Debug)]
pub struct StateParts {
    /// The rates and the histories.
    pub store: Arc<Store>,
    /// The cluster, whose interned names are shared.
    pub cluster: Arc<Cluster>,
    /// The incidents.
    pub health: Arc<Health>,
    /// The availability of workloads, if it is stored.
    pub availability: Option<Arc<Availability>>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The time between two scrapes of a node.
    pub resolution: Duration,
    /// Older state is refused.
    pub max_age: Duration,
}

/// The samples and rates of a node.
#[derive(Clone, PartialEq, prost::Message)]
struct NodeRates {
    #[prost(string, tag = "1")]
    node: String,
    #[prost(message, optional, tag = "2")]
    snapshot: Option<NodeSnapshot>,
}

/// Where the state comes from, which decides how old it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A file, whose age follows from its header.
    File,
    /// Another process, just now; its wall clock may differ.
    Peer,
}

/// What was restored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Restored {
    /// The age of the state.
    pub ago: Duration,
    /// Nodes with restored rates.
    pub nodes: usize,
    /// Nodes with restored history.
    pub histories: usize,
    /// Incidents that are new to this server.
    pub incidents: usize,
    /// Workloads with restored availability.
    pub workloads: usize,
    /// Frames that cannot be decoded.
    pub left_out: usize,
}

impl StateParts {
    /// Writes everything to `out`, the rates first. Holds a lock only to copy one node or the incidents, and has no
    /// more than that in memory. Returns `out` and the number of bytes.
    ///
    /// # Errors
    /// The error of `out`.
    pub fn write<W: Write>(&self, out: W) -> io::Result<(W, u64)> {
        self.write_nodes(out, |_| true)
    }

    /// The same for the nodes that `select` selects, with all incidents.
    ///
    /// # Errors
    /// The error of `out`.
    pub fn write_nodes<W: Write>(
        &self,
        out: W,
        select: impl Fn(&str) -> bool,
    ) -> io::Result<(W, u64)> {
        let mut writer = Writer::begin(out, self.clock.wall())?;
        let mut payload = Vec::new();
        let cells = self.store.cells();
        for (node, cell) in cells.iter().filter(|(node, _)| select(node)) {
            // Later than the time in the header: restored rates look older than they are, never younger.
            let Some(snapshot) = cell.snapshot(self.clock.elapsed()) else {
                continue;
            };
            let latest = NodeRates {
                node: node.to_string(),
                snapshot: Some(snapshot),
            };
            payload.clear();
            // Encoding into a Vec cannot fail.
            let _encoded = latest.encode(&mut payload);
            writer.frame(Kind::Latest, &payload)?;
            std::thread::yield_now();
        }
        if let Ok(health) = serde_json::to_vec(&self.health.export()) {
            writer.frame(Kind::Health, &health)?;
        }
        if let Some(availability) = &self.availability {
            availability.export(|records| writer.frame(Kind::Availability, records))?;
        }
        let histories = self.store.history().nodes().into_iter();
        for (node, history) in histories.filter(|(node, _)| select(node)) {
            payload.clear();
            history.export(&node, self.clock.elapsed(), &mut payload);
            if !payload.is_empty() {
                writer.frame(Kind::History, &payload)?;
            }
            std::thread::yield_now();
        }
        writer.end()
    }

    /// Makes a restorer of state from this origin.
    pub fn restorer(&self, origin: Origin) -> Restorer<'_> {
        Restorer {
            parts: self,
            origin,
            now: self.clock.elapsed(),
            age_is_known: true,
            only_availability: false,
            on_ready: None,
            at: self.clock.wall(),
            restored: Restored::default(),
        }
    }
}

/// Restores the state item by item.
pub struct Restorer<'a> {
    parts: &'a StateParts,
    origin: Origin,
    now: Age,
    /// Whether the age of the state is known.
    age_is_known: bool,
    /// Whether everything else is too old.
    only_availability: bool,
    /// Is called when the rates are restored.
    on_ready: Option<Box<dyn FnOnce() + Send + 'a>>,
    /// When the state was written, as far as it is known.
    at: Timestamp,
    /// What has been restored so far.
    pub restored: Restored,
}

impl<'a> Restorer<'a> {
    /// Calls `notify` when the rates are restored, at the latest when the restorer is dropped.
    pub fn notify_when_ready(&mut self, notify: impl FnOnce() + Send + 'a) {
        self.on_ready = Some(Box::new(notify));
    }

    /// Restores one item. A complete frame that cannot be decoded is skipped, because its writer made it so.
    ///
    /// # Errors
    /// The state is too old.
    pub fn apply(&mut self, item: Item<'_>) -> Result<(), StateError> {
        match item {
            Item::Header { written } => self.begin(written),
            Item::Frame(kind, _) if self.only_availability && kind != Kind::Availability => Ok(()),
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
            Item::Frame(Kind::Availability, payload) => {
                self.availability(payload);
                Ok(())
            }
            // A state has no others.
            Item::Frame(_, _) => Ok(()),
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
        let is_old = self.restored.ago > self.parts.max_age;
        // Availability is stored for a month, and says that it was not watched meanwhile.
        self.only_availability = is_old;
        if is_old && (self.parts.availability.is_none() || self.restored.ago > RETENTION) {
            return Err(StateError::TooOld);
        }
        Ok(())
    }

    /// Skips rates that are too old to be served, and rates of unknown age: old values must not look new.
    fn latest(&mut self, payload: &[u8]) {
        let Ok(NodeRates {
            node,
            snapshot: Some(snapshot),
        }) = NodeRates::decode(payload)
        else {
            self.restored.left_out += 1;
            return;
        };
        let max_age = Retention::of(self.parts.resolution).unseen;
        let ago = snapshot.scraped_ago().saturating_add(self.restored.ago);
        if !self.age_is_known || ago > max_age || node.is_empty() {
            return;
        }
        let names = self.parts.cluster.names();
        let restored = snapshot.restore(self.now, self.restored.ago, self.parts.resolution, names);
        self.parts.store.restore(&names.intern(&node), restored);
        self.restored.nodes += 1;
    }
}

impl Restorer<'_> {
    /// An incident that both replicas have noticed is merged into one.
    fn health(&mut self, payload: &[u8]) {
        let snapshot = Snapshot::from_json(payload);
        let merged = snapshot.and_then(|snapshot| self.parts.health.merge(snapshot, self.at));
        match merged {
            Ok(merged) => self.restored.incidents += merged.added,
            Err(_) => self.restored.left_out += 1,
        }
    }

    /// What this server knows of a workload stays.
    fn availability(&mut self, payload: &[u8]) {
        let Some(availability) = &self.parts.availability else {
            return;
        };
        match availability.restore(payload) {
            Ok(workloads) => self.restored.workloads += workloads,
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
