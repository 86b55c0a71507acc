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

/// `cpu: 12%/80%`: the current and the target value of one metric.
fn target(metric: &Value, current: Option<&Value>) -> String {
    let kind = metric.text("/type");
    // The member named after the type: Resource → resource, ContainerResource → containerResource.
    let (first, rest) = kind.split_at_checked(1).unwrap_or_default();
    let member = first.to_ascii_lowercase() + rest;
    let Some(spec) = metric.at(&format!("/{member}")) else {
        return "<unknown type>".to_owned();
    };
    let current = current.and_then(|it| it.at(&format!("/{member}/current")));
    let value = |of: Option<&Value>| match of {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "<unknown>".to_owned(),
    };
    let now = |pointer| current.and_then(|it| it.at(pointer));
    let is_resource = matches!(kind, "Resource" | "ContainerResource");
    let text = if let Some(target) = spec.at("/target/averageUtilization") {
        let percent = now("/averageUtilization").map(|it| json!(format!("{it}%")));
        format!("{}/{target}%", value(percent.as_ref()))
    } else if let target @ Some(_) = spec.at("/target/averageValue") {
        let plain = is_resource || kind == "Pods";
        let suffix = if plain { "" } else { " (avg)" };
        format!("{}/{}{suffix}", value(now("/averageValue")), value(target))
    } else {
        format!(
            "{}/{}",
            value(now("/value")),
            value(spec.at("/target/value"))
        )
    };
    match is_resource {
        true => format!("{}: {text}", spec.text("/name")),
        false => text,
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
