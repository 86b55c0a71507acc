//! `PodVitals`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::usage::{Absence, Amounts, GpuUsage, Ratios, Trend, Usage};
use super::{Cause, Certainty, Meta, Network, Pressure, Resize, Statistics};
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
    /// The STATUS column of kubectl: Running, CrashLoopBackOff, Init:0/1, Terminating, …
    pub status: String,
    /// The message of the status, if any.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Whether the Ready condition is true; the field selector status.ready.
    pub ready: bool,
    /// The last change of ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_since: Option<Timestamp>,
    /// The number of ready containers, including sidecars.
    pub ready_containers: u32,
    /// The number of containers, including sidecars.
    pub total_containers: u32,
    /// The node to which the pod is bound.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub node_name: String,
    /// The workload of the pod: the Deployment of its ReplicaSet, the CronJob of its Job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload: Option<Workload>,
    /// The time at which the kubelet accepted the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Timestamp>,
    /// The time at which the server received the deletion of the pod. Only with `deleted=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// The usage of all containers of the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// The reason why usage is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absent: Option<Absence>,
    /// The requests in force, with init containers counted as the scheduler does. What a resize requests is in `resize`.
    pub requests: Amounts,
    /// The limits in force: only of resources that every container limits. A limit that a resize adds is in `resize`.
    pub limits: Amounts,
    /// Ratios of usage to requests and limits.
    pub ratios: Ratios,
    /// The usage of its GPUs, if an exporter reports it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu: Option<GpuUsage>,
    /// A resize in place that its node has not completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resize: Option<Resize>,
    /// The restarts of its containers, as kubectl counts them: init containers count until they have completed.
    pub restarts: Restarts,
    /// All probes of all containers.
    pub probes: Vec<Probe>,
    /// Its containers, init containers first, in the order of the pod's spec.
    pub containers: Vec<ContainerVitals>,
    /// The names of the open incidents of the pod.
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
    /// The number of processes in the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processes: Option<u64>,
    /// The latest history, if the request has `trend=STEPS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trend: Option<Trend>,
    /// The usage of all containers over a span, if the request has `stats=SPAN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stats: Option<Statistics>,
}

/// The workload of a pod.
#[derive(
    Debug, Clone, PartialEq, Eq, Default, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase", default)]
pub struct Workload {
    /// Deployment, StatefulSet, DaemonSet, Job, CronJob, or the kind of another owner.
    pub kind: String,
    /// The name.
    pub name: String,
}

/// A container.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerVitals {
    /// The name.
    pub name: String,
    /// Its role in the pod.
    pub role: Role,
    /// The image, as the pod's spec names it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub image: String,
    /// The state of the container.
    pub state: ContainerState,
    /// Whether the container is ready.
    pub ready: bool,
    /// Whether the startup probe has passed, or there is none.
    pub started: bool,
    /// The usage of the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// The reason why usage is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absent: Option<Absence>,
    /// The requests in force.
    pub requests: Amounts,
    /// The limits in force.
    pub limits: Amounts,
    /// Ratios of usage to requests and limits.
    pub ratios: Ratios,
    /// The usage of its GPUs, if an exporter reports it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu: Option<GpuUsage>,
    /// A resize in place of this container that its node has not completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resize: Option<Resize>,
    /// Its restarts.
    pub restarts: Restarts,
    /// Its usage over a span, if the request has `stats=SPAN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stats: Option<Statistics>,
}

api_enum! {
    /// The role of a container in its pod.
    pub enum Role {
        /// Runs to completion before the other containers start.
        Init,
        /// An init container that runs beside the others and is restarted for as long as the pod lives.
        Sidecar,
        /// Does the pod's work.
        #[default]
        #[serde(other)]
        App,
    }
}

/// The state of a container.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerState {
    /// `Waiting`, `Running`, `Terminated`, or `Unknown` while its node is not heard of.
    pub state: String,
    /// `CrashLoopBackOff`, `Completed`, `OOMKilled`, …
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The message of the reason.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The start of the state, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// A termination of a container.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Ended {
    /// The exit code; 137 is SIGKILL.
    pub exit_code: i32,
    /// The signal that ended the container, if the runtime reports one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// `OOMKilled`, `Error`, `Completed`, …
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The termination message.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The start of the container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// The time of the termination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished: Option<Timestamp>,
}

/// The number of restarts of the containers, and the last restart.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Restarts {
    /// All restarts since the creation of the pod.
    pub count: u64,
    /// The restarts within the retention of the history.
    pub recent: u64,
    /// The last restart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<LastRestart>,
}

/// A restart with its cause.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LastRestart {
    /// The container.
    pub container: String,
    /// The termination before the restart.
    pub ended: Ended,
    /// The cause.
    pub cause: Cause,
    /// The certainty of the cause.
    pub certainty: Certainty,
}

/// A probe of a container.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Probe {
    /// The container.
    pub container: String,
    /// The kind of the probe.
    pub kind: ProbeKind,
    /// The probe status.
    pub status: ProbeStatus,
    /// The number of successive failures so far.
    pub failures: u32,
    /// The number of successive failures after which the probe fails: `failureThreshold`.
    pub threshold: u32,
    /// The start of this status, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The kubelet's message about the last failure.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The action and settings, as in kubectl describe: http-get http://:8080/healthz delay=0s timeout=1s period=10s
    /// #success=1 #failure=3.
    pub asks: String,
}

api_enum! {
    /// The kind of the probe.
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
