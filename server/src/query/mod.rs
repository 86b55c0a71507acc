//! Read-only queries: Kubernetes objects joined with their usage, history and incidents.
//!
//! Each question has its own type, and all of them read the shared `Sources`:
//!
//! | Question | Type |
//! |---|---|
//! | current usage, for metrics.k8s.io | [`MetricsQuery`] |
//! | vitals of pods, nodes and the cluster, now or at a time | [`VitalsQuery`] |
//! | usage over a span of time | [`HistoryQuery`] |
//! | the pods that use most | [`TopQuery`] |
//! | how long workloads were up and down | [`AvailabilityQuery`] |
//! | how full volumes are | [`VolumesQuery`] |
//! | metrics that pods expose, of them and other objects | [`CustomMetricsQuery`] |
//! | metrics of namespaces and workloads that describe no object | [`ExternalMetricsQuery`] |
//! | why an object has no metrics | [`WhyQuery`] |
//! | the metrics that a pod exposes itself | [`OwnMetricsQuery`] |
//! | what changed since a version, for watches | [`ChangeDetector`] |
//!
//! A query reads immutable snapshots: it never waits for a writer and never copies the cluster. A query uses one
//! snapshot of the objects, and for each node the scrape that was the latest when the query first read that node.

mod availability;
mod changes;
mod custom_metrics;
mod history;
mod latest_of_nodes;
mod metrics;
mod own_metrics;
mod readiness;
mod restarted_pods;
mod server_metrics;
mod sources;
mod targets;
mod top;
mod vitals;
mod volumes;
mod why;

use std::sync::Arc;
use std::time::Duration;

pub use crate::cluster::{Node, Pod, PodKey};
pub use crate::store::{ContainerLatest, Measurement};
pub use availability::{AvailabilityQuery, OlderAvailability, Spans};
pub use changes::{
    Change, ChangeDetector, ChangeList, ChangeReader, Changes, ClusterSingleton, ParseVersionError,
    PodChanges, Resume, Version, VersionedSnapshot,
};
pub use custom_metrics::{
    CustomMetricsQuery, DescribedKind, ExternalMetricsQuery, ExternalValue, KINDS, Metric, Named,
    NoValue, PodsOf,
};
pub use history::{Aggregation, HistoryQuery, HistorySubject, MAX_STEPS, Older, Steps, round_step};
pub use latest_of_nodes::LatestOfNodes;
pub use metrics::freshness::Ages;
pub use metrics::{
    MetricsLookup, MetricsQuery, NodeReading, PodCursor, PodList, PodReading, Visit,
};
pub use own_metrics::OwnMetricsQuery;
pub use readiness::{Readiness, Unready};
pub use restarted_pods::RestartedPods;
pub use targets::{ErrorReport, Instant, ScrapeReport, SkippedReport, TargetReport, TargetState};
pub use top::{Measure, RankedPod, TopQuery, TopScope};
pub use vitals::{EnginePast, EngineStatistics, PastScope, VitalsBuilder, VitalsQuery};
pub use volumes::{Volume, VolumesQuery};
pub use why::WhyQuery;

use kubevitals_proto::time::Timestamp;

use crate::availability::Availability;
use crate::clock::Clock;
use crate::cluster::{Cluster, Watches};
use crate::engine::Engine;
use crate::external_queries::ExternalQueries;
use crate::health::Health;
use crate::memory::LeftOut;
use crate::pod_metrics::PodMetrics;
use crate::scrape::Stats;
use crate::shard::{HistoryScope, RemoteHistory, Shards};
use crate::store::{NodeExtra, Retention, Store};
use crate::telemetry::Histogram;
use sources::Sources;

/// Hands out one query type for each question.
#[derive(Debug)]
pub struct Query {
    sources: Arc<Sources>,
    /// The age of metrics in responses.
    freshness: Histogram,
    ready: Arc<readiness::Latch>,
    totals: Arc<vitals::TotalsCache>,
    detector: Arc<ChangeDetector>,
}

/// The parts that queries read.
#[derive(Debug)]
pub struct QueryParts {
    /// The objects.
    pub cluster: Arc<Cluster>,
    /// The rates and the history.
    pub store: Arc<Store>,
    /// Incidents, restarts and probes.
    pub health: Arc<Health>,
    /// The availability of workloads; none if it is turned off.
    pub availability: Option<Arc<Availability>>,
    /// The other shards, if this server is one of several.
    pub shards: Option<Arc<Shards>>,
    /// The watches of the API server.
    pub watches: Watches,
    /// Counts of scrapes.
    pub stats: Arc<Stats>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The time between two scrapes of a node, which decides when a rate is stale.
    pub resolution: Duration,
    /// What is older than the history, if an engine has it.
    pub engine: Option<Arc<Engine>>,
    /// Pods' own metrics; none if they are turned off.
    pub pod_metrics: Option<Arc<PodMetrics>>,
    /// Queries to an engine, if there are any.
    pub external_queries: Option<Arc<ExternalQueries>>,
}

impl Query {
    /// Creates the queries over these parts.
    pub fn new(parts: QueryParts) -> Self {
        let QueryParts {
            cluster,
            store,
            health,
            availability,
            shards,
            watches,
            stats,
            clock,
            resolution,
            engine,
            pod_metrics,
            external_queries,
        } = parts;
        let sources = Arc::new(Sources {
            cluster,
            store,
            overlay: None,
            health,
            availability,
            shards,
            watches,
            stats,
            clock,
            resolution,
            retention: Retention::of(resolution),
            engine,
            pod_metrics,
            external_queries,
        });
        Self {
            detector: Arc::new(ChangeDetector::new(&sources)),
            sources,
            freshness: Ages::histogram(),
            ready: Arc::default(),
            totals: Arc::default(),
        }
    }

    /// Queries that also read a part of the other shards' histories, and the shards that have not sent theirs, each with
    /// its problem as a sentence. `scope` is called if there are other shards; without a scope nothing is requested.
    pub async fn with_history_of_shards(
        self: &Arc<Self>,
        scope: impl FnOnce() -> Option<HistoryScope>,
    ) -> (Arc<Self>, Vec<String>) {
        let shards = self.sources.shards.as_ref();
        let Some((shards, scope)) = shards.and_then(|shards| Some((shards, scope()?))) else {
            return (Arc::clone(self), Vec::new());
        };
        let RemoteHistory { history, missing } = shards.history(&scope).await;
        let sources = Sources {
            overlay: Some(Arc::new(history)),
            ..Sources::clone(&self.sources)
        };
        let query = Self {
            sources: Arc::new(sources),
            freshness: self.freshness.clone(),
            ready: Arc::clone(&self.ready),
            totals: Arc::clone(&self.totals),
            detector: Arc::clone(&self.detector),
        };
        (Arc::new(query), missing)
    }

    /// Current usage of pods and nodes.
    pub fn metrics(&self) -> MetricsQuery<'_> {
        MetricsQuery {
            sources: &self.sources,
            freshness: &self.freshness,
        }
    }

    /// Vitals of pods, nodes and the cluster.
    pub fn vitals(&self) -> VitalsQuery<'_> {
        VitalsQuery {
            sources: &self.sources,
            totals: &self.totals,
        }
    }

    /// Usage over a span of time.
    pub fn history(&self) -> HistoryQuery<'_> {
        HistoryQuery(&self.sources)
    }

    /// The pods that use most.
    pub fn top(&self) -> TopQuery<'_> {
        let snapshot = self.changes().snapshot();
        let pods = self.sources.cluster.pods();
        let mut restarted = snapshot.restarted().clone();
        // The snapshot is up to a second old.
        restarted.update(snapshot.pods(), &pods);
        TopQuery {
            pods,
            restarted,
            cells: self.sources.store.cells(),
            history: self.sources.history(),
            retention: self.sources.retention,
            now: self.sources.now(),
        }
    }

    /// How long workloads were up and down.
    pub fn availability(&self) -> AvailabilityQuery<'_> {
        AvailabilityQuery(&self.sources)
    }

    /// How full volumes are.
    pub fn volumes(&self) -> VolumesQuery<'_> {
        VolumesQuery(&self.sources)
    }

    /// Why a pod or a node has metrics, or has none.
    pub fn why(&self) -> WhyQuery<'_> {
        WhyQuery(&self.sources)
    }

    /// The metrics that a pod exposes itself.
    pub fn own_metrics(&self) -> OwnMetricsQuery<'_> {
        OwnMetricsQuery(&self.sources)
    }

    /// Pods' own metrics; none if they are turned off.
    pub fn pod_metrics(&self) -> Option<&PodMetrics> {
        self.sources.pod_metrics.as_deref()
    }

    /// The metrics that pods expose; none if they are turned off.
    pub fn custom_metrics(&self) -> Option<CustomMetricsQuery<'_>> {
        let metrics = self.pod_metrics()?;
        Some(CustomMetricsQuery {
            sources: &self.sources,
            metrics,
        })
    }

    /// The metrics that describe no object; none if pods' own metrics are turned off.
    pub fn external_metrics(&self) -> Option<ExternalMetricsQuery<'_>> {
        self.custom_metrics().map(ExternalMetricsQuery)
    }

    /// Versions of objects, and the changes since a version.
    pub fn changes(&self) -> &Changes {
        self.detector.changes()
    }

    /// Detects changes of objects.
    pub fn detector(&self) -> &ChangeDetector {
        &self.detector
    }

    /// Detects changes once a second, forever.
    pub async fn watch(self: Arc<Self>) {
        self.detector.run().await;
    }

    /// Whether the lists are read and first metrics exist.
    pub fn readiness(&self) -> Readiness {
        self.ready.read(&self.sources)
    }

    /// Whether scrapes are on time.
    pub fn timely(&self) -> bool {
        readiness::is_timely(&self.sources)
    }

    /// The scrapes of all nodes, by node name.
    pub fn targets(&self) -> Vec<TargetReport> {
        targets::targets(&self.sources)
    }

    /// The time between two scrapes of a node.
    pub fn resolution(&self) -> Duration {
        self.sources.resolution
    }

    /// The current time of the wall clock.
    pub fn wall(&self) -> Timestamp {
        self.sources.wall()
    }

    /// Counts of scrapes.
    pub fn scrapes(&self) -> crate::scrape::Snapshot {
        self.sources.stats.snapshot()
    }

    /// The state of the watches of the API server.
    pub fn watches(&self) -> &Watches {
        &self.sources.watches
    }

    /// Why responses are incomplete: a sentence for each reason.
    pub fn incomplete(&self) -> Vec<String> {
        let shards = self.sources.shards.iter();
        let missing = shards.flat_map(|shards| shards.missing());
        let missing = missing.map(|shard| format!("{shard}; the metrics of its nodes are absent"));
        self.left_out().into_iter().chain(missing).collect()
    }

    /// Why objects are left out, if some are.
    fn left_out(&self) -> Option<String> {
        let watches = &self.sources.watches;
        let LeftOut { nodes, pods } = watches.left_out();
        (nodes + pods > 0).then(|| {
            let hint = watches.memory.hint();
            format!(
                "the memory limit is near, so {nodes} nodes and {pods} pods are left out: {hint}"
            )
        })
    }

    /// Incidents, restarts and probes.
    pub fn health(&self) -> &Arc<Health> {
        &self.sources.health
    }

    /// Disk, network, pressure and the like from a node's `/stats/summary`, unless they are stale.
    pub fn extra(&self, node: &str) -> Option<Arc<NodeExtra>> {
        let cells = self.sources.store.cells();
        cells.get(node)?.extra(self.sources.now())
    }
}
