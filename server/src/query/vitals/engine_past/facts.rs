//! What the engine has of pods and nodes at a time.

use std::collections::BTreeMap;

use crate::engine::Series;
use crate::query::vitals::as_of::OpenIncident;

/// What the engine has of the cluster at a time.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// By namespace and name.
    pub(super) pods: BTreeMap<(String, String), PodFacts>,
    /// By name.
    pub(super) nodes: BTreeMap<String, NodeFacts>,
    pub(super) incidents: Vec<OpenIncident>,
}

/// What the engine has of a pod.
#[derive(Debug, Default)]
pub(super) struct PodFacts {
    pub(super) uid: String,
    pub(super) node: String,
    /// The kind and name of the workload.
    pub(super) workload: (String, String),
    /// The kind and name of the controller.
    pub(super) owner: (String, String),
    /// Seconds since the epoch.
    pub(super) created: Option<f64>,
    pub(super) phase: String,
    pub(super) ready: bool,
    pub(super) containers: BTreeMap<String, ContainerFacts>,
}

/// What the engine has of a container.
#[derive(Debug, Default)]
pub(super) struct ContainerFacts {
    pub(super) ready: bool,
    pub(super) running: bool,
    /// Why it waits.
    pub(super) waiting: String,
    /// Why it ended.
    pub(super) terminated: String,
    pub(super) restarts: f64,
    pub(super) last: Option<LastRestart>,
    /// By resource, in cores and bytes.
    pub(super) requests: BTreeMap<String, f64>,
    /// By resource, in cores and bytes.
    pub(super) limits: BTreeMap<String, f64>,
    /// In cores.
    pub(super) cpu: Option<f64>,
    /// In bytes.
    pub(super) memory: Option<f64>,
}

/// The last restart of a container.
#[derive(Debug, Default)]
pub(super) struct LastRestart {
    /// Seconds since the epoch.
    pub(super) at: f64,
    pub(super) reason: String,
    pub(super) exit_code: String,
}

/// What the engine has of a node.
#[derive(Debug, Default)]
pub(super) struct NodeFacts {
    /// By resource, in cores and bytes.
    pub(super) allocatable: BTreeMap<String, f64>,
    /// The status of each condition.
    pub(super) conditions: BTreeMap<String, String>,
    pub(super) unschedulable: bool,
    /// In cores.
    pub(super) cpu: Option<f64>,
    /// In bytes.
    pub(super) memory: Option<f64>,
}

impl Facts {
    /// Adds the last value of a series.
    pub(super) fn add(&mut self, series: &Series) {
        let Some(value) = series.last() else { return };
        let label = |name: &str| series.labels.get(name).to_owned();
        let name = name_of(series);
        if name == "kubevitals_incident" {
            self.incidents.push(OpenIncident {
                name: label("incident"),
                kind: label("reason"),
                namespace: label("namespace"),
                object_kind: label("object_kind"),
                object: label("object"),
            });
            return;
        }
        let (namespace, pod, node) = (label("namespace"), label("pod"), label("node"));
        if !pod.is_empty() && !namespace.is_empty() {
            let facts = self.pods.entry((namespace, pod)).or_default();
            facts.add(name, series, value);
        } else if !node.is_empty() {
            let facts = self.nodes.entry(node).or_default();
            facts.add(name, series, value);
        }
    }
}

impl PodFacts {
    fn add(&mut self, name: &str, series: &Series, value: f64) {
        let label = |name: &str| series.labels.get(name).to_owned();
        if !label("node").is_empty() {
            self.node = label("node");
        }
        match name {
            "kube_pod_info" => {
                self.uid = label("uid");
                self.owner = (label("created_by_kind"), label("created_by_name"));
            }
            "kube_pod_created" => self.created = Some(value),
            "kubevitals_pod_workload" => {
                self.workload = (label("workload_kind"), label("workload"))
            }
            "kube_pod_status_phase" => self.phase = label("phase"),
            "kube_pod_status_ready" => self.ready |= series.labels.get("condition") == "true",
            _ => {
                let container = label("container");
                if !container.is_empty() {
                    let facts = self.containers.entry(container).or_default();
                    facts.add(name, series, value);
                }
            }
        }
    }
}

impl ContainerFacts {
    fn add(&mut self, name: &str, series: &Series, value: f64) {
        let label = |name: &str| series.labels.get(name).to_owned();
        match name {
            "kube_pod_container_status_ready" => self.ready = true,
            "kube_pod_container_status_running" => self.running = true,
            "kube_pod_container_status_waiting_reason" => self.waiting = label("reason"),
            "kube_pod_container_status_terminated_reason" => self.terminated = label("reason"),
            "kube_pod_container_status_restarts_total" => self.restarts = value,
            "kubevitals_container_last_restart_timestamp_seconds"
                if self.last.as_ref().is_none_or(|last| last.at < value) =>
            {
                self.last = Some(LastRestart {
                    at: value,
                    reason: label("reason"),
                    exit_code: label("exit_code"),
                });
            }
            "kube_pod_container_resource_requests" => {
                self.requests.insert(label("resource"), value);
            }
            "kube_pod_container_resource_limits" => {
                self.limits.insert(label("resource"), value);
            }
            "container_cpu_usage_seconds_total" => self.cpu = Some(value),
            "container_memory_working_set_bytes" => self.memory = Some(value),
            _ => {}
        }
    }
}

impl NodeFacts {
    fn add(&mut self, name: &str, series: &Series, value: f64) {
        let label = |name: &str| series.labels.get(name).to_owned();
        match name {
            "kube_node_status_allocatable" => {
                self.allocatable.insert(label("resource"), value);
            }
            "kube_node_status_condition" => {
                self.conditions.insert(label("condition"), label("status"));
            }
            "kube_node_spec_unschedulable" => self.unschedulable = true,
            "node_cpu_usage_seconds_total" => self.cpu = Some(value),
            "node_memory_working_set_bytes" => self.memory = Some(value),
            _ => {}
        }
    }
}

/// The name of the metric that a series is of.
fn name_of(series: &Series) -> &str {
    match series.labels.get("stat") {
        "" => series.labels.get("__name__"),
        name => name,
    }
}
