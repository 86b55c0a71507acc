//! Compares the converted pods and events of a recording of six minutes with their JSON.

use kubevitals_proto::objects::{Pools, WireEvent, WirePod};
use kubevitals_proto::time::Timestamp;
use serde_json::Value;

use super::{Ended, Event, Pod, Role, State, Uid};
use crate::intern::Interner;

const STEPS: usize = 24;

fn items(step: usize, what: &str) -> Vec<Value> {
    let path = kubevitals_sim::fixtures().join(format!("recording/{step:02}-{what}.json"));
    let list: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    list["items"].as_array().unwrap().clone()
}

fn seconds(text: &str) -> u32 {
    let time = text.parse::<Timestamp>();
    time.map_or(0, |time| u32::try_from(time.as_secs()).unwrap())
}

/// The text at a pointer; empty if there is none.
fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn number(value: &Value, pointer: &str) -> i64 {
    value
        .pointer(pointer)
        .and_then(Value::as_i64)
        .unwrap_or_default()
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn condition<'a>(pod: &'a Value, kind: &str) -> &'a Value {
    let mut all = list(pod, "/status/conditions").iter();
    all.find(|it| it["type"] == kind).unwrap_or(&Value::Null)
}

fn assert_pod_matches(pod: &Pod, json: &Value) {
    let meta = |member: &str| text(json, &format!("/metadata/{member}"));
    assert_eq!(&*pod.key.name, meta("name"));
    assert_eq!(&*pod.key.namespace, meta("namespace"));
    assert_eq!(pod.uid.to_string(), meta("uid"));
    assert_eq!(pod.created_seconds, seconds(meta("creationTimestamp")));
    assert_eq!(pod.deleted_seconds, seconds(meta("deletionTimestamp")));
    assert_eq!(
        serde_json::to_value(&pod.labels).unwrap(),
        json["metadata"]["labels"]
    );
    let owner = &json["metadata"]["ownerReferences"][0];
    assert_eq!(
        pod.owner
            .as_deref()
            .map(|owner| (&*owner.kind, &*owner.name)),
        owner["kind"].as_str().zip(owner["name"].as_str())
    );
    assert_eq!(
        pod.node.as_deref().unwrap_or_default(),
        text(json, "/spec/nodeName")
    );
    assert_eq!(pod.phase.as_str(), text(json, "/status/phase"));
    assert_eq!(
        pod.started_seconds,
        seconds(text(json, "/status/startTime"))
    );
    assert_eq!(pod.reason(), json["status"]["reason"].as_str());
    let ready = condition(json, "Ready");
    assert_eq!(pod.ready.status, ready["status"] == "True");
    assert_eq!(
        pod.ready.since_seconds,
        seconds(text(ready, "/lastTransitionTime"))
    );
    assert_eq!(
        pod.initialized,
        condition(json, "Initialized")["status"] == "True"
    );
    assert!(!pod.gated);

    let inits = list(json, "/spec/initContainers");
    let specs: Vec<&Value> = inits.iter().chain(list(json, "/spec/containers")).collect();
    assert_eq!(pod.containers.len(), specs.len());
    for ((spec, status), (at, json_spec)) in pod.containers().zip(specs.iter().enumerate()) {
        assert_eq!(&*spec.name, text(json_spec, "/name"));
        let role = match (at < inits.len(), json_spec["restartPolicy"] == "Always") {
            (true, true) => Role::Sidecar,
            (true, false) => Role::Init,
            (false, _) => Role::App,
        };
        assert_eq!(spec.role, role);
        for (amounts, member) in [(&spec.requests, "requests"), (&spec.limits, "limits")] {
            let amount = |resource: &str, unit: &str| {
                let amount = text(json_spec, &format!("/resources/{member}/{resource}"));
                let number = amount.strip_suffix(unit);
                number.map(|it| it.parse::<u64>().unwrap())
            };
            let memory = amount("memory", "Mi").map(|it| it << 20);
            assert_eq!(amounts.memory.map(|it| it.0), memory);
            let cpu = amount("cpu", "m").map(|it| it * 1_000_000);
            assert_eq!(amounts.cpu.map(|it| it.0), cpu);
        }
        for (probe, member) in [
            (&spec.liveness, "livenessProbe"),
            (&spec.readiness, "readinessProbe"),
            (&spec.startup, "startupProbe"),
        ] {
            let json = json_spec.get(member);
            assert_eq!(probe.is_some(), json.is_some(), "{member}");
            let (Some(probe), Some(json)) = (probe, json) else {
                continue;
            };
            // The API server has filled in its defaults.
            for (read, member) in [
                (probe.period, "/periodSeconds"),
                (probe.timeout, "/timeoutSeconds"),
                (probe.success_threshold, "/successThreshold"),
                (probe.failure_threshold, "/failureThreshold"),
                (probe.initial_delay, "/initialDelaySeconds"),
            ] {
                assert_eq!(i64::from(read), number(json, member), "{member}");
            }
        }
        let statuses = if spec.role.is_init() {
            "/status/initContainerStatuses"
        } else {
            "/status/containerStatuses"
        };
        let json = list(json, statuses)
            .iter()
            .find(|it| it["name"] == *spec.name);
        assert_eq!(status.is_reported(), json.is_some());
        let Some(json) = json else { continue };
        assert_eq!(status.ready, json["ready"] == true);
        assert_eq!(status.started, json["started"] == true);
        assert_eq!(i64::from(status.restarts), number(json, "/restartCount"));
        let state = &json["state"];
        match &status.state {
            State::Running { since_seconds } => {
                assert_eq!(*since_seconds, seconds(text(state, "/running/startedAt")));
            }
            State::Terminated(ended) => assert_termination_matches(ended, &state["terminated"]),
            State::Waiting(waiting) => {
                let waiting = waiting.as_ref().unwrap();
                assert_eq!(
                    waiting.reason.as_deref(),
                    state["waiting"]["reason"].as_str()
                );
                assert_eq!(
                    waiting.message.as_deref(),
                    state["waiting"]["message"].as_str()
                );
            }
        }
        let last = json["lastState"].get("terminated");
        assert_eq!(status.last.is_some(), last.is_some());
        if let (Some(ended), Some(json)) = (&status.last, last) {
            assert_termination_matches(ended, json);
        }
    }
}

fn assert_termination_matches(ended: &Ended, json: &Value) {
    assert_eq!(i64::from(ended.exit_code), number(json, "/exitCode"));
    assert_eq!(i64::from(ended.signal), number(json, "/signal"));
    assert_eq!(ended.reason.as_deref(), json["reason"].as_str());
    assert_eq!(ended.message.as_deref(), json["message"].as_str());
    assert_eq!(ended.started_seconds, seconds(text(json, "/startedAt")));
    assert_eq!(ended.finished_seconds, seconds(text(json, "/finishedAt")));
}

#[test]
fn every_field_of_every_pod_equals_the_json() {
    let (mut pods, mut ended) = (0, 0);
    for step in 1..=STEPS {
        for json in items(step, "pods") {
            let pod: WirePod = serde_json::from_value(json.clone()).unwrap();
            let pod = pod.convert(&Pools::default()).unwrap();
            assert_pod_matches(&pod, &json);
            pods += 1;
            ended += pod.containers.iter().filter(|it| it.last.is_some()).count();
        }
    }
    assert!(
        pods > 150 && ended > 40,
        "{pods} pods, {ended} terminations"
    );
}

#[test]
fn every_field_of_every_event_of_a_pod_equals_the_json() {
    let mut events = 0;
    for json in (1..=STEPS).flat_map(|step| items(step, "events")) {
        let event: WireEvent = serde_json::from_value(json.clone()).unwrap();
        let Some(event) = event.convert(&Interner::default()) else {
            assert_ne!(json["involvedObject"]["kind"], "Pod");
            continue;
        };
        let Event {
            pod, first, last, ..
        } = &event;
        assert_eq!(&*pod.name, text(&json, "/involvedObject/name"));
        assert_eq!(&*pod.namespace, text(&json, "/involvedObject/namespace"));
        assert_eq!(event.pod_uid, Uid::of(text(&json, "/involvedObject/uid")));
        assert_eq!(event.uid, Uid::of(text(&json, "/metadata/uid")));
        let path = text(&json, "/involvedObject/fieldPath");
        match event.container.as_deref() {
            Some(container) => assert!(path.ends_with(&format!("ontainers{{{container}}}"))),
            None => assert_eq!(path, ""),
        }
        assert_eq!(&*event.reason, text(&json, "/reason"));
        assert_eq!(&*event.message, text(&json, "/message"));
        assert_eq!(event.warning, json["type"] == "Warning");
        assert_eq!(i64::from(event.count), number(&json, "/count").max(1));
        let or_event_time = |member: &str| match text(&json, member) {
            "" => text(&json, "/eventTime").to_owned(),
            time => time.to_owned(),
        };
        assert_eq!(*first, or_event_time("/firstTimestamp").parse().unwrap());
        assert_eq!(*last, or_event_time("/lastTimestamp").parse().unwrap());
        assert_eq!(&*event.component, text(&json, "/reportingComponent"));
        events += 1;
    }
    assert!(events > 1000, "{events}");
}
