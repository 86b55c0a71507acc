//! The way from metrics-server: patches of its own Deployment, applied by kubectl.

use std::process::Command;

use clap::Parser;
use kubevitals_server::config::Flags;
use serde_json::{Value, json};

use super::rendered::{Rendered, output, repository};

/// The arguments in the manifests of metrics-server 0.7 to 0.9.
pub(crate) const ARGUMENTS: [&str; 5] = [
    "--cert-dir=/tmp",
    "--secure-port=10250",
    "--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname",
    "--kubelet-use-node-status-port",
    "--metric-resolution=15s",
];

/// What the second patch adds.
pub(crate) const VERIFIED: [&str; 2] = ["--service-name=metrics-server", "--manage-apiservice-ca"];

/// What of metrics-server's Deployment a patch could touch.
fn peer() -> Value {
    let probe = |path: &str| json!({"httpGet": {"path": path, "port": "https", "scheme": "HTTPS"}});
    let mut readiness = probe("/readyz");
    readiness["initialDelaySeconds"] = json!(20);
    let labels = json!({"k8s-app": "metrics-server"});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "metrics-server", "namespace": "kube-system"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "serviceAccountName": "metrics-server",
                    "volumes": [{"name": "tmp-dir", "emptyDir": {}}],
                    "containers": [{
                        "name": "metrics-server", "image": "metrics-server:v0.9.0", "args": ARGUMENTS,
                        "ports": [{"name": "https", "containerPort": 10250, "protocol": "TCP"}],
                        "readinessProbe": readiness, "livenessProbe": probe("/livez"),
                        "securityContext": {"readOnlyRootFilesystem": true, "runAsNonRoot": true, "runAsUser": 1000},
                        "volumeMounts": [{"name": "tmp-dir", "mountPath": "/tmp"}],
                    }],
                },
            },
        },
    })
}

/// The Deployment after `kubectl patch` with a file of deploy/upgrade.
fn patched(deployment: &Value, kind: &str, patch: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deployment.json");
    std::fs::write(&file, deployment.to_string()).unwrap();
    let patch = repository("deploy/upgrade").join(patch);
    let mut command = Command::new("kubectl");
    command
        .args(["patch", "--local", "--output=yaml", "--type", kind])
        .arg("--patch-file")
        .arg(patch)
        .arg("--filename")
        .arg(file);
    Rendered::yaml(&output(&mut command))
        .only("Deployment")
        .clone()
}

fn container(deployment: &mut Value) -> &mut Value {
    &mut deployment["spec"]["template"]["spec"]["containers"][0]
}

fn accepted(deployment: &mut Value) -> Flags {
    let arguments = super::rendered::texts(&container(deployment)["args"]);
    Flags::try_parse_from(std::iter::once("vitals-server".to_owned()).chain(arguments)).unwrap()
}

#[test]
fn one_patch_changes_the_image_and_leaves_everything_else() {
    let mut after = patched(&peer(), "strategic", "image.yaml");
    let image = container(&mut after)["image"].take();
    assert_eq!(image, Rendered::deploy("base").container()["image"]);
    let flags = accepted(&mut after);
    assert_eq!(flags.serving.secure_port, 10250);
    let mut expected = peer();
    let before = container(&mut expected);
    before["image"].take();
    before["readinessProbe"]
        .as_object_mut()
        .unwrap()
        .remove("initialDelaySeconds");
    let readiness = container(&mut after)["readinessProbe"]
        .as_object_mut()
        .unwrap();
    // kubectl may write what is nothing, or leave it out.
    assert!(
        readiness
            .remove("initialDelaySeconds")
            .is_none_or(|n| n == 0)
    );
    assert_eq!(
        without_blanks(after["spec"].take()),
        without_blanks(expected["spec"].take())
    );
}

/// Without the members in which kubectl says nothing, such as an empty strategy.
fn without_blanks(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(key, value)| (key, without_blanks(value)))
            .filter(|(key, value)| {
                key == "emptyDir"
                    || !(value.is_null() || *value == json!({}) || *value == json!([]))
            })
            .collect(),
        Value::Array(all) => all.into_iter().map(without_blanks).collect(),
        other => other,
    }
}

#[test]
fn a_second_patch_turns_verification_on() {
    let once = patched(&peer(), "strategic", "image.yaml");
    let mut twice = patched(&once, "json", "verified.yaml");
    let flags = accepted(&mut twice);
    assert_eq!(flags.serving.secure_port, 10250);
    let arguments = super::rendered::texts(&container(&mut twice)["args"]);
    let (kept, added) = arguments.split_at(ARGUMENTS.len());
    assert_eq!(kept, ARGUMENTS);
    assert_eq!(added, VERIFIED);
}
