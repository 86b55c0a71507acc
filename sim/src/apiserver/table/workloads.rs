//! Deployments, replica sets, stateful sets, daemon sets.

use serde_json::{Value, json};

use super::ages::Ages;
use super::members::{Members, joined};

pub(super) fn deployment(object: &Value, ages: Ages) -> Vec<Value> {
    let mut cells = vec![
        object.name(),
        json!(format!(
            "{}/{}",
            object.int("/status/readyReplicas"),
            object.int("/spec/replicas")
        )),
        json!(object.int("/status/updatedReplicas")),
        json!(object.int("/status/availableReplicas")),
        ages.of(object),
    ];
    cells.extend(containers(object));
    cells.push(selector(object));
    cells
}

pub(super) fn replica_set(object: &Value, ages: Ages) -> Vec<Value> {
    let mut cells = vec![
        object.name(),
        json!(object.int("/spec/replicas")),
        json!(object.int("/status/replicas")),
        json!(object.int("/status/readyReplicas")),
        ages.of(object),
    ];
    cells.extend(containers(object));
    cells.push(selector(object));
    cells
}

pub(super) fn stateful_set(object: &Value, ages: Ages) -> Vec<Value> {
    let ready = format!(
        "{}/{}",
        object.int("/status/readyReplicas"),
        object.int("/spec/replicas")
    );
    let mut cells = vec![object.name(), json!(ready), ages.of(object)];
    cells.extend(containers(object));
    cells
}

pub(super) fn daemon_set(object: &Value, ages: Ages) -> Vec<Value> {
    let mut cells = vec![
        object.name(),
        json!(object.int("/status/desiredNumberScheduled")),
        json!(object.int("/status/currentNumberScheduled")),
        json!(object.int("/status/numberReady")),
        json!(object.int("/status/updatedNumberScheduled")),
        json!(object.int("/status/numberAvailable")),
        json!(labels(object.at("/spec/template/spec/nodeSelector"))),
        ages.of(object),
    ];
    cells.extend(containers(object));
    cells.push(selector(object));
    cells
}

/// Names and images of the template's containers.
fn containers(object: &Value) -> [Value; 2] {
    let containers = object.list("/spec/template/spec/containers");
    let all = |member: &str| {
        json!(
            containers
                .iter()
                .map(|c| c.text(member))
                .collect::<Vec<_>>()
                .join(",")
        )
    };
    [all("/name"), all("/image")]
}

/// A LabelSelector as text.
fn selector(object: &Value) -> Value {
    let Some(selector) = object.at("/spec/selector") else {
        return json!("<none>");
    };
    let mut terms: Vec<String> = Vec::new();
    if let Some(equal) = selector
        .at("/matchLabels")
        .filter(|l| l.as_object().is_some_and(|l| !l.is_empty()))
    {
        terms.push(labels(Some(equal)));
    }
    for expression in selector.list("/matchExpressions") {
        let key = expression.text("/key");
        let values: Vec<&str> = expression
            .list("/values")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let values = values.join(",");
        terms.push(match expression.text("/operator") {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.to_owned(),
        });
    }
    json!(joined(terms.iter().map(String::as_str)))
}

/// Labels as text, sorted.
fn labels(labels: Option<&Value>) -> String {
    let labels = labels.and_then(Value::as_object).into_iter().flatten();
    let mut terms: Vec<String> = labels
        .map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default()))
        .collect();
    terms.sort_unstable();
    joined(terms.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_tells_ready_of_desired() {
        let object = json!({
            "metadata": {"name": "web"},
            "spec": {
                "replicas": 3,
                "selector": {"matchLabels": {"b": "2", "a": "1"}, "matchExpressions": [{"key": "c", "operator": "Exists"}]},
                "template": {"spec": {"containers": [{"name": "x", "image": "i:1"}, {"name": "y", "image": "j"}]}},
            },
            "status": {"readyReplicas": 2, "updatedReplicas": 3},
        });
        let cells = deployment(&object, Ages::at(jiff::Timestamp::UNIX_EPOCH));
        assert_eq!(
            cells,
            [
                json!("web"),
                json!("2/3"),
                json!(3),
                json!(0),
                json!("<unknown>"),
                json!("x,y"),
                json!("i:1,j"),
                json!("a=1,b=2,c")
            ]
        );
    }
}
