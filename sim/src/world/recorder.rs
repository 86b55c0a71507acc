//! Events as the components' recorders write them: counted when they repeat, fewer when they are many.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use kubevitals_proto::time::Timestamp;
use serde_json::{Value, json};

use super::catalog::is_init;
use super::epoch::SECOND;
use super::hash::{hash, uid};
use super::node::Node;
use super::pod::Pod;
use super::workload::Workload;
use crate::members::Members;
use crate::objects::{Resource, Store};

/// The retention of an event (`--event-ttl` of kube-apiserver).
pub(super) const EVENT_TTL: i64 = 3_600 * SECOND;
/// A recorder's allowance for one object: so many at once, then one in so many seconds.
const BURST: f64 = 25.0;
const REFILL: f64 = 300.0;

/// What an event is about, and who says it.
#[derive(Clone, Debug)]
pub(super) struct About {
    involved: Value,
    namespace: String,
    name: String,
    component: &'static str,
    host: String,
}

impl About {
    fn new(involved: Value, component: &'static str, host: &str) -> Self {
        Self {
            // Events about objects without a namespace are in `default`.
            namespace: involved.text_or("/namespace", "default").to_owned(),
            name: involved.text("/name").to_owned(),
            involved,
            component,
            host: host.to_owned(),
        }
    }

    /// A kubelet, of a container.
    pub(super) fn container(node: &Node, pod: &Pod, c: usize) -> Self {
        let mut this = Self::pod(node, pod);
        if let Some(container) = pod.containers.get(c) {
            let list = match is_init(container.spec) {
                true => "initContainers",
                false => "containers",
            };
            let path = format!("spec.{list}{{{}}}", container.spec.name);
            this.involved.put("fieldPath", path);
        }
        this
    }

    /// A kubelet, of a pod.
    pub(super) fn pod(node: &Node, pod: &Pod) -> Self {
        Self::new(involved_pod(pod), "kubelet", &node.name)
    }

    /// A controller, of a pod.
    pub(super) fn pod_by(component: &'static str, pod: &Pod) -> Self {
        Self::new(involved_pod(pod), component, "")
    }

    /// The node controller, or the node's kubelet, of a node.
    pub(super) fn node(node: &Node, by_kubelet: bool) -> Self {
        let involved =
            json!({"kind": "Node", "apiVersion": "v1", "name": &*node.name, "uid": node.uid});
        match by_kubelet {
            true => Self::new(involved, "kubelet", &node.name),
            false => Self::new(involved, "node-controller", ""),
        }
    }

    /// A controller, of a workload or its replicaset.
    pub(super) fn owner(
        component: &'static str,
        kind: &str,
        workload: &Workload,
        name: &str,
        uid: &str,
    ) -> Self {
        let involved = json!({
            "kind": kind, "apiVersion": "apps/v1", "namespace": &*workload.namespace, "name": name, "uid": uid,
        });
        Self::new(involved, component, "")
    }
}

fn involved_pod(pod: &Pod) -> Value {
    json!({
        "kind": "Pod", "apiVersion": "v1", "namespace": &*pod.revision.namespace, "name": &*pod.name, "uid": &*pod.uid,
    })
}

/// An event that was written.
#[derive(Debug)]
struct Recorded {
    namespace: String,
    name: String,
    count: u32,
    first: Timestamp,
    last: Timestamp,
}

/// What the recorders remember.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    events: HashMap<u64, Recorded>,
    /// What is left of an object's allowance, and when that was so.
    allowances: HashMap<u64, (f64, Timestamp)>,
}

impl Recorder {
    /// Whether one more event about an object may be written.
    fn allows(&mut self, object: u64, at: Timestamp) -> bool {
        let (left, since) = self.allowances.entry(object).or_insert((BURST, at));
        *left = (*left + at.since(*since) as f64 / 1e9 / REFILL).min(BURST);
        *since = at;
        let allowed = *left >= 1.0;
        if allowed {
            *left -= 1.0;
        }
        allowed
    }

    /// Writes an event, or counts it if it was written before. When it is new, returns its key, by which it expires.
    pub(super) fn write(
        &mut self,
        store: &Store,
        at: Timestamp,
        about: &About,
        kind: &str,
        reason: &str,
        message: &str,
    ) -> Option<u64> {
        let object = fingerprint((about.component, &about.namespace, &about.name));
        if !self.allows(object, at) {
            return None;
        }
        let (component, involved) = (about.component, about.involved.to_string());
        let key = fingerprint((component, &about.host, involved, kind, reason, message));
        let repeated = self.events.contains_key(&key);
        let event = self.events.entry(key).or_insert_with(|| Recorded {
            namespace: about.namespace.clone(),
            // The recorder's own form: the object's name and the time in hexadecimal.
            name: format!(
                "{}.{:x}",
                about.name,
                at.as_nanos().wrapping_add((key & 0xfff).cast_signed())
            ),
            count: 0,
            first: at,
            last: at,
        });
        event.count += 1;
        event.last = at;
        let host = (!about.host.is_empty()).then_some(&about.host);
        store.apply(
            Resource::Events,
            json!({
                "metadata": {
                    "name": event.name,
                    "namespace": event.namespace,
                    "uid": uid(hash(key, 5)),
                    "creationTimestamp": event.first,
                },
                "involvedObject": about.involved,
                "reason": reason,
                "message": message,
                "source": json!({"component": about.component, "host": host}).without_nulls(),
                "firstTimestamp": event.first,
                "lastTimestamp": event.last,
                "count": event.count,
                "type": kind,
                "eventTime": null,
                "reportingComponent": about.component,
                "reportingInstance": about.host,
            }),
        );
        (!repeated).then_some(key)
    }

    /// Deletes an event that was not repeated within its retention; returns when to try again if it was
    /// repeated.
    pub(super) fn expire(&mut self, store: &Store, at: Timestamp, key: u64) -> Option<Timestamp> {
        let event = self.events.get(&key)?;
        let until = event.last.plus_nanos(EVENT_TTL);
        if until > at {
            return Some(until);
        }
        store.delete(Resource::Events, Some(&event.namespace), &event.name);
        self.events.remove(&key);
        // An allowance that has had time to fill up again is as good as none.
        self.allowances
            .retain(|_, (_, since)| at.since(*since) < EVENT_TTL * 2);
        None
    }
}

fn fingerprint(what: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_one_object_are_rate_limited() {
        let mut recorder = Recorder::default();
        let written = |recorder: &mut Recorder, from: i64, to: i64| {
            (from..to)
                .filter(|s| recorder.allows(1, Timestamp::from_secs(*s)))
                .count()
        };
        assert_eq!(written(&mut recorder, 0, 25), 25);
        assert_eq!(written(&mut recorder, 25, 1_525), 5);
        assert!(
            recorder.allows(2, Timestamp::from_secs(1_525)),
            "another object has its own"
        );
    }
}
