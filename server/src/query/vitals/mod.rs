//! The API objects PodVitals, NodeVitals and ClusterVitals: Kubernetes objects joined with usage, incidents and
//! restarts.
//!
//! Nothing is prepared for a list. The caller builds one object after the other and drops each when it is sent, so a
//! list of 150,000 pods takes the memory of one. What several objects share (each node's last scrape, the sums of a
//! node's pods) is looked up once.

mod absence;
mod amounts;
mod as_of;
mod builder;
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

use std::sync::Arc;

use kubevitals_proto::needle::Needle;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{ClusterVitals, Incident, NodeVitals, PodVitals};

use super::sources::Sources;
use crate::cluster::{Node, Nodes, Pod, Pods};
use crate::work::Cancel;
use as_of::AsOf;
use builder::{TrendSpan, VitalsContext};
pub(super) use totals::TotalsCache;

/// Creates builders of vitals for a moment.
#[derive(Debug, Clone, Copy)]
pub struct VitalsQuery<'a> {
    sources: &'a Arc<Sources>,
    totals: &'a Arc<TotalsCache>,
}

impl<'a> VitalsQuery<'a> {
    pub(super) fn new(sources: &'a Arc<Sources>, totals: &'a Arc<TotalsCache>) -> Self {
        Self { sources, totals }
    }

    /// Builds the vitals of now.
    pub fn now(self) -> VitalsBuilder {
        let cluster = &self.sources.cluster;
        self.builder(cluster.pods(), cluster.nodes(), None)
    }

    /// Builds the vitals as of a time within the history: the pods and nodes that existed, what they used, the states
    /// of pods, and incidents. Probes and `/stats/summary` are available for the present only. Reads every pod, until
    /// `cancel` is set.
    pub fn at(self, at: Timestamp, cancel: &Cancel) -> VitalsBuilder {
        let (cluster, health) = (&self.sources.cluster, &self.sources.health);
        let as_of = AsOf::of(at, health);
        let pods = Arc::new(as_of.pods(cluster, health, cancel));
        let nodes = Arc::new(as_of.nodes(cluster));
        self.builder(pods, nodes, Some(as_of))
    }

    fn builder(self, pods: Arc<Pods>, nodes: Arc<Nodes>, as_of: Option<AsOf>) -> VitalsBuilder {
        VitalsBuilder(VitalsContext::new(
            self.sources,
            self.totals,
            pods,
            nodes,
            as_of,
        ))
    }
}

/// Builds the API objects of one moment.
#[derive(Debug)]
pub struct VitalsBuilder(VitalsContext);

impl VitalsBuilder {
    /// Adds a trend to each object: its usage over the last `steps` scrapes.
    #[must_use]
    pub fn with_trend(mut self, steps: u32) -> Self {
        self.0.trend = Some(TrendSpan {
            steps,
            step: self.0.sources.resolution,
        });
        self
    }

    /// The pods of the moment.
    pub fn pods(&self) -> &Arc<Pods> {
        &self.0.pods
    }

    /// The nodes of the moment.
    pub fn nodes(&self) -> &Arc<Nodes> {
        &self.0.nodes
    }

    /// Builds the vitals of a pod.
    pub fn pod(&mut self, pod: &Pod) -> PodVitals {
        pod::pod_vitals(&mut self.0, pod)
    }

    /// Builds the vitals of a node.
    pub fn node(&mut self, node: &Node) -> NodeVitals {
        node::node_vitals(&mut self.0, node)
    }

    /// Builds the vitals of the cluster.
    pub fn cluster(&mut self) -> ClusterVitals {
        cluster::cluster_vitals(&mut self.0)
    }

    /// Adds the metadata of the API to an incident.
    pub fn incident(incident: &Incident) -> Incident {
        meta::incident(incident)
    }

    /// The usage of a pod, without building its vitals.
    pub fn usage(&mut self, pod: &Pod) -> Option<(Nanocores, Bytes)> {
        pod::current_usage(&mut self.0, pod)
    }

    /// Whether a text of a pod contains a word: its namespace, name, node, STATUS, application and workload, the names
    /// and states of its containers, and the cause of its last restart.
    pub fn mentions(&self, pod: &Pod, word: &Needle) -> bool {
        filters::mentions(&self.0, pod, word)
    }

    /// Whether this workload created a pod.
    pub fn is_of_workload(&self, pod: &Pod, kind: &str, name: &str) -> bool {
        pod.workload(|job| self.0.jobs.get(job)) == Some((kind, name))
    }

    /// Whether a pod is healthy: it has succeeded; or it is ready, was not restarted within the last hour, and has no
    /// open incident.
    pub fn is_healthy(&self, pod: &Pod) -> bool {
        filters::is_healthy(&self.0, pod)
    }
}
