//! A pod's probes: what they ask, and what its status tells of them.

use kubevitals_proto::vitals::{PodVitals, Probe, ProbeKind, ProbeStatus};
use serde::Deserialize;

use super::super::read;
use super::{ContainerSpec, ContainerStatus, SlimPod};
use crate::model::{Condition, Detail};

/// A probe, with the API's defaults.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ProbeSpec {
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

impl ContainerSpec {
    pub(super) fn probes(&self) -> impl Iterator<Item = (ProbeKind, &ProbeSpec)> {
        [
            (ProbeKind::Startup, &self.startup_probe),
            (ProbeKind::Liveness, &self.liveness_probe),
            (ProbeKind::Readiness, &self.readiness_probe),
        ]
        .into_iter()
        .filter_map(|(kind, probe)| Some((kind, probe.as_ref()?)))
    }
}

/// How a probe is, as far as the container's status tells. Of a liveness probe it tells nothing until that kills.
pub(super) fn probe_status(
    spec: &ContainerSpec,
    status: &ContainerStatus,
    kind: ProbeKind,
) -> ProbeStatus {
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
    use super::super::testing::{FLAKY, pod};
    use super::*;

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
}
