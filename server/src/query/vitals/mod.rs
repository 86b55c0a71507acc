//! The vitals of pods, nodes and the cluster, each told by itself: what exists, joined with what was measured.
//!
//! Nothing is prepared for a list. Whoever wants many tells one after the other and forgets each when it is sent, so a
//! list of 150,000 pods takes the memory of one. What all have in common (each node's last scrape, the sums of a node's
//! pods) is looked up once.

mod absence;
mod amounts;
mod as_of;
mod cluster;
mod container;
mod filters;
mod meta;
mod node;
mod pod;
mod resize;
mod restarts;
mod totals;
mod trend;
mod usage;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::Incident;

use as_of::{AsOf, NodeUsageAt};
use totals::Totals;
pub(super) use totals::TotalsCache;
use trend::Span;

use super::Query;
use crate::clock::Age;
use crate::cluster::{ConditionStatus, Jobs, Nodes, PodKey, Pods};
use crate::health::Health;
use crate::scrape::{Record, Stats};
use crate::store::history::Excerpt;
use crate::store::{Cells, Latest, NodeExtra, Retention, Store};
use crate::work::Cancel;

/// Tells the vitals of one moment. Each node's measurements are taken once, so that its pods are of one scrape.
#[derive(Debug)]
pub struct VitalsBuilder {
    cells: Arc<Cells>,
    nodes: Arc<Nodes>,
    pods: Arc<Pods>,
    jobs: Arc<Jobs>,
    /// The sums over its pods, once they were asked for: of one pod they are not.
    totals: Option<Arc<Totals>>,
    sums: Arc<TotalsCache>,
    health: Arc<Health>,
    store: Arc<Store>,
    stats: Arc<Stats>,
    node_contexts: HashMap<Arc<str>, Arc<NodeContext>>,
    retention: Retention,
    resolution: Duration,
    /// For how long the past is remembered.
    remembers: Duration,
    now: Age,
    wall: Timestamp,
    /// The moment, if it is past.
    as_of: Option<AsOf>,
    trend: Option<Span>,
    /// Restarts of late by node, once they were asked for.
    recent_restarts: Option<HashMap<Arc<str>, u64>>,
    /// What incidents that go on are of, once that was asked for.
    afflicted: OnceLock<HashSet<PodKey>>,
    /// Where histories are copied to, one after the other.
    excerpt: Excerpt,
    /// All nodes are watched: one that is not known is gone.
    every_node: bool,
}

/// What is known of a node whose pods are told.
#[derive(Debug)]
struct NodeContext {
    latest: Option<Arc<Latest>>,
    extra: Option<Arc<NodeExtra>>,
    /// Its scrapes.
    record: Option<Arc<Record>>,
    /// What it and its pods used at the moment, if that is past.
    past: Option<NodeUsageAt>,
    /// Its kubelet is not heard of: what the API server has of its containers is what they once were.
    lost: bool,
}

impl Query {
    /// Tells the vitals of now.
    pub fn teller(&self) -> VitalsBuilder {
        self.teller_of(self.cluster.pods(), self.cluster.nodes(), None)
    }

    /// Tells the vitals as of a time within what is remembered, as far as they are known: which pods and nodes there
    /// were, what they used, how pods were, and their incidents. Probes are known of now alone, and so is what
    /// `/stats/summary` tells. Looks at every pod: once it is cancelled, at no more of them.
    pub fn teller_at(&self, at: Timestamp, cancel: &Cancel) -> VitalsBuilder {
        let as_of = AsOf::of(at, &self.health);
        let pods = Arc::new(as_of.pods(&self.cluster, &self.health, cancel));
        let nodes = Arc::new(as_of.nodes(&self.cluster));
        self.teller_of(pods, nodes, Some(as_of))
    }

    fn teller_of(&self, pods: Arc<Pods>, nodes: Arc<Nodes>, as_of: Option<AsOf>) -> VitalsBuilder {
        VitalsBuilder {
            cells: self.store.cells(),
            nodes,
            pods,
            jobs: self.cluster.jobs(),
            totals: None,
            sums: Arc::clone(&self.totals),
            health: Arc::clone(&self.health),
            store: Arc::clone(&self.store),
            stats: Arc::clone(&self.stats),
            node_contexts: HashMap::new(),
            retention: self.retention,
            resolution: self.resolution,
            remembers: self.history_remembers(),
            now: self.now(),
            wall: self.wall(),
            as_of,
            trend: None,
            recent_restarts: None,
            afflicted: OnceLock::new(),
            excerpt: Excerpt::default(),
            every_node: self.watches.node_selector.is_none(),
        }
    }
}

impl VitalsBuilder {
    /// Tells with each the latest past, in so many steps of a resolution.
    #[must_use]
    pub fn with_trend(mut self, steps: u32) -> Self {
        self.trend = Some(Span {
            steps,
            step: self.resolution,
        });
        self
    }

    /// An incident as the API shows it, with metadata of its own.
    pub fn incident(incident: &Incident) -> Incident {
        meta::incident(incident)
    }

    /// The moment.
    fn at(&self) -> Timestamp {
        self.as_of.as_ref().map_or(self.wall, |as_of| as_of.at)
    }

    /// The sums over the pods.
    fn totals(&mut self) -> Arc<Totals> {
        let (past, sums, pods) = (self.as_of.is_some(), &self.sums, &self.pods);
        let totals = self.totals.get_or_insert_with(|| {
            if past {
                // Nobody else will ask for those.
                Arc::new(Totals::of(pods))
            } else {
                sums.of(pods)
            }
        });
        Arc::clone(totals)
    }

    /// The pods that there are, or were.
    pub fn pods(&self) -> &Arc<Pods> {
        &self.pods
    }

    /// The nodes that there are, or were.
    pub fn nodes(&self) -> &Arc<Nodes> {
        &self.nodes
    }

    fn node_context(&mut self, node: &Arc<str>) -> Arc<NodeContext> {
        if let Some(met) = self.node_contexts.get(node) {
            return Arc::clone(met);
        }
        let cell = self.cells.get(node).filter(|_| self.as_of.is_none());
        let history = self.store.history().node(node);
        let past = self.as_of.as_ref().zip(history).map(|(as_of, history)| {
            let now = (self.now, self.wall);
            NodeUsageAt::of(&history, as_of.at, now, self.resolution, &mut self.excerpt)
        });
        let met = Arc::new(NodeContext {
            latest: cell.and_then(|cell| cell.latest()),
            extra: cell.and_then(|cell| cell.extra(self.now)),
            record: self.stats.records().get(node),
            past,
            lost: match (&self.as_of, self.nodes.get(node)) {
                (Some(as_of), Some(node)) => !as_of.is_ready(node),
                (None, Some(node)) => {
                    let unready = node.unready.as_ref();
                    unready.is_some_and(|it| it.status == ConditionStatus::Unknown)
                }
                (None, None) => self.every_node,
                (Some(_), None) => false,
            },
        });
        self.node_contexts
            .insert(Arc::clone(node), Arc::clone(&met));
        met
    }
}
