//! Horizontal pod autoscalers.

use serde_json::{Value, json};

use super::ages::Ages;
use crate::members::Members;

pub(super) fn cells(hpa: &Value, ages: Ages) -> Vec<Value> {
    let reference = format!(
        "{}/{}",
        hpa.text("/spec/scaleTargetRef/kind"),
        hpa.text("/spec/scaleTargetRef/name")
    );
    let minimum = hpa
        .at("/spec/minReplicas")
        .and_then(Value::as_i64)
        .map_or("<unset>".to_owned(), |n| n.to_string());
    vec![
        hpa.name(),
        json!(reference),
        json!(targets(hpa)),
        json!(minimum),
        json!(hpa.int("/spec/maxReplicas").to_string()),
        json!(hpa.int("/status/currentReplicas").to_string()),
        ages.of(hpa),
    ]
}

/// `cpu: 12%/80%, …`: the first two metrics, and how many more.
fn targets(hpa: &Value) -> String {
    let metrics = hpa.list("/spec/metrics");
    if metrics.is_empty() {
        return "<none>".to_owned();
    }
    let current = hpa.list("/status/currentMetrics");
    let texts: Vec<String> = metrics
        .iter()
        .enumerate()
        .map(|(i, m)| target(m, current.get(i)))
        .collect();
    match texts.as_slice() {
        [first, second, _, ..] => format!("{first}, {second} + {} more...", texts.len() - 2),
        all => all.join(", "),
    }
}

fn target(metric: &Value, current: Option<&Value>) -> String {
    let kind = metric.text("/type");
    let mut letters = kind.chars();
    // The member named after the type: Resource → resource, ContainerResource → containerResource.
    let member: String = letters
        .next()
        .map(|c| c.to_ascii_lowercase())
        .into_iter()
        .chain(letters)
        .collect();
    let (Some(spec), current) = (
        metric.at(&format!("/{member}")),
        current.and_then(|c| c.at(&format!("/{member}/current"))),
    ) else {
        return "<unknown type>".to_owned();
    };
    let is_resource = matches!(kind, "Resource" | "ContainerResource");
    let quantity = |value: Option<&Value>| match value {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "<unknown>".to_owned(),
    };
    let now = |member: &str| quantity(current.and_then(|c| c.at(member)));
    let text = if let Some(target) = spec.at("/target/averageUtilization") {
        let percent = current.and_then(|c| c.at("/averageUtilization"));
        format!(
            "{}/{target}%",
            percent.map_or("<unknown>".to_owned(), |p| format!("{p}%"))
        )
    } else if let Some(target) = spec.at("/target/averageValue") {
        let suffix = if is_resource || kind == "Pods" {
            ""
        } else {
            " (avg)"
        };
        format!(
            "{}/{}{suffix}",
            now("/averageValue"),
            quantity(Some(target))
        )
    } else {
        format!("{}/{}", now("/value"), quantity(spec.at("/target/value")))
    };
    if is_resource {
        format!("{}: {text}", spec.text("/name"))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_tell_current_and_wanted() {
        let cpu = json!({"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}});
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
