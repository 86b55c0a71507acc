//! The builder of the vitals of one moment, with the snapshots that it reads.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kubevitals_proto::time::{Timestamp, nanos};

use super::as_of::{AsOf, NodeUsageAt};
use super::engine_statistics::EngineStatistics;
use super::totals::{Totals, TotalsCache};
use crate::clock::Age;
use crate::cluster::{ConditionStatus, GonePods, Jobs, Node, Nodes, Pod, PodKey, Pods, Resources};
use crate::query::history::StatisticsQuery;
use crate::query::sources::Sources;
use crate::scrape::Record;
use crate::shard::Scraper;
use crate::store::history::Excerpt;
use crate::store::{Cells, Latest, NodeExtra};

/// Builds the API objects of one moment from its objects and readings. Each node's readings are taken once, so that all
/// its pods are of one scrape.
#[derive(Debug)]
pub struct VitalsBuilder {
    pub(super) sources: Arc<Sources>,
    cells: Arc<Cells>,
    pub(super) nodes: Arc<Nodes>,
    pub(super) pods: Arc<Pods>,
    pub(super) jobs: Arc<Jobs>,
    /// The sums over the pods, computed at their first use.
    totals: Option<Arc<Totals>>,
    totals_cache: Arc<TotalsCache>,
    node_contexts: HashMap<Arc<str>, Arc<NodeContext>>,
    /// The time for which history is available.
    pub(super) history_span: Duration,
    pub(super) now: Age,
    pub(super) wall: Timestamp,
    /// The time of the query, if it is in the past.
    pub(super) as_of: Option<AsOf>,
    /// What the nodes used at the time of the query, if the engine has it and not the history in memory.
    pub(super) past_usage: Option<HashMap<Arc<str>, NodeUsageAt>>,
    /// The deleted pods, if they are built too.
    pub(super) gone: Option<Arc<GonePods>>,
    /// The number of steps of each object's trend.
    pub(super) trend: Option<u32>,
    /// Computes the statistics of each object, if they are requested.
    pub(super) stats: Option<StatisticsQuery>,
    /// What the engine has for the statistics.
    pub(super) engine_stats: EngineStatistics,
    /// Recent restarts by node, computed at their first use.
    pub(super) recent_restarts: Option<HashMap<Arc<str>, u64>>,
    /// The objects with an open incident, computed at their first use.
    pub(super) with_open_incidents: OnceLock<HashSet<PodKey>>,
    /// A buffer for copies of history.
    pub(super) excerpt: Excerpt,
}

/// The readings of a node.
#[derive(Debug)]
pub(super) struct NodeContext {
    pub(super) latest: Option<Arc<Latest>>,
    pub(super) extra: Option<Arc<NodeExtra>>,
    /// The other shard that scrapes the node, if it is one.
    pub(super) scraper: Option<Scraper>,
    /// The node's scrapes.
    pub(super) record: Option<Arc<Record>>,
    /// What the node and its pods used at the time of the query, if it is in the past.
    pub(super) past: Option<NodeUsageAt>,
    /// The kubelet does not report: the states of containers that the API server has are out of date.
    pub(super) lost: bool,
    /// The node is not scraped, because the memory limit is near.
    pub(super) left_out: bool,
}

impl VitalsBuilder {
    pub(super) fn new(
        sources: &Arc<Sources>,
        totals_cache: &Arc<TotalsCache>,
        pods: Arc<Pods>,
        nodes: Arc<Nodes>,
        as_of: Option<AsOf>,
    ) -> Self {
        Self {
            cells: sources.store.cells(),
            nodes,
            pods,
            jobs: sources.cluster.jobs(),
            totals: None,
            totals_cache: Arc::clone(totals_cache),
            node_contexts: HashMap::new(),
            history_span: sources.history().retention(),
            now: sources.now(),
            wall: sources.wall(),
            as_of,
            past_usage: None,
            gone: None,
            trend: None,
            stats: None,
            engine_stats: EngineStatistics::default(),
            recent_restarts: None,
            with_open_incidents: OnceLock::new(),
            excerpt: Excerpt::default(),
            sources: Arc::clone(sources),
        }
    }

    /// Adds a trend to each object: its usage over the last `steps` scrapes.
    #[must_use]
    pub fn with_trend(mut self, steps: u32) -> Self {
        self.trend = Some(steps);
        self
    }

    /// The time at which the server received the deletion of a pod, if it is a deleted one.
    pub(super) fn deleted_at(&self, pod: &Pod) -> Option<Timestamp> {
        let gone = self.gone.as_ref()?;
        gone.get(&(pod.key.clone(), pod.uid)).map(|gone| gone.at)
    }

    /// Adds statistics to each pod, container and node: its usage over the last `span`, as far as it is stored in memory
    /// or in the engine.
    #[must_use]
    pub fn with_stats(mut self, span: Duration, engine: EngineStatistics) -> Self {
        self.engine_stats = engine;
        let until = self.at();
        let since = until.plus_nanos(-nanos(span.min(self.history_span)));
        self.stats = Some(StatisticsQuery::new(&self.sources, since, until));
        self
    }

    /// The pods of the moment.
    pub fn pods(&self) -> &Arc<Pods> {
        &self.pods
    }

    /// The nodes of the moment.
    pub fn nodes(&self) -> &Arc<Nodes> {
        &self.nodes
    }

    /// The time of the query.
    pub(super) fn at(&self) -> Timestamp {
        self.as_of.as_ref().map_or(self.wall, |as_of| as_of.at)
    }

    /// Requests or limits of several pods; none while pods are left out, because the memory limit is near.
    pub(super) fn whole(&self, sum: Resources) -> Resources {
        match self.sources.watches.pods.left_out() {
            0 => sum,
            _ => Resources::default(),
        }
    }

    /// The sums over the pods.
    pub(super) fn totals(&mut self) -> Arc<Totals> {
        let (is_past, cache, pods) = (self.as_of.is_some(), &self.totals_cache, &self.pods);
        let totals = self.totals.get_or_insert_with(|| {
            if is_past {
                // No other query shares these pods.
                Arc::new(Totals::of(pods))
            } else {
                cache.of(pods)
            }
        });
        Arc::clone(totals)
    }

    /// The readings of a node.
    pub(super) fn node_context(&mut self, node: &Arc<str>) -> Arc<NodeContext> {
        if let Some(context) = self.node_contexts.get(node) {
            return Arc::clone(context);
        }
        let cell = self.cells.get(node).filter(|_| self.as_of.is_none());
        let history = self.sources.history().node(node);
        let past = match &mut self.past_usage {
            // Each node's is taken once: its context is stored.
            Some(usage) => usage.remove(node),
            None => self.as_of.as_ref().zip(history).map(|(as_of, history)| {
                let (now, resolution) = ((self.now, self.wall), self.sources.resolution);
                NodeUsageAt::of(&history, as_of.at, now, resolution, &mut self.excerpt)
            }),
        };
        let record = self.sources.stats.records().get(node);
        let left_out = match &record {
            Some(record) => record.read(|history| history.left_out),
            None => self.sources.watches.nodes.left_out() > 0,
        };
        let context = Arc::new(NodeContext {
            latest: cell.and_then(|cell| cell.latest()),
            extra: cell.and_then(|cell| cell.extra(self.now)),
            scraper: self.sources.scraper(node),
            record,
            past,
            lost: self.is_lost(node),
            left_out,
        });
        self.node_contexts
            .insert(Arc::clone(node), Arc::clone(&context));
        context
    }

    /// Whether a node is ready, or was at the time of the query.
    pub(super) fn is_ready(&self, node: &Node) -> bool {
        let as_of = self.as_of.as_ref();
        as_of.map_or(node.ready, |as_of| as_of.is_ready(node))
    }

    fn is_lost(&self, node: &str) -> bool {
        match (&self.as_of, self.nodes.get(node)) {
            (Some(as_of), Some(node)) => !as_of.is_ready(node),
            (None, Some(node)) => {
                let unready = node.unready.as_ref();
                unready.is_some_and(|it| it.status == ConditionStatus::Unknown)
            }
            // Without a node selector the server watches all nodes: an unknown node is deleted, unless nodes are left out.
            (None, None) => {
                let watches = &self.sources.watches;
                watches.node_selector.is_none() && watches.nodes.left_out() == 0
            }
            (Some(_), None) => false,
        }
    }
}
