//! The containers of a pod or of a pod's template.

use kubevitals_proto::objects::{Pools, WirePod};
use serde_json::Value;

use super::writer::{Writer, items, short, text};
use crate::model::tone::Tone;

/// Writes the containers of a pod, or of the template of a workload: `spec` has them, `status` their states.
pub(super) fn write(writer: &mut Writer, pod: &Value, indent: usize) {
    let probes = probes(pod);
    for (heading, spec, status) in [
        (
            "Init Containers",
            "/spec/initContainers",
            "/status/initContainerStatuses",
        ),
        (
            "Containers",
            "/spec/containers",
            "/status/containerStatuses",
        ),
        (
            "Ephemeral Containers",
            "/spec/ephemeralContainers",
            "/status/ephemeralContainerStatuses",
        ),
    ] {
        let mut containers = items(pod, spec).peekable();
        if containers.peek().is_none() {
            continue;
        }
        writer.heading(indent, heading);
        for container in containers {
            let name = text(container, "/name");
            let state = items(pod, status).find(|status| text(status, "/name") == name);
            writer.heading(indent + 2, &name);
            one(writer, indent + 4, container, state);
            for (_, kind, description) in probes.iter().filter(|(of, ..)| *of == name) {
                writer.pair(indent + 4, kind, description);
            }
            rest(writer, indent + 4, container);
        }
    }
}

fn one(writer: &mut Writer, indent: usize, container: &Value, status: Option<&Value>) {
    let of_status = |pointer: &str| {
        status
            .map(|status| text(status, pointer))
            .unwrap_or_default()
    };
    writer.pair(indent, "Container ID", &of_status("/containerID"));
    writer.pair(indent, "Image", &text(container, "/image"));
    writer.pair(indent, "Image ID", &of_status("/imageID"));
    let ports = items(container, "/ports").map(|port| {
        let protocol = text(port, "/protocol");
        let protocol = if protocol.is_empty() {
            "TCP"
        } else {
            &protocol
        };
        format!(
            "{}/{protocol} {}",
            text(port, "/containerPort"),
            text(port, "/name")
        )
        .trim_end()
        .to_owned()
    });
    writer.pair(indent, "Ports", &ports.collect::<Vec<_>>().join(", "));
    for (key, pointer) in [("Command", "/command"), ("Args", "/args")] {
        let words: Vec<String> = items(container, pointer).map(short).collect();
        writer.pair(indent, key, &words.join("\n"));
    }
    if let Some(status) = status {
        state(writer, indent, "State", status.get("state"));
        state(writer, indent, "Last State", status.get("lastState"));
        let ready = text(status, "/ready");
        let tone = if ready == "true" {
            Tone::Plain
        } else {
            Tone::Warn
        };
        writer.toned(indent, "Ready", &ready, tone);
        writer.pair(indent, "Restart Count", &text(status, "/restartCount"));
    }
    for (key, pointer) in [
        ("Limits", "/resources/limits"),
        ("Requests", "/resources/requests"),
    ] {
        if let Some(amounts) = container.pointer(pointer) {
            writer.members(indent, key, Some(amounts), ": ");
        }
    }
}

/// `State: Terminated`, with its members below it.
fn state(writer: &mut Writer, indent: usize, key: &str, state: Option<&Value>) {
    let Some((name, state)) = state
        .and_then(Value::as_object)
        .and_then(|state| state.iter().next())
    else {
        return;
    };
    let is_bad = name == "terminated" && text(state, "/exitCode") != "0";
    let tone = match name.as_str() {
        "waiting" => Tone::Warn,
        _ if is_bad => Tone::Bad,
        _ => Tone::Plain,
    };
    let mut title = name.clone();
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    writer.toned(indent, key, &title, tone);
    for (key, pointer) in [
        ("Reason", "/reason"),
        ("Message", "/message"),
        ("Exit Code", "/exitCode"),
        ("Signal", "/signal"),
        ("Started", "/startedAt"),
        ("Finished", "/finishedAt"),
    ] {
        writer.toned(indent + 2, key, &text(state, pointer), tone);
    }
}

/// Environment and mounts.
fn rest(writer: &mut Writer, indent: usize, container: &Value) {
    let from = items(container, "/envFrom").map(|source| {
        let (kind, reference) = match source.get("secretRef") {
            Some(reference) => ("Secret", Some(reference)),
            None => ("ConfigMap", source.get("configMapRef")),
        };
        format!(
            "all of {kind} {}",
            reference.map(|it| text(it, "/name")).unwrap_or_default()
        )
    });
    let variables = items(container, "/env").map(|variable| {
        let name = text(variable, "/name");
        let source = variable.get("valueFrom").and_then(Value::as_object);
        match source.and_then(|source| source.iter().next()) {
            None => format!("{name}: {}", text(variable, "/value")),
            Some((kind, source)) => {
                let key =
                    text(source, "/key") + &text(source, "/fieldPath") + &text(source, "/resource");
                let kind = kind.trim_end_matches("Ref").trim_end_matches("Key");
                format!("{name}: <{key} of {kind} {}>", text(source, "/name")).replace(" >", ">")
            }
        }
    });
    let lines: Vec<String> = from.chain(variables).collect();
    writer.pair(indent, "Environment", &lines.join("\n"));
    let mounts = items(container, "/volumeMounts").map(|mount| {
        let access = if text(mount, "/readOnly") == "true" {
            "ro"
        } else {
            "rw"
        };
        format!(
            "{} from {} ({access})",
            text(mount, "/mountPath"),
            text(mount, "/name")
        )
    });
    writer.pair(indent, "Mounts", &mounts.collect::<Vec<_>>().join("\n"));
}

/// The probes of a pod: container, kind, and what they request.
fn probes(pod: &Value) -> Vec<(String, String, String)> {
    let metadata = serde_json::json!({"namespace": "-", "name": "-"});
    let spec = pod.get("spec").cloned().unwrap_or_default();
    let wire: Option<WirePod> =
        serde_json::from_value(serde_json::json!({"metadata": metadata, "spec": spec})).ok();
    let Some(pod) = wire.and_then(|wire| wire.convert(&Pools::default())) else {
        return Vec::new();
    };
    let mut probes = Vec::new();
    for (spec, _) in pod.containers() {
        for (kind, probe) in spec.probes() {
            let mut kind = format!("{kind:?}");
            if let Some(first) = kind.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            probes.push((spec.name.to_string(), kind, probe.description.to_string()));
        }
    }
    probes
}
