//! The state of the cluster at a time before the history in memory: made of what the engine has.

mod facts;
mod objects;

use std::collections::HashMap;
use std::sync::Arc;

use futures::future::{OptionFuture, try_join_all};
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};

use super::VitalsQuery;
use super::as_of::{AsOf, NodeUsageAt};
use super::builder::VitalsBuilder;
use super::past_scope::PastScope;
use super::usage::UsageSample;
use crate::cluster::{Nodes, Pods};
use crate::engine::{Engine, EngineError, Selector};
use crate::query::history::{HistorySubject, containers, ring_since, whole};
use crate::store::history::PodId;
use facts::{Facts, PodFacts};

/// The window of a rate: as in a history, and around the time.
const WINDOW_SECONDS: i64 = 120;

/// Whether a pod is in a phase, a container in a state, and so on: 0 or 1.
const STATES: &str = "kube_pod_status_phase|kube_pod_status_ready|kube_pod_container_status_ready|\
    kube_pod_container_status_running|kube_pod_container_status_waiting_reason|\
    kube_pod_container_status_terminated_reason";

/// What a pod is, and how often its containers were restarted.
const IDENTITIES: &str = "kube_pod_info|kube_pod_created|kubevitals_pod_workload|\
    kube_pod_container_status_restarts_total|kubevitals_container_last_restart_timestamp_seconds";

/// Requests and limits.
const RESOURCES: &str = "kube_pod_container_resource_requests|kube_pod_container_resource_limits";

/// The state of nodes.
const NODES: &str = "kube_node_info|kube_node_status_allocatable|kube_node_status_condition|\
    kube_node_spec_unschedulable";

/// The state of the cluster at a time, as the engine has it.
#[derive(Debug)]
pub struct EnginePast {
    as_of: AsOf,
    pods: Pods,
    nodes: Nodes,
    usage: HashMap<Arc<str>, NodeUsageAt>,
}

impl VitalsQuery<'_> {
    /// Whether the state at a time must be read from the engine: it is before the history in memory.
    pub fn is_of_engine(self, at: Timestamp) -> bool {
        self.sources.engine.is_some() && at < ring_since(self.sources, HistorySubject::Cluster)
    }

    /// Reads the state at a time from the engine.
    ///
    /// # Errors
    /// There is no usable answer.
    pub async fn read_past(
        self,
        at: Timestamp,
        scope: PastScope<'_>,
    ) -> Result<Option<EnginePast>, EngineError> {
        let Some(engine) = self.sources.engine.as_deref() else {
            return Ok(None);
        };
        let pods = pod_queries(engine, scope);
        let nodes = scope.nodes.then(|| node_queries(engine));
        let middle = Timestamp(at.0.saturating_add(WINDOW_SECONDS * 500_000_000));
        let run = async |(query, is_rate): (String, bool)| {
            engine
                .instant(&query, if is_rate { middle } else { at })
                .await
        };
        let nodes = OptionFuture::from(nodes.map(|nodes| try_join_all(nodes.map(run))));
        let (pods, nodes) = futures::join!(try_join_all(pods.map(run)), nodes);
        let (pods, nodes) = (pods?, nodes.transpose()?.unwrap_or_default());
        let mut facts = Facts::default();
        for series in pods.iter().chain(&nodes).flatten() {
            facts.add(series);
        }
        Ok(Some(self.past_of(at, facts)))
    }

    /// Builds the vitals of a time that was read from the engine.
    pub fn of_past(self, past: EnginePast) -> VitalsBuilder {
        let EnginePast {
            as_of,
            pods,
            nodes,
            usage,
        } = past;
        let mut builder = self.builder(Arc::new(pods), Arc::new(nodes), Some(as_of));
        builder.past_usage = Some(usage);
        builder
    }

    fn past_of(self, at: Timestamp, facts: Facts) -> EnginePast {
        let cluster = &self.sources.cluster;
        let objects = objects::Objects::new(cluster);
        let (mut pods, mut usage) = (Pods::new(), HashMap::<Arc<str>, NodeUsageAt>::new());
        for (key, facts) in &facts.pods {
            let Some(pod) = objects.pod(key, facts) else {
                continue;
            };
            if let Some(node) = &pod.node {
                let id = PodId {
                    key: pod.key.clone(),
                    uid: pod.uid,
                };
                let of_node = usage.entry(Arc::clone(node)).or_default();
                of_node.add_pod(id, containers_of(facts, at));
            }
            pods.insert(pod.key.clone(), Arc::new(pod));
        }
        let mut nodes = Nodes::new();
        for (name, facts) in &facts.nodes {
            let Some(node) = objects.node(name, facts) else {
                continue;
            };
            let used = sample(facts.cpu, facts.memory, at);
            usage.entry(Arc::clone(&node.name)).or_default().node = used;
            nodes.insert(Arc::clone(&node.name), Arc::new(node));
        }
        EnginePast {
            as_of: AsOf::of_incidents(at, facts.incidents.iter()),
            pods,
            nodes,
            usage,
        }
    }
}

/// The usage of a pod's containers.
fn containers_of(facts: &PodFacts, at: Timestamp) -> Vec<(Arc<str>, UsageSample)> {
    let containers = facts.containers.iter();
    containers
        .filter_map(|(name, facts)| {
            Some((Arc::from(&**name), sample(facts.cpu, facts.memory, at)?))
        })
        .collect()
}

/// A sample of cores and bytes.
fn sample(cpu: Option<f64>, memory: Option<f64>, at: Timestamp) -> Option<UsageSample> {
    Some(UsageSample {
        cpu: Nanocores(whole(cpu? * 1e9)),
        memory: Bytes(whole(memory?)),
        swap: None,
        at,
        window: None,
    })
}

/// The queries for pods, and whether each is a rate. Each series of an answer has a name.
fn pod_queries(engine: &Engine, scope: PastScope<'_>) -> [(String, bool); 6] {
    let select = |metric| {
        let selector = engine.select(metric);
        let selector = match scope.namespace {
            Some(namespace) => selector.with("namespace", namespace),
            None => selector.without("namespace", ""),
        };
        match scope.pod {
            Some(pod) => selector.with("pod", pod),
            None => selector,
        }
    };
    let all = |names: &str, labels: &str| {
        let selector = select("").named(names);
        format!("max by (__name__, namespace, pod, {labels}) ({selector} > 0)")
    };
    let incidents = match scope.namespace {
        Some(namespace) => engine
            .select("kubevitals_incident")
            .with("namespace", namespace),
        None => engine.select("kubevitals_incident"),
    };
    [
        (all(STATES, "container, phase, condition, reason"), false),
        (
            all(
                IDENTITIES,
                "container, uid, node, workload_kind, workload, created_by_kind, created_by_name, cause, reason, \
                 exit_code",
            ),
            false,
        ),
        (all(RESOURCES, "container, resource"), false),
        (
            rate(
                "container_cpu_usage_seconds_total",
                containers(select("container_cpu_usage_seconds_total")),
                "namespace, pod, container, node",
            ),
            true,
        ),
        (
            gauge(
                "container_memory_working_set_bytes",
                containers(select("container_memory_working_set_bytes")),
                "namespace, pod, container, node",
            ),
            false,
        ),
        (
            gauge(
                "kubevitals_incident",
                incidents,
                "namespace, incident, reason, object_kind, object",
            ),
            false,
        ),
    ]
}

/// The queries for nodes, and whether each is a rate.
fn node_queries(engine: &Engine) -> [(String, bool); 3] {
    let state = engine.select("").named(NODES);
    let (cpu, memory) = (
        "node_cpu_usage_seconds_total",
        "node_memory_working_set_bytes",
    );
    [
        (
            format!("max by (__name__, node, condition, status, resource) ({state} > 0)"),
            false,
        ),
        (rate(cpu, engine.select(cpu), "node"), true),
        (gauge(memory, engine.select(memory), "node"), false),
    ]
}

/// The rates of a counter, with its name.
fn rate(name: &str, selector: Selector, labels: &str) -> String {
    let rate = format!("max by ({labels}) (rate({selector}[{WINDOW_SECONDS}s]))");
    format!(r#"label_replace({rate}, "stat", "{name}", "", "")"#)
}

/// The values of a gauge that are more than zero, with its name.
fn gauge(name: &str, selector: Selector, labels: &str) -> String {
    format!(r#"label_replace(max by ({labels}) ({selector}) > 0, "stat", "{name}", "", "")"#)
}
