//! Pods: what their spec and status say, and what follows from that about probes and restarts.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::NamespaceResourceScope;
use kubevitals_proto::labels::Labels;
use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Cause, Certainty, PodVitals, Probe, ProbeKind, ProbeStatus, Role};
use serde::Deserialize;

use super::status::status;
use super::{count, kind, metadata, read, seconds, told};
use crate::model::row::{
    Container, ContainerState, LastRestart, Phase, PodRow, Probes, Restarts, Workload, uid_hash,
};
use crate::model::{Amounts, Condition, Detail, Name, Names};

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
    pub(super) init_containers: Vec<ContainerSpec>,
    containers: Vec<ContainerSpec>,
    resources: Resources,
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

/// A probe, with the API's defaults.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ProbeSpec {
    exec: Option<Exec>,
    http_get: Option<HttpGet>,
    tcp_socket: Option<Socket>,
    grpc: Option<Socket>,
    initial_delay_seconds: u32,
    period_seconds: Option<u32>,
    timeout_seconds: Option<u32>,
    success_threshold: Option<u32>,
    failure_threshold: Option<u32>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Exec {
    command: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct HttpGet {
    scheme: String,
    host: String,
    port: serde_json::Value,
    path: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Socket {
    host: String,
    port: serde_json::Value,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Status {
    pub(super) phase: String,
    pub(super) reason: String,
    message: String,
    pub(super) conditions: Vec<PodCondition>,
    pub(super) init_container_statuses: Vec<ContainerStatus>,
    pub(super) container_statuses: Vec<ContainerStatus>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PodCondition {
    pub(super) r#type: String,
    pub(super) status: String,
    pub(super) reason: String,
    message: String,
    last_transition_time: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ContainerStatus {
    pub(super) name: String,
    pub(super) ready: bool,
    pub(super) started: Option<bool>,
    restart_count: i64,
    pub(super) state: StateOf,
    last_state: StateOf,
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
    message: String,
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
    message: String,
    started_at: Option<String>,
    finished_at: Option<String>,
}

/// For how long a restart counts as lately, in seconds: what a vitals-server remembers too.
const LATELY_SECONDS: i64 = 3600;

impl From<Asked> for Amounts {
    fn from(asked: Asked) -> Self {
        Self {
            cpu: asked.cpu.into(),
            memory: asked.memory.into(),
        }
    }
}

impl ContainerSpec {
    fn role(&self, init: bool) -> Role {
        match (init, self.restart_policy.as_str()) {
            (false, _) => Role::App,
            (true, "Always") => Role::Sidecar,
            (true, _) => Role::Init,
        }
    }

    fn probes(&self) -> impl Iterator<Item = (ProbeKind, &ProbeSpec)> {
        [
            (ProbeKind::Startup, &self.startup_probe),
            (ProbeKind::Liveness, &self.liveness_probe),
            (ProbeKind::Readiness, &self.readiness_probe),
        ]
        .into_iter()
        .filter_map(|(kind, probe)| Some((kind, probe.as_ref()?)))
    }
}

impl SlimPod {
    /// The pod's row; nothing when it has no name, which no API server sends.
    pub(in crate::source) fn row(self, names: &Names, now: Timestamp) -> Option<PodRow> {
        let containers: Box<[Container]> = self
            .containers()
            .map(|(spec, role)| self.container(spec, role, names, now))
            .collect();
        let counted = || {
            containers
                .iter()
                .filter(|container| container.role != Role::Init)
        };
        let ready = self
            .status
            .conditions
            .iter()
            .any(|condition| condition.r#type == "Ready" && condition.status == "True");
        let labels = self.metadata.labels.clone().unwrap_or_default();
        let (requests, limits) = self.bounds();
        Some(PodRow {
            namespace: names.intern(self.metadata.namespace.as_deref()?),
            name: Name::from(self.metadata.name.as_deref()?),
            uid: uid_hash(self.metadata.uid.as_deref().unwrap_or_default()),
            node: names.intern(&self.spec.node_name),
            status: names.intern(&status(&self)),
            message: self.message().map(Into::into),
            phase: Phase::from_word(&self.status.phase),
            ready,
            ready_containers: u16::try_from(counted().filter(|container| container.ready).count())
                .unwrap_or(u16::MAX),
            total_containers: u16::try_from(counted().count()).unwrap_or(u16::MAX),
            workload: self.workload(names).map(Arc::new),
            labels: Labels::from_iter(
                labels
                    .iter()
                    .map(|(key, value)| (names.intern(key), names.intern(value))),
            ),
            created_seconds: seconds(told(self.metadata.creation_timestamp.as_ref())),
            requests,
            limits,
            restarts: together(&containers),
            probes: containers.iter().fold(Probes::default(), |all, container| {
                all.plus(container.probes)
            }),
            containers,
            ..PodRow::default()
        })
    }

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

    fn message(&self) -> Option<&str> {
        let waiting = self
            .status
            .container_statuses
            .iter()
            .filter_map(|status| status.state.waiting.as_ref());
        let unscheduled =
            self.status.conditions.iter().filter(|condition| {
                condition.r#type == "PodScheduled" && condition.status == "False"
            });
        std::iter::once(self.status.message.as_str())
            .chain(waiting.map(|waiting| waiting.message.as_str()))
            .chain(unscheduled.map(|condition| condition.message.as_str()))
            .find(|message| !message.is_empty())
    }

    /// The Deployment behind a ReplicaSet, the CronJob behind a Job, or what else controls the pod.
    fn workload(&self, names: &Names) -> Option<Workload> {
        let owners = self.metadata.owner_references.as_ref()?;
        let owner = owners.iter().find(|owner| owner.controller == Some(true))?;
        let labels = self.metadata.labels.as_ref();
        let (kind, name) = match owner.kind.as_str() {
            "ReplicaSet" => {
                // The Deployment's controller names a ReplicaSet after it and the hash of the template.
                let hash = labels.and_then(|labels| labels.get("pod-template-hash"));
                let deployment =
                    hash.and_then(|hash| owner.name.strip_suffix(hash.as_str())?.strip_suffix('-'));
                deployment.map_or(("ReplicaSet", owner.name.as_str()), |name| {
                    ("Deployment", name)
                })
            }
            "Job" => {
                // The CronJob's controller names a Job after it and the minute it is of.
                let cron = owner.name.rsplit_once('-').filter(|(_, minute)| {
                    minute.len() >= 8 && minute.bytes().all(|byte| byte.is_ascii_digit())
                });
                cron.map_or(("Job", owner.name.as_str()), |(name, _)| ("CronJob", name))
            }
            kind => (kind, owner.name.as_str()),
        };
        Some(Workload {
            kind: names.intern(kind),
            name: names.intern(name),
        })
    }

    /// What the scheduler reckons with, and what every container is limited in: KEP-753's rule, in which sidecars count
    /// with what runs beside and after them.
    fn bounds(&self) -> (Amounts, Amounts) {
        let mut sidecars = Amounts::default();
        let mut starting = Amounts::default();
        for spec in &self.spec.init_containers {
            let requests: Amounts = spec.resources.requests.into();
            if spec.role(true) == Role::Sidecar {
                sidecars = sidecars.plus(requests);
                starting = larger(starting, sidecars);
            } else {
                starting = larger(starting, sidecars.plus(requests));
            }
        }
        let apps = self
            .spec
            .containers
            .iter()
            .map(|spec| Amounts::from(spec.resources.requests));
        let running = apps.sum::<Amounts>().plus(sidecars);
        let of_pod = Amounts::from(self.spec.resources.requests);
        let requests = or(of_pod, larger(running, starting));
        let bound = || {
            self.containers()
                .filter(|(_, role)| *role != Role::Init)
                .map(|(spec, _)| Amounts::from(spec.resources.limits))
        };
        let mut limits: Amounts = bound().sum();
        if bound().any(|limit| !limit.cpu.is_known()) {
            limits.cpu = crate::model::Cpu::NONE;
        }
        if bound().any(|limit| !limit.memory.is_known()) {
            limits.memory = crate::model::Memory::NONE;
        }
        (
            requests,
            or(Amounts::from(self.spec.resources.limits), limits),
        )
    }

    fn container(
        &self,
        spec: &ContainerSpec,
        role: Role,
        names: &Names,
        now: Timestamp,
    ) -> Container {
        let none = ContainerStatus::default();
        let status = self.status_of(&spec.name).unwrap_or(&none);
        let (state, reason, since) = match &status.state {
            StateOf {
                running: Some(running),
                ..
            } => (
                ContainerState::Running,
                "",
                read(running.started_at.as_ref()),
            ),
            StateOf {
                terminated: Some(ended),
                ..
            } => (
                ContainerState::Terminated,
                ended.reason.as_str(),
                read(ended.finished_at.as_ref()),
            ),
            StateOf {
                waiting: Some(waiting),
                ..
            } => (ContainerState::Waiting, waiting.reason.as_str(), None),
            _ => (ContainerState::Waiting, "", None),
        };
        let mut probes = Probes::default();
        for (kind, _) in spec.probes() {
            probes.count(probe_status(spec, status, kind));
        }
        Container {
            name: names.intern(&spec.name),
            role,
            state,
            reason: names.intern(reason),
            since_seconds: seconds(since),
            ready: status.ready,
            probes,
            usage: Amounts::default(),
            swap: crate::model::Memory::NONE,
            requests: spec.resources.requests.into(),
            limits: spec.resources.limits.into(),
            restarts: restarts(status, names, now),
        }
    }
}

/// How a probe is, as far as the container's status tells. Of a liveness probe it tells nothing until that kills.
fn probe_status(spec: &ContainerSpec, status: &ContainerStatus, kind: ProbeKind) -> ProbeStatus {
    if status.state.running.is_none() {
        return ProbeStatus::NotRunning;
    }
    let starting = spec.startup_probe.is_some() && status.started != Some(true);
    match (kind, starting) {
        (ProbeKind::Startup, true) => ProbeStatus::Pending,
        (ProbeKind::Startup, false) => ProbeStatus::Passed,
        (_, true) => ProbeStatus::Held,
        (ProbeKind::Readiness, false) if status.ready => ProbeStatus::Passing,
        (ProbeKind::Readiness, false) => ProbeStatus::Failing,
        (ProbeKind::Liveness, false) => ProbeStatus::Unknown,
    }
}

fn restarts(status: &ContainerStatus, names: &Names, now: Timestamp) -> Restarts {
    let ended = status
        .last_state
        .terminated
        .as_ref()
        .filter(|_| status.restart_count > 0);
    let last = ended.map(|ended| {
        let (cause, certainty) = if ended.reason == "OOMKilled" {
            (Cause::OomKilled, Certainty::Direct)
        } else {
            (Cause::Unknown, Certainty::Unknown)
        };
        Box::new(LastRestart {
            container: names.intern(&status.name),
            reason: names.intern(&ended.reason),
            exit_code: ended.exit_code,
            finished: read(ended.finished_at.as_ref()),
            started: read(ended.started_at.as_ref()),
            cause,
            certainty,
        })
    });
    let finished = last.as_ref().and_then(|last| last.finished);
    let lately =
        finished.is_some_and(|finished| now.since(finished) < LATELY_SECONDS * 1_000_000_000);
    Restarts {
        count: count(Some(status.restart_count)),
        // At least this one; how many more there were lately nobody tells.
        recent: u32::from(lately),
        last,
    }
}

/// Restarts of a pod's containers together.
fn together(containers: &[Container]) -> Restarts {
    let mut all = Restarts::default();
    for container in containers {
        all.count = all.count.saturating_add(container.restarts.count);
        all.recent = all.recent.saturating_add(container.restarts.recent);
        let finished = |restarts: &Restarts| restarts.last.as_ref().and_then(|last| last.finished);
        if all.last.is_none() || finished(&container.restarts) > finished(&all) {
            all.last.clone_from(&container.restarts.last);
        }
    }
    all
}

fn larger(a: Amounts, b: Amounts) -> Amounts {
    let more = |a: Option<f64>, b: Option<f64>| a.unwrap_or(-1.0) >= b.unwrap_or(-1.0);
    Amounts {
        cpu: if more(a.cpu.number(), b.cpu.number()) {
            a.cpu
        } else {
            b.cpu
        },
        memory: if more(a.memory.number(), b.memory.number()) {
            a.memory
        } else {
            b.memory
        },
    }
}

fn or(a: Amounts, b: Amounts) -> Amounts {
    Amounts {
        cpu: if a.cpu.is_known() { a.cpu } else { b.cpu },
        memory: if a.memory.is_known() {
            a.memory
        } else {
            b.memory
        },
    }
}

/// All there is to know of a pod from itself alone: conditions and probes; events are told apart.
pub(in crate::source) fn detail(pod: &SlimPod) -> Detail {
    let none = ContainerStatus::default();
    let mut probes = Vec::new();
    for (spec, _) in pod.containers() {
        let status = pod.status_of(&spec.name).unwrap_or(&none);
        for (kind, probe) in spec.probes() {
            probes.push(Probe {
                container: spec.name.clone(),
                kind,
                status: probe_status(spec, status, kind),
                failures: 0,
                threshold: probe.failure_threshold.unwrap_or(3),
                since: None,
                message: String::new(),
                asks: asks(probe),
            });
        }
    }
    let conditions = pod.status.conditions.iter().map(|condition| Condition {
        kind: condition.r#type.clone(),
        status: condition.status.clone(),
        reason: condition.reason.clone(),
        message: condition.message.clone(),
        since: read(condition.last_transition_time.as_ref()),
    });
    Detail {
        pod: PodVitals {
            probes,
            ..PodVitals::default()
        },
        conditions: conditions.collect(),
        events: Vec::new(),
    }
}

/// What a probe asks, as `kubectl describe` says it (`DescribeProbe`).
fn asks(probe: &ProbeSpec) -> String {
    let port = |port: &serde_json::Value| match port {
        serde_json::Value::String(name) => name.clone(),
        other => other.to_string(),
    };
    let what = if let Some(exec) = &probe.exec {
        format!("exec [{}]", exec.command.join(" "))
    } else if let Some(get) = &probe.http_get {
        let scheme = if get.scheme.is_empty() {
            "http".to_owned()
        } else {
            get.scheme.to_lowercase()
        };
        format!(
            "http-get {scheme}://{}:{}{}",
            get.host,
            port(&get.port),
            get.path
        )
    } else if let Some(socket) = &probe.tcp_socket {
        format!("tcp-socket {}:{}", socket.host, port(&socket.port))
    } else if let Some(socket) = &probe.grpc {
        format!("grpc <pod>:{}", port(&socket.port))
    } else {
        "unknown".to_owned()
    };
    format!(
        "{what} delay={}s timeout={}s period={}s #success={} #failure={}",
        probe.initial_delay_seconds,
        probe.timeout_seconds.unwrap_or(1),
        probe.period_seconds.unwrap_or(10),
        probe.success_threshold.unwrap_or(1),
        probe.failure_threshold.unwrap_or(3)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(json: &str) -> SlimPod {
        serde_json::from_str(json).unwrap()
    }

    fn row(json: &str) -> PodRow {
        let now = "2026-11-21T05:10:00Z".parse().unwrap();
        pod(json).row(&Names::default(), now).unwrap()
    }

    const FLAKY: &str = r#"{"metadata":{"namespace":"shop","name":"web-5d-x","uid":"u","labels":{"pod-template-hash":"5d"},
        "ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web-5d","uid":"r","controller":true}]},
        "spec":{"nodeName":"n1","initContainers":[{"name":"big","resources":{"requests":{"cpu":"2"}}},
                {"name":"side","restartPolicy":"Always","resources":{"requests":{"cpu":"100m"},"limits":{"memory":"10Mi"}}}],
            "containers":[{"name":"web","resources":{"requests":{"cpu":"250m"},"limits":{"memory":"50Mi","cpu":"1"}},
                "readinessProbe":{"httpGet":{"path":"/ready","port":8080,"scheme":"HTTP"},"failureThreshold":2},"livenessProbe":{"exec":{"command":["cat","x"]}}}]},
        "status":{"phase":"Running","initContainerStatuses":[{"name":"big","ready":true,"state":{"terminated":{"exitCode":0,"reason":"Completed"}}},
                {"name":"side","ready":true,"started":true,"state":{"running":{}}}],
            "containerStatuses":[{"name":"web","ready":false,"started":true,"restartCount":3,"state":{"running":{"startedAt":"2026-11-21T05:09:00Z"}},
                "lastState":{"terminated":{"exitCode":137,"reason":"OOMKilled","finishedAt":"2026-11-21T05:08:00Z"}}}]}}"#;

    #[test]
    fn a_pod_is_read_into_its_row() {
        let row = row(FLAKY);
        assert_eq!(
            (&*row.status, row.ready_containers, row.total_containers),
            ("Running", 1, 2)
        );
        let workload = row.workload.as_deref().unwrap();
        assert_eq!((&*workload.kind, &*workload.name), ("Deployment", "web"));
        assert_eq!((row.restarts.count, row.restarts.recent), (3, 1));
        let now = "2026-11-21T05:10:00Z".parse().unwrap();
        assert_eq!(row.restarts.text(now), "3 (OOMKilled 2m ago)");
        assert_eq!((row.probes.failing, row.probes.unknown), (1, 1));
    }

    #[test]
    fn requests_are_the_schedulers_and_limits_those_of_all() {
        let row = row(FLAKY);
        assert_eq!(
            row.requests.cpu.get().map(|cpu| cpu.millicores_ceil()),
            Some(2_000)
        );
        assert!(
            !row.limits.cpu.is_known(),
            "the sidecar has no limit of CPU"
        );
        assert_eq!(
            row.limits
                .memory
                .get()
                .map(|memory| memory.mebibytes_floor()),
            Some(60)
        );
    }

    #[test]
    fn a_probe_says_what_it_asks_as_kubectl_does() {
        let asks: Vec<String> = detail(&pod(FLAKY))
            .pod
            .probes
            .into_iter()
            .map(|probe| probe.asks)
            .collect();
        assert_eq!(
            asks,
            [
                "exec [cat x] delay=0s timeout=1s period=10s #success=1 #failure=3",
                "http-get http://:8080/ready delay=0s timeout=1s period=10s #success=1 #failure=2",
            ]
        );
    }

    #[test]
    fn a_job_of_a_cronjob_is_the_cronjobs() {
        for (name, kind, owner) in [
            ("backup-29393760", "CronJob", "backup"),
            ("once", "Job", "once"),
        ] {
            let json = format!(
                r#"{{"metadata":{{"namespace":"a","name":"p","ownerReferences":[{{"apiVersion":"batch/v1","kind":"Job","name":"{name}","uid":"x","controller":true}}]}}}}"#
            );
            let workload = row(&json).workload.unwrap();
            assert_eq!((&*workload.kind, &*workload.name), (kind, owner));
        }
    }
}
