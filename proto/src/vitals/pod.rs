//! `PodVitals`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::usage::{Absence, Amounts, Ratios, Trend, Usage};
use super::{Cause, Certainty, Meta, Network, Pressure, Resize};
use crate::quantity::Quantity;
use crate::time::Timestamp;

/// A pod: usage, requests, limits and status.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PodVitals {
    /// Always `PodVitals`.
    pub kind: String,
    /// Always `kubevitals.io/v1alpha1`.
    pub api_version: String,
    /// The pod's own name, namespace, labels and times, with a UID of its own and the pod as owner.
    pub metadata: Meta,
    /// `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`; the field selector `status.phase`.
    pub phase: String,
    /// What kubectl shows under STATUS: `Running`, `CrashLoopBackOff`, `Init:0/1`, `Terminating`, …
    pub status: String,
    /// The message of its status, if there is one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Whether its Ready condition is true; the field selector `status.ready`.
    pub ready: bool,
    /// Since when `ready` is what it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_since: Option<Timestamp>,
    /// The number of containers, with sidecars, that are ready.
    pub ready_containers: u32,
    /// The number of containers, with sidecars.
    pub total_containers: u32,
    /// The node it is bound to.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub node_name: String,
    /// What made it: the Deployment behind its ReplicaSet, the CronJob behind its Job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload: Option<Workload>,
    /// When the kubelet took it over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Timestamp>,
    /// All its containers together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Why `usage` is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absent: Option<Absence>,
    /// The requests in force, with init containers counted as the scheduler does. What a resize requests is in `resize`.
    pub requests: Amounts,
    /// The limits in force: only of resources that every container limits. A limit that a resize adds is in `resize`.
    pub limits: Amounts,
    /// Usage as a part of requests and limits.
    pub ratios: Ratios,
    /// A resize in place that its node has not completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resize: Option<Resize>,
    /// Restarts of its containers, as kubectl counts them: those of init containers for as long as they are not done.
    pub restarts: Restarts,
    /// Every probe of every container that has one.
    pub probes: Vec<Probe>,
    /// Its containers, init containers first, in the order of the pod's spec.
    pub containers: Vec<ContainerVitals>,
    /// Names of its incidents that are not over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub incidents: Vec<String>,
    /// Bytes of ephemeral storage used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ephemeral_storage: Option<Quantity>,
    /// Bytes sent and received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// Pressure stall information.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pressure: Option<Pressure>,
    /// Processes that run in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processes: Option<u64>,
    /// The latest history, if the request has `trend=STEPS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trend: Option<Trend>,
}

/// What made a pod.
#[derive(
    Debug, Clone, PartialEq, Eq, Default, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase", default)]
pub struct Workload {
    /// `Deployment`, `StatefulSet`, `DaemonSet`, `Job`, `CronJob`, or what else owns it.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// A container.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerVitals {
    /// Its name.
    pub name: String,
    /// Its role in the pod.
    pub role: Role,
    /// What it is doing.
    pub state: ContainerState,
    /// Whether it counts as ready.
    pub ready: bool,
    /// Whether its startup probe, if it has one, has passed.
    pub started: bool,
    /// What it uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Why `usage` is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absent: Option<Absence>,
    /// The requests in force.
    pub requests: Amounts,
    /// The limits in force.
    pub limits: Amounts,
    /// Usage as a part of requests and limits.
    pub ratios: Ratios,
    /// A resize in place of this container that its node has not completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resize: Option<Resize>,
    /// Its restarts.
    pub restarts: Restarts,
}

api_enum! {
    /// The role of a container in its pod.
    pub enum Role {
        /// Runs to its end before the others start.
        Init,
        /// An init container that runs beside the others and is restarted for as long as the pod lives.
        Sidecar,
        /// Does the pod's work.
        #[default]
        #[serde(other)]
        App,
    }
}

/// What a container is doing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerState {
    /// `Waiting`, `Running`, `Terminated`, or `Unknown` while its node is not heard of.
    pub state: String,
    /// `CrashLoopBackOff`, `Completed`, `OOMKilled`, …
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// More about the reason.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The start of the state, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// How a container ended.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Ended {
    /// Its exit code; 137 is SIGKILL.
    pub exit_code: i32,
    /// The signal that ended the container, if the runtime reports one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// `OOMKilled`, `Error`, `Completed`, …
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// What it left as its termination message.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// When it had started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished: Option<Timestamp>,
}

/// How often containers were restarted, and the last time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Restarts {
    /// All restarts since the creation of the pod.
    pub count: u64,
    /// Of these, within the time that the server remembers.
    pub recent: u64,
    /// The last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<LastRestart>,
}

/// The last restart.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LastRestart {
    /// Which container.
    pub container: String,
    /// How the one before it ended.
    pub ended: Ended,
    /// The cause.
    pub cause: Cause,
    /// How sure that is.
    pub certainty: Certainty,
}

/// A probe of a container.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Probe {
    /// Which container.
    pub container: String,
    /// Which probe.
    pub kind: ProbeKind,
    /// Its state.
    pub status: ProbeStatus,
    /// The successive failures that are known.
    pub failures: u32,
    /// The number of successive failures after which the probe fails: `failureThreshold`.
    pub threshold: u32,
    /// The start of this status, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The kubelet's message about the last failure.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// What it does, as kubectl describes it: `http-get http://:8080/healthz delay=0s timeout=1s period=10s #success=1 #failure=3`.
    pub asks: String,
}

api_enum! {
    /// Which probe.
    pub enum ProbeKind {
        /// Restarts the container when it fails.
        #[default]
        Liveness,
        /// Takes the pod out of its services while it fails.
        Readiness,
        /// Delays the other probes until it succeeds.
        Startup,
    }
}

api_enum! {
    /// The state of a probe.
    pub enum ProbeStatus {
        /// A startup probe that has not passed yet: `failures` of `threshold` attempts failed.
        Pending,
        /// Does not run until the startup probe has passed.
        Held,
        /// Does not run during its initial delay.
        Waiting,
        /// Succeeds.
        Passing,
        /// Fails.
        Failing,
        /// A startup probe that has passed: it does not run again.
        Passed,
        /// The container does not run.
        NotRunning,
        /// The node does not answer, or the kubelet reports nothing about the probe.
        #[default]
        #[serde(other)]
        Unknown,
    }
}
