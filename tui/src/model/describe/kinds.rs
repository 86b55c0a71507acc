//! What is described of each kind.

use serde_json::{Value, json};

use super::containers;
use super::parts::Parts;
use super::writer::{Writer, items, short, text};
use crate::model::format;
use crate::model::object::Kind;
use crate::model::tone::Tone;

/// A key of a description, and where its value is.
type Field = (&'static str, &'static str);

/// Writes an object without its events.
pub(super) fn write(writer: &mut Writer, parts: &Parts<'_>) {
    let object = parts.object;
    writer.pair(0, "Name", &text(object, "/metadata/name"));
    writer.pair(0, "Namespace", &text(object, "/metadata/namespace"));
    let created = text(object, "/metadata/creationTimestamp");
    let age = created
        .parse()
        .ok()
        .map(|at| format!(" ({} ago)", format::age(at, parts.now)));
    writer.pair(
        0,
        "Created",
        &format!("{created}{}", age.unwrap_or_default()),
    );
    writer.members(0, "Labels", object.pointer("/metadata/labels"), "=");
    writer.members(
        0,
        "Annotations",
        object.pointer("/metadata/annotations"),
        ": ",
    );
    let owners = items(object, "/metadata/ownerReferences");
    let owners = owners.map(|owner| format!("{}/{}", text(owner, "/kind"), text(owner, "/name")));
    writer.pair(0, "Controlled By", &owners.collect::<Vec<_>>().join(", "));
    let deleted = text(object, "/metadata/deletionTimestamp");
    writer.toned(0, "Deleted", &deleted, Tone::Warn);
    match parts.kind {
        Kind::Pod => pod(writer, object),
        Kind::Node => node(writer, parts),
        Kind::Namespace => fields(writer, object, &[("Status", "/status/phase")]),
        Kind::Hpa => autoscaler(writer, object),
        Kind::Claim => claim(writer, object),
        _ => workload(writer, object),
    }
}

fn fields(writer: &mut Writer, object: &Value, fields: &[Field]) {
    for (key, pointer) in fields {
        writer.pair(0, key, &text(object, pointer));
    }
}

/// A PersistentVolumeClaim.
fn claim(writer: &mut Writer, claim: &Value) {
    fields(
        writer,
        claim,
        &[
            ("Status", "/status/phase"),
            ("Volume", "/spec/volumeName"),
            ("Capacity", "/status/capacity/storage"),
            ("Request", "/spec/resources/requests/storage"),
            ("StorageClass", "/spec/storageClassName"),
            ("VolumeMode", "/spec/volumeMode"),
        ],
    );
    let modes = items(claim, "/spec/accessModes").filter_map(Value::as_str);
    writer.pair(0, "Access Modes", &modes.collect::<Vec<_>>().join(", "));
    conditions(writer, claim);
}

fn conditions(writer: &mut Writer, object: &Value) {
    let rows: Vec<Vec<String>> = items(object, "/status/conditions")
        .map(|it| {
            [
                "/type",
                "/status",
                "/lastTransitionTime",
                "/reason",
                "/message",
            ]
            .map(|at| text(it, at))
            .to_vec()
        })
        .collect();
    if !rows.is_empty() {
        writer.heading(0, "Conditions");
        writer.table(2, &["Type", "Status", "Since", "Reason", "Message"], &rows);
    }
}

fn pod(writer: &mut Writer, pod: &Value) {
    fields(
        writer,
        pod,
        &[
            ("Priority", "/spec/priority"),
            ("Service Account", "/spec/serviceAccountName"),
            ("Node", "/spec/nodeName"),
            ("Start Time", "/status/startTime"),
            ("Status", "/status/phase"),
            ("Reason", "/status/reason"),
            ("Message", "/status/message"),
            ("IP", "/status/podIP"),
        ],
    );
    containers::write(writer, pod, 0);
    conditions(writer, pod);
    volumes(writer, pod, 0);
    fields(writer, pod, &[("QoS Class", "/status/qosClass")]);
    writer.members(0, "Node-Selectors", pod.pointer("/spec/nodeSelector"), "=");
    let tolerations = items(pod, "/spec/tolerations").map(|it| {
        let value = text(it, "/value");
        let value = if value.is_empty() {
            value
        } else {
            format!("={value}")
        };
        let seconds = text(it, "/tolerationSeconds");
        let seconds = if seconds.is_empty() {
            seconds
        } else {
            format!(" for {seconds}s")
        };
        format!(
            "{}{value}:{} op={}{seconds}",
            text(it, "/key"),
            text(it, "/effect"),
            text(it, "/operator")
        )
    });
    writer.pair(
        0,
        "Tolerations",
        &tolerations.collect::<Vec<_>>().join("\n"),
    );
}

fn volumes(writer: &mut Writer, pod: &Value, indent: usize) {
    let mut volumes = items(pod, "/spec/volumes").peekable();
    if volumes.peek().is_none() {
        return;
    }
    writer.heading(indent, "Volumes");
    for volume in volumes {
        let members = volume.as_object().into_iter().flatten();
        for (kind, source) in members.filter(|(key, _)| *key != "name") {
            writer.pair(
                indent + 2,
                &text(volume, "/name"),
                &format!("{kind} {}", short(source)),
            );
        }
    }
}

fn node(writer: &mut Writer, parts: &Parts<'_>) {
    let node = parts.object;
    let taints = items(node, "/spec/taints").map(|taint| {
        format!(
            "{}={}:{}",
            text(taint, "/key"),
            text(taint, "/value"),
            text(taint, "/effect")
        )
        .replace("=:", ":")
    });
    let taints: Vec<String> = taints.collect();
    writer.pair(
        0,
        "Taints",
        if taints.is_empty() {
            "<none>".to_owned()
        } else {
            taints.join("\n")
        }
        .as_str(),
    );
    let unschedulable = text(node, "/spec/unschedulable") == "true";
    writer.toned(
        0,
        "Unschedulable",
        if unschedulable { "true" } else { "false" },
        if unschedulable {
            Tone::Warn
        } else {
            Tone::Plain
        },
    );
    conditions(writer, node);
    let addresses = items(node, "/status/addresses")
        .map(|it| format!("{}: {}", text(it, "/type"), text(it, "/address")));
    writer.pair(0, "Addresses", &addresses.collect::<Vec<_>>().join("\n"));
    writer.members(0, "Capacity", node.pointer("/status/capacity"), ": ");
    writer.members(0, "Allocatable", node.pointer("/status/allocatable"), ": ");
    writer.members(0, "System Info", node.pointer("/status/nodeInfo"), ": ");
    fields(
        writer,
        node,
        &[
            ("PodCIDR", "/spec/podCIDR"),
            ("ProviderID", "/spec/providerID"),
        ],
    );
    match &parts.pods {
        Ok(pods) => {
            writer.heading(0, &format!("Pods ({})", pods.len()));
            let rows: Vec<Vec<String>> = pods.iter().map(requests).collect();
            writer.table(
                2,
                &[
                    "Namespace",
                    "Name",
                    "CPU Requests",
                    "CPU Limits",
                    "Memory Requests",
                    "Memory Limits",
                    "Phase",
                ],
                &rows,
            );
        }
        Err(why) => writer.toned(0, "Pods", &format!("cannot be read: {why}"), Tone::Warn),
    }
}

/// A row of the table of the pods on a node: what each container requests.
fn requests(pod: &Value) -> Vec<String> {
    let of = |place: &str| {
        let amounts = items(pod, "/spec/containers")
            .map(|it| text(it, place))
            .filter(|amount| !amount.is_empty());
        let amounts: Vec<String> = amounts.collect();
        if amounts.is_empty() {
            "0".to_owned()
        } else {
            amounts.join("+")
        }
    };
    vec![
        text(pod, "/metadata/namespace"),
        text(pod, "/metadata/name"),
        of("/resources/requests/cpu"),
        of("/resources/limits/cpu"),
        of("/resources/requests/memory"),
        of("/resources/limits/memory"),
        text(pod, "/status/phase"),
    ]
}

fn workload(writer: &mut Writer, object: &Value) {
    writer.members(
        0,
        "Selector",
        object.pointer("/spec/selector/matchLabels"),
        "=",
    );
    fields(
        writer,
        object,
        &[
            ("Schedule", "/spec/schedule"),
            ("Suspend", "/spec/suspend"),
            ("Concurrency", "/spec/concurrencyPolicy"),
            ("Last Schedule", "/status/lastScheduleTime"),
            ("Parallelism", "/spec/parallelism"),
            ("Completions", "/spec/completions"),
            ("Backoff Limit", "/spec/backoffLimit"),
            ("Active", "/status/active"),
            ("Succeeded", "/status/succeeded"),
            ("Failed", "/status/failed"),
            ("Start Time", "/status/startTime"),
            ("Completed", "/status/completionTime"),
            ("Strategy", "/spec/strategy/type"),
            ("Update Strategy", "/spec/updateStrategy/type"),
            ("Min Ready (s)", "/spec/minReadySeconds"),
        ],
    );
    let counts = [
        (
            "desired",
            ["/spec/replicas", "/status/desiredNumberScheduled"],
        ),
        (
            "updated",
            ["/status/updatedReplicas", "/status/updatedNumberScheduled"],
        ),
        (
            "total",
            ["/status/replicas", "/status/currentNumberScheduled"],
        ),
        (
            "available",
            ["/status/availableReplicas", "/status/numberAvailable"],
        ),
        ("ready", ["/status/readyReplicas", "/status/numberReady"]),
        (
            "unavailable",
            ["/status/unavailableReplicas", "/status/numberUnavailable"],
        ),
    ];
    let counts = counts.into_iter().filter_map(|(name, pointers)| {
        let count = pointers
            .into_iter()
            .find_map(|pointer| object.pointer(pointer))?;
        Some(format!("{} {name}", short(count)))
    });
    writer.pair(0, "Replicas", &counts.collect::<Vec<_>>().join(" | "));
    conditions(writer, object);
    let template = object
        .pointer("/spec/jobTemplate/spec/template")
        .or_else(|| object.pointer("/spec/template"));
    if let Some(template) = template {
        writer.heading(0, "Pod Template");
        writer.members(2, "Labels", template.pointer("/metadata/labels"), "=");
        if let Some(annotations) = template.pointer("/metadata/annotations") {
            writer.members(2, "Annotations", Some(annotations), ": ");
        }
        let pod = json!({"spec": template.get("spec")});
        writer.pair(
            2,
            "Service Account",
            &text(&pod, "/spec/serviceAccountName"),
        );
        containers::write(writer, &pod, 2);
        volumes(writer, &pod, 2);
    }
}

fn autoscaler(writer: &mut Writer, hpa: &Value) {
    let target = hpa
        .pointer("/spec/scaleTargetRef")
        .cloned()
        .unwrap_or_default();
    writer.pair(
        0,
        "Reference",
        &format!("{}/{}", text(&target, "/kind"), text(&target, "/name")),
    );
    let current: Vec<&Value> = items(hpa, "/status/currentMetrics").collect();
    let metrics = items(hpa, "/spec/metrics").zip(0..).map(|(metric, at)| {
        let kind = text(metric, "/type");
        let member = kind.get(..1).unwrap_or_default().to_ascii_lowercase()
            + kind.get(1..).unwrap_or_default();
        let of = |metric: Option<&Value>, what: &str| {
            let values = metric.and_then(|metric| metric.pointer(&format!("/{member}/{what}")));
            let values = values.and_then(Value::as_object).into_iter().flatten();
            let values = values
                .filter(|(key, _)| *key != "type")
                .map(|(key, value)| format!("{key} {}", short(value)));
            values.collect::<Vec<_>>().join(", ")
        };
        let name = text(metric, &format!("/{member}/name"))
            + &text(metric, &format!("/{member}/metric/name"));
        let now = of(current.get(at).copied(), "current");
        let now = if now.is_empty() {
            "<unknown>".to_owned()
        } else {
            now
        };
        format!("{kind} {name}: {now} / {}", of(Some(metric), "target"))
    });
    writer.pair(0, "Metrics", &metrics.collect::<Vec<_>>().join("\n"));
    fields(
        writer,
        hpa,
        &[
            ("Min replicas", "/spec/minReplicas"),
            ("Max replicas", "/spec/maxReplicas"),
        ],
    );
    let replicas = format!(
        "{} current / {} desired",
        text(hpa, "/status/currentReplicas"),
        text(hpa, "/status/desiredReplicas")
    );
    writer.pair(0, "Replicas", &replicas);
    conditions(writer, hpa);
}
