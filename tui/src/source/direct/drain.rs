//! Drains a node as kubectl does by default: it is cordoned, and its pods are evicted as their budgets allow.

use std::collections::BTreeSet;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::Direct;
use crate::model::{DrainProgress, Message, Name, format};
use crate::source::Error;
use crate::source::client::escaped;
use crate::source::status::{About, Failure};

/// The time between two attempts to evict a pod that its budget protects, as in kubectl.
const AGAIN: Duration = Duration::from_secs(5);

/// How many pods a refusal names.
const NAMED: usize = 3;

/// What happens to a pod of the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is evicted.
    Evict,
    /// It stays: a DaemonSet would create it again, or the kubelet alone manages it.
    Stay,
    /// The drain is refused: no workload would create it again.
    Unmanaged,
    /// The drain is refused: data in an emptyDir would be lost.
    LocalData,
}

/// What happens to a pod, by the rules of `kubectl drain` without flags, with `--ignore-daemonsets`.
fn fate(pod: &Value) -> Fate {
    let text = |pointer: &str| {
        pod.pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let is_mirror = pod
        .pointer("/metadata/annotations/kubernetes.io~1config.mirror")
        .is_some();
    let owners = pod
        .pointer("/metadata/ownerReferences")
        .and_then(Value::as_array);
    let controller = owners.and_then(|owners| {
        let mut owners = owners.iter();
        owners.find(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true))
    });
    let kind = controller
        .and_then(|owner| owner.get("kind"))
        .and_then(Value::as_str);
    let volumes = pod.pointer("/spec/volumes").and_then(Value::as_array);
    let has_local_data = volumes.is_some_and(|volumes| {
        volumes
            .iter()
            .any(|volume| volume.get("emptyDir").is_some())
    });
    let is_over = matches!(text("/status/phase"), "Succeeded" | "Failed");
    if is_mirror || kind == Some("DaemonSet") {
        Fate::Stay
    } else if is_over {
        Fate::Evict
    } else if kind.is_none() {
        Fate::Unmanaged
    } else if has_local_data {
        Fate::LocalData
    } else {
        Fate::Evict
    }
}

/// The namespace and name of a pod.
fn name(pod: &Value) -> (String, String) {
    let text = |pointer: &str| {
        pod.pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    (text("/metadata/namespace"), text("/metadata/name"))
}

/// Why the node is not drained.
fn refusal(pods: &[Value]) -> Option<String> {
    let of = |fate_of: Fate| {
        let pods = pods.iter().filter(|pod| fate(pod) == fate_of).map(name);
        pods.map(|(namespace, name)| format!("{namespace}/{name}"))
            .collect::<Vec<_>>()
    };
    let say = |names: Vec<String>, why: &str, flag: &str| {
        let more = names.len().saturating_sub(NAMED);
        let named = names
            .get(..NAMED.min(names.len()))
            .unwrap_or_default()
            .join(", ");
        let rest = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        (!names.is_empty()).then(|| format!("{named}{rest} {why} (kubectl drain {flag} does it)"))
    };
    let unmanaged = say(
        of(Fate::Unmanaged),
        "would be lost: no workload manages it",
        "--force",
    );
    let local = say(
        of(Fate::LocalData),
        "would lose the data of an emptyDir",
        "--delete-emptydir-data",
    );
    unmanaged.or(local)
}

/// The result of a cancelled drain.
fn cancelled_text(node: &str, progress: &DrainProgress) -> String {
    let done = progress.text();
    format!(
        "cancelled the drain of Node {node}: {done}; these stay evicted, and the node stays cordoned"
    )
}

impl Direct {
    /// Drains a node, and reports the progress. Once cancelled, it evicts no other pod.
    pub(super) async fn drain(&self, node: &Name, mut cancelled: watch::Receiver<bool>) {
        let (text, bad) = match self.try_drain(node, &mut cancelled).await {
            Ok(text) => (text, false),
            Err(text) => (format!("cannot drain Node {node}: {text}"), true),
        };
        let message = Message::Drained(Name::clone(node), text, bad);
        self.sender.send(message).await;
    }

    /// Returns the result in words.
    async fn try_drain(
        &self,
        node: &Name,
        cancelled: &mut watch::Receiver<bool>,
    ) -> Result<String, String> {
        let failed = |error: Error| error.fault().text;
        let mut progress = DrainProgress::default();
        self.progress(node, &progress).await;
        self.cordon(node, true).await.map_err(failed)?;
        let pods = self.pods_on(node).await.map_err(|error| {
            format!("it is cordoned, but no pod was evicted: {}", failed(error))
        })?;
        if let Some(why) = refusal(&pods) {
            return Err(format!("it is cordoned, but no pod was evicted: {why}"));
        }
        let mut left: BTreeSet<(String, String)> = pods
            .iter()
            .filter(|pod| fate(pod) == Fate::Evict)
            .map(name)
            .collect();
        progress.total = Some(left.len());
        self.progress(node, &progress).await;
        while !left.is_empty() {
            let mut waits = None;
            for pod in left.clone() {
                if *cancelled.borrow() {
                    return Ok(cancelled_text(node, &progress));
                }
                match self.evict(&pod).await {
                    Ok(()) | Err(Error::Server(Failure { code: 404, .. })) => {
                        left.remove(&pod);
                        progress.evicted += 1;
                        self.progress(node, &progress).await;
                    }
                    // Its budget does not allow it now.
                    Err(Error::Server(Failure {
                        code: 429, message, ..
                    })) => {
                        waits.get_or_insert_with(|| format!("{}/{}: {message}", pod.0, pod.1));
                    }
                    Err(error) => {
                        let (why, done) = (error.fault().text, progress.text());
                        let (namespace, name) = &pod;
                        return Err(format!(
                            "{namespace}/{name}: {why}; {done}, and the node stays cordoned"
                        ));
                    }
                }
            }
            progress.waits_for = waits;
            if progress.waits_for.is_some() {
                self.progress(node, &progress).await;
                tokio::select! {
                    () = self.sender.sleep(AGAIN) => {}
                    Ok(_) = cancelled.wait_for(|cancelled| *cancelled) => {}
                }
            }
        }
        Ok(format!(
            "drained Node {node}: {} evicted",
            format::count(progress.evicted, "pod")
        ))
    }

    async fn progress(&self, node: &Name, progress: &DrainProgress) {
        let message = Message::Draining(Name::clone(node), progress.clone());
        self.sender.send(message).await;
    }

    async fn evict(&self, (namespace, name): &(String, String)) -> Result<(), Error> {
        let body = json!({
            "apiVersion": "policy/v1", "kind": "Eviction",
            "metadata": {"namespace": namespace, "name": name},
        });
        let path = format!(
            "/api/v1/namespaces/{}/pods/{}/eviction",
            escaped(namespace),
            escaped(name)
        );
        let about = About {
            resource: "pods",
            name,
        };
        self.write(Method::POST, &path, &body, about).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_are_evicted_by_the_rules_of_kubectl() {
        let owned = |kind: &str| json!([{"kind": kind, "controller": true}]);
        for (pod, expected) in [
            (
                json!({"metadata": {"ownerReferences": owned("ReplicaSet")}}),
                Fate::Evict,
            ),
            (
                json!({"metadata": {"ownerReferences": owned("DaemonSet")}, "spec": {"volumes": [{"emptyDir": {}}]}}),
                Fate::Stay,
            ),
            (
                json!({"metadata": {"annotations": {"kubernetes.io/config.mirror": "x"}}}),
                Fate::Stay,
            ),
            (json!({"metadata": {}}), Fate::Unmanaged),
            (
                json!({"metadata": {"ownerReferences": [{"kind": "ReplicaSet"}]}}),
                Fate::Unmanaged,
            ),
            (
                json!({"metadata": {}, "status": {"phase": "Succeeded"}}),
                Fate::Evict,
            ),
            (
                json!({"metadata": {"ownerReferences": owned("Job")}, "spec": {"volumes": [{"emptyDir": {}}]}}),
                Fate::LocalData,
            ),
        ] {
            assert_eq!(fate(&pod), expected, "{pod}");
        }
    }

    #[test]
    fn a_refusal_names_pods_and_what_kubectl_can_do() {
        let pod = |name: &str| json!({"metadata": {"namespace": "shop", "name": name}});
        let pods: Vec<Value> = ["a", "b", "c", "d"].map(pod).to_vec();
        let text = refusal(&pods).unwrap();
        assert_eq!(
            text,
            "shop/a, shop/b, shop/c and 1 more would be lost: no workload manages it (kubectl drain --force does it)"
        );
        assert_eq!(refusal(&[]), None);
    }
}
