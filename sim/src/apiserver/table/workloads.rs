//! Deployments, replica sets, stateful sets, daemon sets.

use serde_json::{Value, json};

use super::ages::Ages;
use crate::members::{Members, joined};

pub(super) fn deployment(object: &Value, ages: Ages) -> Vec<Value> {
    let (updated, available) = (
        object.int("/status/updatedReplicas"),
        object.int("/status/availableReplicas"),
    );
    let [containers, images] = containers(object);
    vec![
        object.name(),
        ready(object),
        json!(updated),
        json!(available),
        ages.of(object),
        containers,
        images,
        selector(object),
    ]
}

pub(super) fn replica_set(object: &Value, ages: Ages) -> Vec<Value> {
    let int = |pointer: &str| json!(object.int(pointer));
    let [containers, images] = containers(object);
    vec![
        object.name(),
        int("/spec/replicas"),
        int("/status/replicas"),
        int("/status/readyReplicas"),
        ages.of(object),
        containers,
        images,
        selector(object),
    ]
}

pub(super) fn stateful_set(object: &Value, ages: Ages) -> Vec<Value> {
    let [containers, images] = containers(object);
    vec![
        object.name(),
        ready(object),
        ages.of(object),
        containers,
        images,
    ]
}

pub(super) fn daemon_set(object: &Value, ages: Ages) -> Vec<Value> {
    let int = |member: &str| json!(object.int(&format!("/status/{member}")));
    let [containers, images] = containers(object);
    vec![
        object.name(),
        int("desiredNumberScheduled"),
        int("currentNumberScheduled"),
        int("numberReady"),
        int("updatedNumberScheduled"),
        int("numberAvailable"),
        json!(labels(object.at("/spec/template/spec/nodeSelector"))),
        ages.of(object),
        containers,
        images,
        selector(object),
    ]
}

/// `READY/DESIRED` pods.
fn ready(object: &Value) -> Value {
    let (ready, desired) = (
        object.int("/status/readyReplicas"),
        object.int("/spec/replicas"),
    );
    json!(format!("{ready}/{desired}"))
}

/// Names and images of the template's containers.
fn containers(object: &Value) -> [Value; 2] {
    let containers = object.list("/spec/template/spec/containers");
    let all = |member: &str| {
        let texts: Vec<&str> = containers.iter().map(|c| c.text(member)).collect();
        json!(texts.join(","))
    };
    [all("/name"), all("/image")]
}

/// A LabelSelector as text.
fn selector(object: &Value) -> Value {
    let mut terms = label_terms(object.at("/spec/selector/matchLabels"));
    for expression in object.list("/spec/selector/matchExpressions") {
        let key = expression.text("/key");
        let values = expression.list("/values").iter();
        let values = values.filter_map(Value::as_str).collect::<Vec<_>>();
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
    joined(label_terms(labels).iter().map(String::as_str))
}

fn label_terms(labels: Option<&Value>) -> Vec<String> {
    let labels = labels.and_then(Value::as_object).into_iter().flatten();
    let mut terms: Vec<String> = labels
        .map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default()))
        .collect();
    terms.sort_unstable();
    terms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_shows_ready_of_desired() {
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
        let expected = json!(["web", "2/3", 3, 0, "<unknown>", "x,y", "i:1,j", "a=1,b=2,c"]);
        assert_eq!(json!(cells), expected);
    }
}
