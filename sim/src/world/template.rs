//! What all pods of a revision have in common, written once.

use kubevitals_proto::labels::Labels;
use serde_json::{Map, Value, json};

use super::catalog::{App, Container, Kind, Probe, ProbeHandler, Role, image, is_init};

/// A value that occurs in no spec: where the node's name goes.
const HOLE: &str = "\u{1}";
const HOLE_TEXT: &str = "\"\\u0001\"";

/// The parts of a pod's JSON that do not differ between the pods of a revision.
#[derive(Debug)]
pub(crate) struct PodTemplate {
    /// `"labels":{…},"ownerReferences":[…]`.
    pub(crate) metadata: String,
    /// The spec up to the value of nodeName, and from there on.
    pub(crate) spec: (String, String),
    /// The quality of service.
    pub(crate) qos: &'static str,
    /// For each container, in the order of the app: `"allocatedResources":{…},"resources":{…}`.
    pub(crate) resources: Vec<String>,
}

impl PodTemplate {
    pub(crate) fn new(
        app: &App,
        revision: u32,
        labels: &Labels,
        owner_name: &str,
        owner_uid: &str,
    ) -> Self {
        let owner_kind = match app.kind {
            Kind::Deployment => "ReplicaSet",
            Kind::StatefulSet => "StatefulSet",
            Kind::DaemonSet => "DaemonSet",
        };
        let owner = json!([{
            "apiVersion": "apps/v1", "kind": owner_kind, "name": owner_name, "uid": owner_uid,
            "controller": true, "blockOwnerDeletion": true,
        }]);
        let metadata = format!("\"labels\":{},\"ownerReferences\":{owner}", json!(labels));
        let spec = spec(app, revision).to_string();
        let (head, tail) = spec.split_once(HOLE_TEXT).unwrap_or((&spec, ""));
        Self {
            metadata,
            spec: (head.to_owned(), tail.to_owned()),
            qos: qos(app),
            resources: app.containers.iter().map(status_resources).collect(),
        }
    }
}

/// The pod spec of an app at a revision, with a hole for the node.
fn spec(app: &App, revision: u32) -> Value {
    let of = |init: bool| -> Vec<Value> {
        let containers = app.containers.iter().filter(|c| is_init(c) == init);
        containers.map(|c| container(c, revision)).collect()
    };
    let mut spec = Map::new();
    let inits = of(true);
    if !inits.is_empty() {
        spec.insert("initContainers".to_owned(), inits.into());
    }
    let system = app.namespace == "kube-system";
    let tolerations = if app.kind == Kind::DaemonSet {
        json!([{"operator": "Exists"}])
    } else {
        json!([
            {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
            {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
        ])
    };
    let Value::Object(rest) = json!({
        "containers": of(false),
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
    }) else {
        return Value::Null;
    };
    spec.extend(rest);
    if system {
        spec.insert(
            "priorityClassName".to_owned(),
            "system-node-critical".into(),
        );
    }
    if app.kind == Kind::StatefulSet {
        spec.insert("subdomain".to_owned(), app.name.into());
    }
    spec.into()
}

/// A container in a pod spec or template.
pub(crate) fn container(c: &Container, revision: u32) -> Value {
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| {
        out.insert(key.to_owned(), value);
    };
    put("name", c.name.into());
    put("image", image(c, revision).into());
    if c.port != 0 && c.role != Role::Init {
        put(
            "ports",
            json!([{"containerPort": c.port, "protocol": "TCP"}]),
        );
    }
    put("resources", resources(c));
    if c.role == Role::Sidecar {
        put("restartPolicy", "Always".into());
    }
    for (key, probe) in [
        ("livenessProbe", c.liveness),
        ("readinessProbe", c.readiness),
        ("startupProbe", c.startup),
    ] {
        if let Some(p) = probe {
            put(key, self::probe(&p, c.port));
        }
    }
    put("terminationMessagePath", "/dev/termination-log".into());
    put("terminationMessagePolicy", "File".into());
    put("imagePullPolicy", "IfNotPresent".into());
    out.into()
}

fn probe(p: &Probe, port: u16) -> Value {
    let mut out = Map::new();
    let (key, ask) = match p.handler {
        ProbeHandler::Http(path) => (
            "httpGet",
            json!({"path": path, "port": port, "scheme": "HTTP"}),
        ),
        ProbeHandler::Tcp => ("tcpSocket", json!({"port": port})),
        ProbeHandler::Exec(command) => ("exec", json!({"command": command})),
    };
    out.insert(key.to_owned(), ask);
    for (key, value) in [
        ("timeoutSeconds", 1),
        ("periodSeconds", p.period),
        ("successThreshold", 1),
        ("failureThreshold", p.failures),
    ] {
        out.insert(key.to_owned(), value.into());
    }
    out.into()
}

/// Requests or limits; `None` when there are none.
fn amounts((cpu, memory): (u32, u32)) -> Option<Value> {
    let mut out = Map::new();
    if cpu > 0 {
        let text = match cpu % 1000 {
            0 => format!("{}", cpu / 1000),
            _ => format!("{cpu}m"),
        };
        out.insert("cpu".to_owned(), text.into());
    }
    if memory > 0 {
        let text = match memory % 1024 {
            0 => format!("{}Gi", memory / 1024),
            _ => format!("{memory}Mi"),
        };
        out.insert("memory".to_owned(), text.into());
    }
    (!out.is_empty()).then(|| out.into())
}

fn resources(c: &Container) -> Value {
    let mut out = Map::new();
    if let Some(limits) = amounts(c.limits) {
        out.insert("limits".to_owned(), limits);
    }
    if let Some(requests) = amounts(c.requests) {
        out.insert("requests".to_owned(), requests);
    }
    out.into()
}

fn status_resources(c: &Container) -> String {
    let resources = resources(c);
    match amounts(c.requests) {
        Some(requests) => format!("\"allocatedResources\":{requests},\"resources\":{resources}"),
        None => format!("\"resources\":{resources}"),
    }
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
