//! The JSON that all pods of a revision share.

use serde_json::{Value, json};

use super::catalog::{App, Container, Kind, Probe, ProbeHandler, Role, image, is_init};
use crate::members::Members;

/// A value that occurs in no spec: where the node's name goes.
const HOLE: &str = "\u{1}";
const HOLE_TEXT: &str = "\"\\u0001\"";

/// The parts of a pod's JSON that do not differ between the pods of a revision.
#[derive(Debug)]
pub(crate) struct PodTemplate {
    /// The port at which the pods expose metrics, if they do.
    pub(crate) metrics_port: Option<u16>,
    /// The annotations, if there are any.
    pub(crate) annotations: Option<Value>,
    /// The ownerReferences.
    pub(crate) owners: Value,
    /// The spec up to the value of nodeName, and from there on.
    pub(crate) spec: (String, String),
    /// The quality of service.
    pub(crate) qos: &'static str,
    /// For each container, in the order of the app: the allocated resources, if any, and the resources.
    pub(crate) resources: Vec<(Option<Value>, Value)>,
}

impl PodTemplate {
    /// The port is that of the pods that expose metrics, if they do.
    pub(crate) fn new(
        app: &App,
        revision: u32,
        (owner_name, owner_uid): (&str, &str),
        metrics_port: Option<u16>,
    ) -> Self {
        let metrics_port = metrics_port.filter(|_| app.exposing().is_some());
        let owner_kind = match app.kind {
            Kind::Deployment => "ReplicaSet",
            Kind::StatefulSet => "StatefulSet",
            Kind::DaemonSet => "DaemonSet",
        };
        let owners = json!([{
            "apiVersion": "apps/v1", "kind": owner_kind, "name": owner_name, "uid": owner_uid,
            "controller": true, "blockOwnerDeletion": true,
        }]);
        let spec = spec(app, revision, metrics_port).to_string();
        let (head, tail) = spec.split_once(HOLE_TEXT).unwrap_or((&spec, ""));
        let containers = app.containers.iter();
        Self {
            metrics_port,
            annotations: metrics_port.map(annotations),
            owners,
            spec: (head.to_owned(), tail.to_owned()),
            qos: qos(app),
            resources: containers
                .map(|c| (amounts(c.requests), resources(c)))
                .collect(),
        }
    }
}

/// What makes scrapers scrape a pod.
fn annotations(port: u16) -> Value {
    json!({
        "prometheus.io/scrape": "true",
        "prometheus.io/port": port.to_string(),
        "prometheus.io/path": "/metrics",
        "prometheus.io/scheme": "http",
    })
}

/// The pod spec of an app at a revision, with a hole for the node.
fn spec(app: &App, revision: u32, metrics_port: Option<u16>) -> Value {
    let system = app.namespace == "kube-system";
    let toleration = |condition: &str| json!({"key": format!("node.kubernetes.io/{condition}"), "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300});
    let tolerations = match app.kind {
        Kind::DaemonSet => json!([{"operator": "Exists"}]),
        _ => json!([toleration("not-ready"), toleration("unreachable")]),
    };
    json!({
        "initContainers": containers(app, revision, true, None),
        "containers": containers(app, revision, false, metrics_port),
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "serviceAccountName": app.name,
        "serviceAccount": app.name,
        "nodeName": HOLE,
        "securityContext": {},
        "schedulerName": "default-scheduler",
        "tolerations": tolerations,
        "priority": if system { 2_000_001_000 } else { 0 },
        "enableServiceLinks": true,
        "preemptionPolicy": "PreemptLowerPriority",
        "priorityClassName": system.then_some("system-node-critical"),
        "subdomain": (app.kind == Kind::StatefulSet).then_some(app.name),
    })
    .without_nulls()
}

/// The init containers or the other containers of an app in a pod spec; `None` when there are none. The one that exposes
/// metrics has the port for it, if there is one.
pub(crate) fn containers(
    app: &App,
    revision: u32,
    init: bool,
    metrics_port: Option<u16>,
) -> Option<Value> {
    let containers = app.containers.iter().filter(|c| is_init(c) == init);
    let exposing = app.exposing().map(|c| c.name);
    let of = |c| {
        container(
            c,
            revision,
            metrics_port.filter(|_| exposing == Some(c.name)),
        )
    };
    let containers: Vec<Value> = containers.map(of).collect();
    (!containers.is_empty()).then(|| containers.into())
}

fn container(c: &Container, revision: u32, metrics_port: Option<u16>) -> Value {
    let serves = c.port != 0 && c.role != Role::Init;
    let own = serves.then(|| json!({"containerPort": c.port, "protocol": "TCP"}));
    let metrics = metrics_port
        .map(|port| json!({"name": "metrics", "containerPort": port, "protocol": "TCP"}));
    let ports: Vec<Value> = own.into_iter().chain(metrics).collect();
    let probe = |probe: Option<Probe>| probe.map(|it| self::probe(&it, c.port));
    json!({
        "name": c.name,
        "image": image(c, revision),
        "ports": (!ports.is_empty()).then_some(ports),
        "resources": resources(c),
        "restartPolicy": (c.role == Role::Sidecar).then_some("Always"),
        "livenessProbe": probe(c.liveness),
        "readinessProbe": probe(c.readiness),
        "startupProbe": probe(c.startup),
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
    })
    .without_nulls()
}

fn probe(p: &Probe, port: u16) -> Value {
    let (key, handler) = match p.handler {
        ProbeHandler::Http(path) => (
            "httpGet",
            json!({"path": path, "port": port, "scheme": "HTTP"}),
        ),
        ProbeHandler::Tcp => ("tcpSocket", json!({"port": port})),
        ProbeHandler::Exec(command) => ("exec", json!({"command": command})),
    };
    json!({
        key: handler, "timeoutSeconds": 1, "periodSeconds": p.period, "successThreshold": 1, "failureThreshold": p.failures,
    })
}

/// Requests or limits; `None` when there are none.
fn amounts((cpu, memory): (u32, u32)) -> Option<Value> {
    let amount = |n: u32, whole: u32, suffix: &str, whole_suffix: &str| match n {
        0 => None,
        n if n.is_multiple_of(whole) => Some(format!("{}{whole_suffix}", n / whole)),
        n => Some(format!("{n}{suffix}")),
    };
    let (cpu, memory) = (amount(cpu, 1000, "m", ""), amount(memory, 1024, "Mi", "Gi"));
    let any = cpu.is_some() || memory.is_some();
    any.then(|| json!({"cpu": cpu, "memory": memory}).without_nulls())
}

fn resources(c: &Container) -> Value {
    let with_gpus = |amounts: Option<Value>| match (amounts, c.gpus) {
        (Some(mut amounts), 1..) => {
            amounts.put("nvidia.com/gpu", c.gpus.to_string());
            Some(amounts)
        }
        (amounts, _) => amounts,
    };
    let (limits, requests) = (amounts(c.limits), amounts(c.requests));
    json!({"limits": with_gpus(limits), "requests": with_gpus(requests)}).without_nulls()
}

/// Kubernetes' rule: Guaranteed when every container's limits equal its requests, BestEffort when there are neither.
fn qos(app: &App) -> &'static str {
    let guaranteed = |c: &Container| c.limits.0 > 0 && c.limits.1 > 0 && c.limits == c.requests;
    let nothing = |c: &Container| c.limits == (0, 0) && c.requests == (0, 0);
    if app.containers.iter().all(guaranteed) {
        "Guaranteed"
    } else if app.containers.iter().all(nothing) {
        "BestEffort"
    } else {
        "Burstable"
    }
}
