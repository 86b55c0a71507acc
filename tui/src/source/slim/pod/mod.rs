//! Pods: what is read of their spec and status.

mod bounds;
mod probes;
mod resize;
mod row;
#[cfg(test)]
mod testing;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::NamespaceResourceScope;
use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::vitals::Role;
use serde::Deserialize;

use probes::ProbeSpec;
pub(in crate::source) use probes::detail;

use super::{kind, metadata};

/// A pod.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::source) struct SlimPod {
    #[serde(deserialize_with = "metadata")]
    pub(super) metadata: ObjectMeta,
    #[serde(default)]
    pub(super) spec: Spec,
    #[serde(default)]
    pub(super) status: Status,
}

kind!(SlimPod, "", "v1", "Pod", "pods", NamespaceResourceScope);

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Spec {
    node_name: String,
    restart_policy: String,
    pub(super) init_containers: Vec<ContainerSpec>,
    containers: Vec<ContainerSpec>,
    resources: Resources,
    overhead: Asked,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ContainerSpec {
    pub(super) name: String,
    pub(super) restart_policy: String,
    resources: Resources,
    liveness_probe: Option<ProbeSpec>,
    readiness_probe: Option<ProbeSpec>,
    startup_probe: Option<ProbeSpec>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct Resources {
    requests: Asked,
    limits: Asked,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct Asked {
    cpu: Option<Quantity>,
    memory: Option<Quantity>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Status {
    pub(super) phase: String,
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) conditions: Vec<PodCondition>,
    pub(super) init_container_statuses: Vec<ContainerStatus>,
    pub(super) container_statuses: Vec<ContainerStatus>,
    resources: Resources,
    allocated_resources: Asked,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PodCondition {
    pub(super) r#type: String,
    pub(super) status: String,
    pub(super) reason: String,
    pub(super) message: String,
    last_transition_time: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ContainerStatus {
    pub(super) name: String,
    pub(super) ready: bool,
    pub(super) started: Option<bool>,
    pub(super) restart_count: i64,
    pub(super) state: StateOf,
    pub(super) last_state: StateOf,
    resources: Resources,
    allocated_resources: Asked,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct StateOf {
    pub(super) waiting: Option<Waiting>,
    pub(super) running: Option<Running>,
    pub(super) terminated: Option<Terminated>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Waiting {
    pub(super) reason: String,
    pub(super) message: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Running {
    started_at: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Terminated {
    pub(super) exit_code: i32,
    pub(super) signal: i32,
    pub(super) reason: String,
    pub(super) message: String,
    started_at: Option<String>,
    pub(super) finished_at: Option<String>,
}

impl ContainerSpec {
    fn role(&self, init: bool) -> Role {
        match (init, self.restart_policy.as_str()) {
            (false, _) => Role::App,
            (true, "Always") => Role::Sidecar,
            (true, _) => Role::Init,
        }
    }
}

impl SlimPod {
    /// Specs with their roles, init containers first.
    fn containers(&self) -> impl Iterator<Item = (&ContainerSpec, Role)> {
        let init = self
            .spec
            .init_containers
            .iter()
            .map(|spec| (spec, spec.role(true)));
        init.chain(
            self.spec
                .containers
                .iter()
                .map(|spec| (spec, spec.role(false))),
        )
    }

    fn status_of(&self, name: &str) -> Option<&ContainerStatus> {
        let all = self
            .status
            .init_container_statuses
            .iter()
            .chain(&self.status.container_statuses);
        all.into_iter().find(|status| status.name == name)
    }
}
