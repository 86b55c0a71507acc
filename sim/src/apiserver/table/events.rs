//! Events.

use serde_json::{Value, json};

use super::ages::Ages;
use crate::members::Members;

pub(super) fn cells(event: &Value, ages: Ages) -> Vec<Value> {
    let first_of = |times: &[&str]| {
        let mut texts = times.iter().map(|t| event.text(t));
        texts.find(|t| !t.is_empty()).unwrap_or_default()
    };
    let first = first_of(&["/firstTimestamp", "/eventTime"]);
    let last = first_of(&[
        "/series/lastObservedTime",
        "/lastTimestamp",
        "/firstTimestamp",
        "/eventTime",
    ]);
    let count = [event.int("/series/count"), event.int("/count")]
        .into_iter()
        .find(|n| *n > 0)
        .unwrap_or(1);
    let component = event.text_or("/source/component", event.text("/reportingComponent"));
    let host = event.text_or("/source/host", event.text("/reportingInstance"));
    let source = match host {
        "" => component.to_owned(),
        host => format!("{component}, {host}"),
    };
    let kind = event.text("/involvedObject/kind").to_lowercase();
    let object = match event.text("/involvedObject/name") {
        "" => kind,
        name => format!("{kind}/{name}"),
    };
    vec![
        json!(ages.since(last)),
        json!(event.text("/type")),
        json!(event.text("/reason")),
        json!(object),
        json!(event.text("/involvedObject/fieldPath")),
        json!(source),
        json!(event.text("/message").trim()),
        json!(ages.since(first)),
        json!(count),
        event.name(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_new_events_have_the_time_when_they_were_seen() {
        let now = Ages::at("2026-01-01T00:10:00Z".parse().unwrap());
        let old = json!({
            "metadata": {"name": "e"}, "type": "Warning", "reason": "BackOff", "message": "back-off\n", "count": 4,
            "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:09:30Z", "eventTime": null,
            "involvedObject": {"kind": "Pod", "name": "a", "fieldPath": "spec.containers{c}"},
            "source": {"component": "kubelet", "host": "n1"},
        });
        let text = |v: &Value| {
            let cells: Vec<String> = cells(v, now).iter().map(Value::to_string).collect();
            cells.join("|").replace('"', "")
        };
        assert_eq!(
            text(&old),
            "30s|Warning|BackOff|pod/a|spec.containers{c}|kubelet, n1|back-off|10m|4|e"
        );
        let new = json!({"metadata": {"name": "e"}, "eventTime": "2026-01-01T00:09:00.123456Z", "involvedObject": {"kind": "Pod", "name": "a"}});
        assert!(text(&new).starts_with("60s|"), "{}", text(&new));
    }
}
