//! Horizontal pod autoscalers.

use kubevitals_proto::time::Timestamp;
use serde_json::{Value, json};

use crate::members::Members;

/// `KIND/NAME` of the resource that is scaled.
pub(super) fn reference(hpa: &Value, _now: Timestamp) -> Value {
    let target = |member| hpa.text(member);
    let (kind, name) = (
        target("/spec/scaleTargetRef/kind"),
        target("/spec/scaleTargetRef/name"),
    );
    json!(format!("{kind}/{name}"))
}

/// `cpu: 12%/80%, …`: the first two metrics, and how many more.
pub(super) fn targets(hpa: &Value, _now: Timestamp) -> Value {
    let current = hpa.list("/status/currentMetrics");
    let metrics = hpa.list("/spec/metrics").iter().enumerate();
    let texts: Vec<String> = metrics.map(|(i, m)| target(m, current.get(i))).collect();
    match texts.as_slice() {
        [] => json!("<none>"),
        [first, second, rest @ ..] if !rest.is_empty() => {
            json!(format!("{first}, {second} + {} more...", rest.len()))
        }
        all => json!(all.join(", ")),
    }
}

/// `cpu: 12%/80%`: the current and the target value of a metric. The world scales by the utilization of a resource only.
fn target(metric: &Value, current: Option<&Value>) -> String {
    let name = metric.text("/resource/name");
    let target = metric.int("/resource/target/averageUtilization");
    match current.and_then(|it| it.at("/resource/current/averageUtilization")) {
        Some(percent) => format!("{name}: {percent}%/{target}%"),
        None => format!("{name}: <unknown>/{target}%"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_have_the_current_and_the_target_value() {
        let cpu = json!({"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}});
        let targets = |hpa: &Value| targets(hpa, Timestamp::from_secs(0));
        let mut hpa = json!({"spec": {"metrics": [cpu]}});
        assert_eq!(targets(&hpa), "cpu: <unknown>/80%");
        hpa["status"] = json!({"currentMetrics": [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 12}}}]});
        assert_eq!(targets(&hpa), "cpu: 12%/80%");
        hpa["spec"]["metrics"] = json!([cpu, cpu, cpu]);
        assert_eq!(
            targets(&hpa),
            "cpu: 12%/80%, cpu: <unknown>/80% + 1 more..."
        );
    }
}
