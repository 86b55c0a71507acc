//! The JSON of a pod, written straight into bytes: there may be 150,000 of them.

use std::io::Write;
use std::net::Ipv4Addr;
use std::sync::Arc;

use bytes::Bytes;

use crate::objects::MetaLite;
use crate::world::catalog::{Kind, Role};
use crate::world::hash::{hash, hex64};
use crate::world::pod::{Container, Ended, Phase, Pod, State};

/// The node that a pod runs on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Host<'a> {
    pub(crate) name: &'a Arc<str>,
    pub(crate) address: Ipv4Addr,
}

/// Appends formatted text to bytes, which cannot fail.
macro_rules! append {
    ($out:expr, $($text:tt)+) => {{ let _ = write!($out, $($text)+); }};
}

/// A pod for the store: its metadata and its JSON.
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

/// Appends a JSON string. Only messages need it: names, times and ids have no character that JSON escapes.
fn string(out: &mut Vec<u8>, text: &str) {
    let _ = serde_json::to_writer(out, text);
}

/// Appends `,"message":` and a message, if there is one.
fn message(out: &mut Vec<u8>, text: Option<&str>) {
    if let Some(text) = text {
        append!(out, r#","message":"#);
        string(out, text);
    }
}

fn write(out: &mut Vec<u8>, pod: &Pod, host: Host<'_>) {
    let (name, created, revision) = (&pod.name, pod.created, &pod.revision);
    let (owner, namespace, template) = (
        &revision.owner_name,
        &revision.namespace,
        &revision.template,
    );
    append!(
        out,
        r#"{{"metadata":{{"name":"{name}","generateName":"{owner}-","namespace":"{namespace}","uid":"{}","#,
        pod.uid
    );
    append!(out, r#""generation":1,"creationTimestamp":"{created}","#);
    if let Some(since) = pod.deleting {
        let at = since.plus_nanos(30_000_000_000);
        append!(
            out,
            r#""deletionTimestamp":"{at}","deletionGracePeriodSeconds":30,"#
        );
    }
    append!(
        out,
        r#"{}}},"spec":{}"{}""#,
        template.metadata,
        template.spec.0,
        host.name
    );
    if revision.app.kind == Kind::StatefulSet {
        append!(out, r#","hostname":"{name}""#);
    }
    append!(
        out,
        r#"{},"status":{{"observedGeneration":1,"phase":"{}""#,
        template.spec.1,
        phase(pod)
    );
    conditions(out, pod);
    if let Phase::Evicted { message: text } = &pod.phase {
        message(out, Some(text));
        append!(out, r#","reason":"Evicted""#);
    }
    append!(
        out,
        r#","hostIP":"{0}","hostIPs":[{{"ip":"{0}"}}]"#,
        host.address
    );
    if pod.phase == Phase::Running {
        append!(out, r#","podIP":"{0}","podIPs":[{{"ip":"{0}"}}]"#, pod.ip);
    }
    append!(out, r#","startTime":"{created}""#);
    statuses(out, pod, "initContainerStatuses", true);
    statuses(out, pod, "containerStatuses", false);
    append!(out, r#","qosClass":"{}"}}}}"#, template.qos);
}

fn conditions(out: &mut Vec<u8>, pod: &Pod) {
    let up = pod.phase == Phase::Running;
    let initialized = pod.containers.iter().all(|c| {
        c.spec.role != Role::Init || matches!(&c.state, State::Ended(e) if e.exit_code == 0)
    });
    let unready = (!pod.ready.0).then(|| unready(pod));
    let (evicted, reason, text) = match &pod.phase {
        Phase::Evicted { message } => (Some(&**message), "PodFailed", None),
        _ => (None, "ContainersNotReady", unready.as_deref()),
    };
    // The node controller sets Ready to false when a node is lost. It does not change ContainersReady.
    let ready_reason = if pod.node_lost { "" } else { reason };
    #[rustfmt::skip] // one condition a line: a table
    let conditions = [
        ("PodReadyToStartContainers", up, pod.sandbox, "", None),
        ("Initialized", initialized, pod.sandbox, "ContainersNotInitialized", None),
        ("Ready", pod.ready.0 && !pod.node_lost, pod.ready.1, ready_reason, text),
        ("ContainersReady", pod.ready.0, pod.ready.1, reason, text),
        ("PodScheduled", true, pod.created, "", None),
    ];
    let mut separator = r#","conditions":["#;
    for (kind, holds, since, reason, text) in conditions {
        let status = if holds { "True" } else { "False" };
        append!(
            out,
            r#"{separator}{{"type":"{kind}","observedGeneration":1,"status":"{status}","lastProbeTime":null,"lastTransitionTime":"{since}""#
        );
        separator = ",";
        if !holds && !reason.is_empty() {
            append!(out, r#","reason":"{reason}""#);
            message(out, text);
        }
        out.push(b'}');
    }
    if evicted.is_some() {
        append!(
            out,
            r#",{{"type":"DisruptionTarget","observedGeneration":1,"status":"True","lastProbeTime":null,"lastTransitionTime":"{}","reason":"TerminationByKubelet""#,
            pod.ready.1
        );
        message(out, evicted);
        out.push(b'}');
    }
    out.push(b']');
}

fn unready(pod: &Pod) -> String {
    let unready = pod
        .containers
        .iter()
        .filter(|c| c.spec.role == Role::Main && !c.ready);
    let names: Vec<&str> = unready.map(|c| c.spec.name).collect();
    format!("containers with unready status: [{}]", names.join(" "))
}

fn statuses(out: &mut Vec<u8>, pod: &Pod, key: &str, init: bool) {
    let all = pod.containers.iter().zip(&pod.revision.template.resources);
    let mut first = true;
    for (container, resources) in all.filter(|(c, _)| (c.spec.role != Role::Main) == init) {
        match std::mem::take(&mut first) {
            true => append!(out, r#","{key}":["#),
            false => out.push(b','),
        }
        status(out, pod, container, resources);
    }
    if !first {
        out.push(b']');
    }
}

fn status(out: &mut Vec<u8>, pod: &Pod, c: &Container, resources: &str) {
    append!(out, r#"{{"name":"{}","state":{{"#, c.spec.name);
    match &c.state {
        State::Waiting {
            reason,
            message: text,
        } => {
            append!(out, r#""waiting":{{"reason":"{reason}""#);
            message(out, text.as_deref());
            out.push(b'}');
        }
        State::Running { since } => append!(out, r#""running":{{"startedAt":"{since}"}}"#),
        State::Ended(ended) => terminated(out, c, ended),
    }
    append!(out, r#"}},"lastState":{{"#);
    if let Some(last) = &c.last {
        terminated(out, c, last);
    }
    let image = pod.revision.image(c.spec);
    append!(
        out,
        r#"}},"ready":{},"restartCount":{},"image":"{image}","imageID":""#,
        c.ready,
        c.restarts
    );
    if !matches!(c.state, State::Waiting { .. }) || c.last.is_some() {
        let id = container_id(c, c.incarnation());
        append!(
            out,
            r#"{}","containerID":"{id}"#,
            pod.revision.image_id(c.spec)
        );
    }
    append!(out, r#"","started":{},{resources}}}"#, c.started);
}

fn terminated(out: &mut Vec<u8>, c: &Container, ended: &Ended) {
    let Ended {
        started,
        finished,
        exit_code,
        reason,
        incarnation,
    } = ended;
    let id = container_id(c, *incarnation);
    append!(
        out,
        r#""terminated":{{"exitCode":{exit_code},"reason":"{reason}","startedAt":"{started}","finishedAt":"{finished}","containerID":"{id}"}}"#
    );
}

fn container_id(c: &Container, incarnation: u32) -> String {
    let id = hash(c.seed, 0x6964 + u64::from(incarnation));
    format!("containerd://{}", hex64(id))
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
        let (revision, name) = (workload.revision.clone(), "web-x".to_owned());
        let mut one = Pod::new(revision, (0, 0), name, 7, Ipv4Addr::LOCALHOST, at);
        one.phase = Phase::Running;
        for c in &mut one.containers {
            c.run(at);
        }
        let c = one.containers.last_mut().unwrap();
        c.restarts = 1;
        c.end(at.plus_nanos(5_000_000_000), 137, "OOMKilled");
        let host = Arc::from("node-0001");
        let (name, address) = (&host, Ipv4Addr::LOCALHOST);
        let (meta, bytes) = pod(&one, Host { name, address });
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
