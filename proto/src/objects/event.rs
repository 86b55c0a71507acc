//! Events about pods.

use std::sync::Arc;

use crate::time::Timestamp;

use super::intern::Interner;
use super::metadata::{self, WireMeta};
use super::protobuf::message;
use super::text::{WireTime, named};
use super::{PodKey, Uid, text};

/// The field selector of the events that are requested: events about pods, without the reasons that every healthy pod
/// has. Those are most of the events.
pub const SELECTOR: &str = "involvedObject.kind=Pod,reason!=Scheduled,reason!=Pulling,reason!=Pulled,\
    reason!=Created,reason!=Started,reason!=SuccessfulAttachVolume,reason!=Nominated,reason!=TriggeredScaleUp,\
    reason!=NotTriggerScaleUp";

/// The maximum length of an object's name. The API server does not validate the names in an event.
const LONGEST_NAME: usize = 253;

/// An event about a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The event's own UID. A repeated event has the same UID and a higher count.
    pub uid: Uid,
    /// The pod.
    pub pod: PodKey,
    /// The pod's UID, if the event has it.
    pub pod_uid: Uid,
    /// The container, if the event is about one.
    pub container: Option<Arc<str>>,
    /// Whether the event is a warning.
    pub warning: bool,
    /// `Unhealthy`, `Killing`, `BackOff`, …
    pub reason: Arc<str>,
    /// The message, cut to 1 KiB.
    pub message: Box<str>,
    /// The number of occurrences.
    pub count: u32,
    /// The first occurrence, or the earliest known one.
    pub first: Timestamp,
    /// The last occurrence.
    pub last: Timestamp,
    /// The component that reports the event: `kubelet`, `taint-eviction-controller`, …
    pub component: Arc<str>,
    /// The node of the component; empty if the component is not part of a node.
    pub host: Arc<str>,
}

message! {
    /// An event on the wire: core/v1. The API server converts events of events.k8s.io/v1.
    pub struct WireEvent {
        /// The metadata.
        pub metadata: WireMeta = 1,
        involved_object: Option<WireInvolved> = 2,
        #[serde(rename = "type")]
        kind: String = 9,
        reason: String = 3,
        message: String = 4,
        count: i64 = 8,
        first_timestamp: WireTime = 6,
        last_timestamp: WireTime = 7,
        event_time: WireTime = 10,
        series: Option<WireSeries> = 11,
        reporting_component: String = 14,
        reporting_instance: String = 15,
        source: Option<WireSource> = 5,
    }
}
metadata::item!(WireEvent, "/api/v1/events");

message! {
    struct WireInvolved {
        kind: String = 1,
        namespace: String = 2,
        name: String = 3,
        uid: String = 4,
        field_path: String = 7,
    }

    struct WireSeries {
        count: i64 = 1,
        last_observed_time: WireTime = 2,
    }

    struct WireSource {
        component: String = 1,
        host: String = 2,
    }
}

impl WireEvent {
    /// Converts the event. Returns `None` if it is not about a pod of its own namespace.
    pub fn convert(self, names: &Interner) -> Option<Event> {
        self.convert_about("Pod", names)
    }

    /// Converts the event, with the object's key in place of the pod's. Returns `None` if it is not about an object of
    /// this kind and of its own namespace.
    pub fn convert_about(self, kind: &str, names: &Interner) -> Option<Event> {
        let own = named(&self.metadata.namespace);
        let involved = self.involved_object.filter(|it| {
            let named = !it.name.is_empty() && it.name.len() <= LONGEST_NAME;
            it.kind == kind && named && own.is_none_or(|own| own == it.namespace)
        })?;
        let series = self.series.unwrap_or_default();
        let created = text::time(self.metadata.creation_timestamp.seconds());
        let event_time = self.event_time.0;
        let first = self.first_timestamp.0.or(event_time).or(created);
        let last = (series.last_observed_time.0)
            .or(self.last_timestamp.0)
            .or(event_time)
            .or(created)
            .or(first)
            .unwrap_or_default();
        // Recorders of events.k8s.io/v1 leave the source empty, and old ones of core/v1 the reporting component.
        let source = self.source.unwrap_or_default();
        let word = |first: String, second: String| {
            let mut word = if first.is_empty() { second } else { first };
            text::cut(&mut word);
            names.intern(&word)
        };
        let component = word(self.reporting_component, source.component);
        let host = word(self.reporting_instance, source.host);
        Some(Event {
            uid: Uid::of(&self.metadata.uid),
            pod: names.key(&involved.namespace, &involved.name),
            pod_uid: Uid::of(&involved.uid),
            container: container(&involved.field_path).map(|name| names.intern(name)),
            warning: self.kind == "Warning",
            reason: word(self.reason, String::new()),
            message: text::message(self.message).unwrap_or_default(),
            count: u32::try_from(self.count.max(series.count).max(1)).unwrap_or(u32::MAX),
            first: first.unwrap_or(last),
            last,
            component,
            host,
        })
    }
}

/// The container that `spec.containers{web}` or `spec.initContainers{setup}` is about.
fn container(path: &str) -> Option<&str> {
    let name = path
        .strip_prefix("spec.containers{")
        .or_else(|| path.strip_prefix("spec.initContainers{"))?;
    let name = name.strip_suffix('}')?;
    (!name.is_empty() && name.len() <= LONGEST_NAME).then_some(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn convert(event: serde_json::Value) -> Option<Event> {
        serde_json::from_value::<WireEvent>(event)
            .unwrap()
            .convert(&Interner::default())
    }

    #[test]
    fn an_old_recorders_event_is_read() {
        let event = convert(json!({
            "metadata": {"name": "web-1.18e9", "namespace": "shop", "uid": "df4c2ad8-919c-4785-8f67-13638239f208",
                "creationTimestamp": "1970-01-01T00:00:05Z"},
            "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web-1", "fieldPath": "spec.containers{web}",
                "uid": "dbe5842e-0978-4422-a9fa-8026a53c65dd"},
            "type": "Warning", "reason": "Unhealthy", "message": "Liveness probe failed: …", "count": 4,
            "firstTimestamp": "1970-01-01T00:00:04Z", "lastTimestamp": "1970-01-01T00:00:09Z", "eventTime": null,
            "reportingComponent": "kubelet", "source": {"component": "kubelet", "host": "n1"},
        }))
        .unwrap();
        assert_eq!((&*event.pod.namespace, &*event.pod.name), ("shop", "web-1"));
        assert_eq!(event.container.as_deref(), Some("web"));
        assert_eq!(
            (&*event.reason, event.warning, event.count),
            ("Unhealthy", true, 4)
        );
        assert_eq!(event.first, Timestamp::from_secs(4));
        assert_eq!(event.last, Timestamp::from_secs(9));
        assert_eq!((&*event.component, &*event.host), ("kubelet", "n1"));
        assert!(event.uid.is_some() && event.pod_uid.is_some());
    }

    #[test]
    fn a_new_recorders_event_has_its_own_times_and_counts() {
        let involved = json!({"kind": "Pod", "namespace": "shop", "name": "web-1"});
        let mut event = json!({
            "metadata": {"creationTimestamp": "1970-01-01T00:00:05Z"}, "involvedObject": involved, "type": "Normal",
            "eventTime": "1970-01-01T00:00:04.5Z", "firstTimestamp": null, "lastTimestamp": null,
        });
        let once = convert(event.clone()).unwrap();
        assert_eq!(
            (once.first, once.last),
            (Timestamp::from_millis(4500), Timestamp::from_millis(4500))
        );
        assert_eq!((once.count, once.warning), (1, false));
        event["series"] = json!({"count": 7, "lastObservedTime": "1970-01-01T00:01:00.000000Z"});
        let again = convert(event).unwrap();
        assert_eq!((again.count, again.last), (7, Timestamp::from_secs(60)));
        assert_eq!(again.first, Timestamp::from_millis(4500));
    }

    #[test]
    fn an_event_that_is_not_about_a_pod_is_dropped() {
        for involved in [
            json!(null),
            json!({"kind": "Node", "name": "n1"}),
            json!({"kind": "Pod"}),
        ] {
            assert!(convert(json!({"metadata": {}, "involvedObject": involved})).is_none());
        }
    }

    #[test]
    fn an_event_counts_only_in_its_own_namespace_and_its_texts_are_bounded() {
        let event = |own: &str, name: &str| {
            json!({
                "metadata": {"namespace": own}, "reason": "r".repeat(5000), "message": "m".repeat(5000), "count": -3,
                "involvedObject": {"kind": "Pod", "namespace": "shop", "name": name},
                "lastTimestamp": "9999-12-31T23:59:59Z", "source": {"component": "c".repeat(5000)},
            })
        };
        assert!(convert(event("other", "web-1")).is_none());
        assert!(convert(event("shop", &"x".repeat(254))).is_none());
        let event = convert(event("shop", "web-1")).unwrap();
        assert!(
            event.reason.len() <= 1024
                && event.message.len() <= 1024
                && event.component.len() <= 1024
        );
        assert_eq!(event.count, 1, "a negative count is none");
    }

    #[test]
    fn the_container_is_in_the_field_path() {
        for (path, expected) in [
            ("spec.containers{web}", Some("web")),
            ("spec.initContainers{setup}", Some("setup")),
            ("spec.ephemeralContainers{debug}", None),
            ("spec.containers{}", None),
            ("spec.containers{web", None),
            ("", None),
        ] {
            assert_eq!(container(path), expected, "{path}");
        }
    }
}
