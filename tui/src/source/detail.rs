//! The page of a pod, from its object and its events.

use kubevitals_proto::objects::{Event, Pools, WireCondition, WirePod};
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Evidence, PodVitals, Probe};

use crate::model::{self, Condition, Detail};

/// Conditions and probes from the pod's object. The events are added later.
pub(super) fn detail(pod: WirePod, pools: &Pools, now: Timestamp) -> Detail {
    let conditions = pod.conditions().map(Condition::from).collect();
    let mut probes = Vec::new();
    // No API server sends a pod without a name.
    if let Some(pod) = pod.convert(pools) {
        for (spec, status) in pod.containers() {
            probes.extend(spec.probes().map(|(kind, probe)| Probe {
                container: spec.name.to_string(),
                kind,
                status: probe.status(kind, status, now),
                failures: 0,
                threshold: probe.failure_threshold,
                since: None,
                message: String::new(),
                asks: probe.description.to_string(),
            }));
        }
    }
    Detail {
        pod: PodVitals {
            probes,
            ..PodVitals::default()
        },
        conditions,
        events: Vec::new(),
    }
}

impl From<&WireCondition> for Condition {
    fn from(condition: &WireCondition) -> Self {
        Self {
            kind: condition.kind.clone(),
            status: condition.status.clone(),
            reason: condition.reason.clone(),
            message: condition.message.clone(),
            since: condition.since(),
        }
    }
}

impl From<Event> for model::Event {
    fn from(event: Event) -> Self {
        let kind = if event.warning { "Warning" } else { "Normal" };
        Self {
            kind: kind.to_owned(),
            reason: event.reason.to_string(),
            message: Evidence::of_event(&event.message).into_owned(),
            count: event.count.into(),
            last: (event.last != Timestamp::default()).then_some(event.last),
        }
    }
}

#[cfg(test)]
mod tests {
    use kubevitals_proto::objects::WireEvent;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_has_conditions_and_probes() {
        let pod = serde_json::from_value(json!({
            "metadata": {"namespace": "shop", "name": "web"},
            "spec": {"containers": [{"name": "web",
                "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080, "scheme": "HTTP"}, "failureThreshold": 2},
                "livenessProbe": {"exec": {"command": ["cat", "x"]}}}]},
            "status": {"conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": "2026-11-21T05:00:00Z"}]},
        }))
        .unwrap();
        let detail = detail(pod, &Pools::default(), Timestamp::default());
        let actions: Vec<&str> = detail
            .pod
            .probes
            .iter()
            .map(|it| it.asks.as_str())
            .collect();
        assert_eq!(
            actions,
            [
                "exec [cat x] delay=0s timeout=1s period=10s #success=1 #failure=3",
                "http-get http://:8080/ready delay=0s timeout=1s period=10s #success=1 #failure=2",
            ]
        );
        assert_eq!(
            detail.conditions[0].since,
            "2026-11-21T05:00:00Z".parse().ok()
        );
    }

    #[test]
    fn the_last_time_of_an_event_comes_from_its_series() {
        let event: WireEvent = serde_json::from_str(
            r#"{"involvedObject":{"kind":"Pod","namespace":"shop","name":"web"},"type":"Warning","reason":"BackOff","count":3,
                "lastTimestamp":null,"eventTime":"2026-11-21T05:00:00.000000Z",
                "series":{"count":9,"lastObservedTime":"2026-11-21T05:10:00.000000Z"}}"#,
        )
        .unwrap();
        let event = model::Event::from(event.convert(&Pools::default().names).unwrap());
        assert_eq!(
            (event.count, event.last),
            (9, "2026-11-21T05:10:00Z".parse().ok())
        );
    }
}
