//! A pod's JSON, written straight into bytes: there may be 150,000 of them.

use std::io::Write;
use std::net::Ipv4Addr;
use std::sync::Arc;

use bytes::Bytes;

use super::{string, time};
use crate::objects::MetaLite;
use crate::world::catalog::{Kind, Role};
use crate::world::hash::{hash, hex64};
use crate::world::pod::{Container, Ended, Phase, Pod, State};

/// Where a pod runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Host<'a> {
    pub(crate) name: &'a Arc<str>,
    pub(crate) address: Ipv4Addr,
}

/// What the store must know of a pod, and the pod.
pub(crate) fn pod(pod: &Pod, host: Host<'_>) -> (MetaLite, Bytes) {
    let meta = MetaLite {
        namespace: Some(pod.revision.namespace.clone()),
        name: pod.name.clone(),
        labels: pod.revision.labels.clone(),
        fields: [
            ("spec.nodeName", host.name.clone()),
            ("status.phase", Arc::from(phase(pod))),
            ("spec.restartPolicy", Arc::from("Always")),
        ]
        .into(),
    };
    let mut out = Vec::with_capacity(4096);
    write(&mut out, pod, host);
    out.shrink_to_fit();
    (meta, Bytes::from(out))
}

pub(crate) fn phase(pod: &Pod) -> &'static str {
    match pod.phase {
        Phase::Pending => "Pending",
        Phase::Running if pod.containers.iter().any(Container::never_ran) => "Pending",
        Phase::Running => "Running",
        Phase::Evicted { .. } => "Failed",
    }
}

fn write(out: &mut Vec<u8>, pod: &Pod, host: Host<'_>) {
    let text = |out: &mut Vec<u8>, text: &str| out.extend_from_slice(text.as_bytes());
    text(out, "{\"metadata\":{\"name\":");
    string(out, &pod.name);
    text(out, ",\"generateName\":\"");
    text(out, &pod.revision.owner_name);
    text(out, "-\",\"namespace\":");
    string(out, &pod.revision.namespace);
    text(out, ",\"uid\":");
    string(out, &pod.uid);
    text(out, ",\"generation\":1,\"creationTimestamp\":");
    time(out, pod.created);
    if let Some(since) = pod.deleting {
        text(out, ",\"deletionTimestamp\":");
        time(out, since.plus_nanos(30_000_000_000));
        text(out, ",\"deletionGracePeriodSeconds\":30");
    }
    out.push(b',');
    text(out, &pod.revision.template.metadata);
    text(out, "},\"spec\":");
    text(out, &pod.revision.template.spec.0);
    string(out, host.name);
    if pod.revision.app.kind == Kind::StatefulSet {
        text(out, ",\"hostname\":");
        string(out, &pod.name);
    }
    text(out, &pod.revision.template.spec.1);
    text(out, ",\"status\":{\"observedGeneration\":1,\"phase\":");
    string(out, phase(pod));
    conditions(out, pod);
    if let Phase::Evicted { message } = &pod.phase {
        text(out, ",\"message\":");
        string(out, message);
        text(out, ",\"reason\":\"Evicted\"");
    }
    let _ = write!(
        out,
        ",\"hostIP\":\"{0}\",\"hostIPs\":[{{\"ip\":\"{0}\"}}]",
        host.address
    );
    if pod.phase == Phase::Running {
        let _ = write!(
            out,
            ",\"podIP\":\"{0}\",\"podIPs\":[{{\"ip\":\"{0}\"}}]",
            pod.ip
        );
    }
    text(out, ",\"startTime\":");
    time(out, pod.created);
    statuses(out, pod, "initContainerStatuses", true);
    statuses(out, pod, "containerStatuses", false);
    text(out, ",\"qosClass\":\"");
    text(out, pod.revision.template.qos);
    text(out, "\"}}");
}

fn conditions(out: &mut Vec<u8>, pod: &Pod) {
    let up = pod.phase == Phase::Running;
    let not_started = pod.containers.iter().any(|c| {
        c.spec.role == Role::Init && !matches!(&c.state, State::Ended(e) if e.exit_code == 0)
    });
    let unready = (!pod.ready.0).then(|| unready(pod));
    let (ready_reason, ready_message) = match (&unready, &pod.phase) {
        (_, Phase::Evicted { .. }) => ("PodFailed", None),
        (message, _) => ("ContainersNotReady", message.as_deref()),
    };
    out.extend_from_slice(b",\"conditions\":[");
    // The node controller takes Ready away when a node is lost; it knows nothing of the containers.
    let conditions = [
        ("PodReadyToStartContainers", up, pod.sandbox, "", None),
        (
            "Initialized",
            !not_started,
            pod.sandbox,
            "ContainersNotInitialized",
            None,
        ),
        (
            "Ready",
            pod.ready.0 && !pod.node_lost,
            pod.ready.1,
            if pod.node_lost { "" } else { ready_reason },
            ready_message,
        ),
        (
            "ContainersReady",
            pod.ready.0,
            pod.ready.1,
            ready_reason,
            ready_message,
        ),
        ("PodScheduled", true, pod.created, "", None),
    ];
    for (n, (kind, holds, since, reason, message)) in conditions.into_iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        let _ = write!(
            out,
            "{{\"type\":\"{kind}\",\"observedGeneration\":1,\"status\":\"{}\",\"lastProbeTime\":null,\"lastTransitionTime\":",
            if holds { "True" } else { "False" }
        );
        time(out, since);
        if !holds && !reason.is_empty() {
            let _ = write!(out, ",\"reason\":\"{reason}\"");
            if let Some(message) = message {
                out.extend_from_slice(b",\"message\":");
                string(out, message);
            }
        }
        out.push(b'}');
    }
    if let Phase::Evicted { message } = &pod.phase {
        out.extend_from_slice(b",{\"type\":\"DisruptionTarget\",\"observedGeneration\":1,\"status\":\"True\",\"lastProbeTime\":null,\"lastTransitionTime\":");
        time(out, pod.ready.1);
        out.extend_from_slice(b",\"reason\":\"TerminationByKubelet\",\"message\":");
        string(out, message);
        out.push(b'}');
    }
    out.push(b']');
}

fn unready(pod: &Pod) -> String {
    let names: Vec<&str> = pod
        .containers
        .iter()
        .filter(|c| c.spec.role == Role::Main && !c.ready)
        .map(|c| c.spec.name)
        .collect();
    format!("containers with unready status: [{}]", names.join(" "))
}

fn statuses(out: &mut Vec<u8>, pod: &Pod, key: &str, init: bool) {
    let mut first = true;
    for (container, resources) in pod.containers.iter().zip(&pod.revision.template.resources) {
        if (container.spec.role != Role::Main) != init {
            continue;
        }
        if first {
            let _ = write!(out, ",\"{key}\":[");
        } else {
            out.push(b',');
        }
        first = false;
        status(out, pod, container, resources);
    }
    if !first {
        out.push(b']');
    }
}

fn status(out: &mut Vec<u8>, pod: &Pod, c: &Container, resources: &str) {
    out.extend_from_slice(b"{\"name\":");
    string(out, c.spec.name);
    out.extend_from_slice(b",\"state\":");
    state(out, c, &c.state);
    out.extend_from_slice(b",\"lastState\":{");
    if let Some(last) = &c.last {
        terminated(out, c, last);
    }
    let created = !matches!(c.state, State::Waiting { .. }) || c.last.is_some();
    let image = pod.revision.image(c.spec);
    let _ = write!(
        out,
        "}},\"ready\":{},\"restartCount\":{},\"image\":\"{image}\",\"imageID\":\"",
        c.ready, c.restarts
    );
    if created {
        let _ = write!(out, "{}\"", pod.revision.image_id(c.spec));
        out.extend_from_slice(b",\"containerID\":");
        container_id(out, c, c.incarnation());
    } else {
        out.push(b'"');
    }
    let _ = write!(out, ",\"started\":{},{resources}}}", c.started);
}

fn state(out: &mut Vec<u8>, c: &Container, state: &State) {
    match state {
        State::Waiting { reason, message } => {
            let _ = write!(out, "{{\"waiting\":{{\"reason\":\"{reason}\"");
            if let Some(message) = message {
                out.extend_from_slice(b",\"message\":");
                string(out, message);
            }
            out.extend_from_slice(b"}}");
        }
        State::Running { since } => {
            out.extend_from_slice(b"{\"running\":{\"startedAt\":");
            time(out, *since);
            out.extend_from_slice(b"}}");
        }
        State::Ended(ended) => {
            out.push(b'{');
            terminated(out, c, ended);
            out.push(b'}');
        }
    }
}

fn terminated(out: &mut Vec<u8>, c: &Container, ended: &Ended) {
    let _ = write!(
        out,
        "\"terminated\":{{\"exitCode\":{},\"reason\":\"{}\",\"startedAt\":",
        ended.exit_code, ended.reason
    );
    time(out, ended.started);
    out.extend_from_slice(b",\"finishedAt\":");
    time(out, ended.finished);
    out.extend_from_slice(b",\"containerID\":");
    container_id(out, c, ended.incarnation);
    out.push(b'}');
}

fn container_id(out: &mut Vec<u8>, c: &Container, incarnation: u32) {
    let id = hex64(hash(c.seed, 0x6964 + u64::from(incarnation)));
    let _ = write!(out, "\"containerd://{id}\"");
}

#[cfg(test)]
mod tests {
    use kubevitals_proto::time::Timestamp;

    use super::*;

    #[test]
    fn an_ended_container_says_when_and_why() {
        let app = &crate::world::catalog::APPS[0];
        let at = Timestamp::from_secs(1_800_000_000);
        let workload = crate::world::workload::Workload::new(1, app, Arc::from("shop"), at, at);
        let mut one = Pod::new(
            workload.revision.clone(),
            0,
            0,
            "web-x".to_owned(),
            7,
            Ipv4Addr::LOCALHOST,
            at,
        );
        one.phase = Phase::Running;
        for c in &mut one.containers {
            c.run(at);
        }
        let c = one.containers.last_mut().unwrap();
        c.restarts = 1;
        c.state = State::Ended(Ended {
            started: at,
            finished: at.plus_nanos(5_000_000_000),
            exit_code: 137,
            reason: "OOMKilled",
            incarnation: 0,
        });
        let host = Arc::from("node-0001");
        let (meta, bytes) = pod(
            &one,
            Host {
                name: &host,
                address: Ipv4Addr::LOCALHOST,
            },
        );
        assert_eq!(meta.field("status.phase"), Some("Running"));
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let ended = &value["status"]["containerStatuses"][0]["state"]["terminated"];
        assert_eq!(ended["exitCode"], 137);
        assert_eq!(ended["reason"], "OOMKilled");
        assert_eq!(ended["finishedAt"], "2027-01-15T08:00:05Z");
        let ready = &value["status"]["conditions"][2];
        assert_eq!(ready["message"], "containers with unready status: [web]");
    }
}
