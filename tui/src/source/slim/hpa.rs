//! Horizontal pod autoscalers of autoscaling/v2.

use std::collections::HashMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::NamespaceResourceScope;
use kubevitals_proto::quantity::Quantity;
use serde::Deserialize;

use super::{count, kind, metadata, read, seconds, told};
use crate::model::Names;
use crate::model::row::{HpaMetric, HpaRow, Limited};

/// A HorizontalPodAutoscaler.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::source) struct SlimHpa {
    #[serde(deserialize_with = "metadata")]
    metadata: ObjectMeta,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

kind!(
    SlimHpa,
    "autoscaling",
    "v2",
    "HorizontalPodAutoscaler",
    "horizontalpodautoscalers",
    NamespaceResourceScope
);

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    scale_target_ref: Reference,
    min_replicas: Option<i64>,
    max_replicas: Option<i64>,
    metrics: Vec<Metric>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Reference {
    kind: String,
    name: String,
}

/// A metric of the spec or the status: the part of its kind, which is named as `type` says, in lower case first.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metric {
    r#type: String,
    #[serde(flatten)]
    parts: HashMap<String, serde_json::Value>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Part {
    name: String,
    metric: Named,
    container: String,
    target: Value,
    current: Value,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Named {
    name: String,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Value {
    average_utilization: Option<i64>,
    average_value: Option<Quantity>,
    value: Option<Quantity>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    current_replicas: Option<i64>,
    desired_replicas: Option<i64>,
    last_scale_time: Option<String>,
    current_metrics: Vec<Metric>,
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Condition {
    r#type: String,
    status: String,
    reason: String,
    message: String,
}

impl Metric {
    fn part(&self) -> Option<Part> {
        let mut key = self.r#type.clone();
        if let Some(first) = key.get_mut(..1) {
            first.make_ascii_lowercase();
        }
        serde_json::from_value(self.parts.get(&key)?.clone()).ok()
    }
}

impl Part {
    fn name(&self) -> String {
        let name = if self.metric.name.is_empty() {
            &self.name
        } else {
            &self.metric.name
        };
        if self.container.is_empty() {
            name.clone()
        } else {
            format!("{name} of {}", self.container)
        }
    }
}

impl Value {
    /// As a number, in whichever of the three forms `like` has.
    fn number(self, like: Self) -> Option<f64> {
        if like.average_utilization.is_some() {
            #[expect(clippy::cast_precision_loss, reason = "percent are small")]
            return self.average_utilization.map(|percent| percent as f64);
        }
        if like.average_value.is_some() {
            return self.average_value.map(Quantity::to_f64);
        }
        self.value.map(Quantity::to_f64)
    }

    fn text(self, like: Self) -> Option<String> {
        if like.average_utilization.is_some() {
            return self
                .average_utilization
                .map(|percent| format!("{percent}%"));
        }
        let quantity = if like.average_value.is_some() {
            self.average_value
        } else {
            self.value
        };
        quantity.map(|quantity| quantity.to_string())
    }
}

impl SlimHpa {
    /// The autoscaler's row; nothing when it has no name, which no API server sends.
    pub(in crate::source) fn row(self, names: &Names) -> Option<HpaRow> {
        let Self {
            metadata,
            spec,
            status,
        } = self;
        let current: Vec<Part> = status
            .current_metrics
            .iter()
            .filter_map(Metric::part)
            .collect();
        let metric = |part: Part| {
            let target = part.target;
            let name = part.name();
            let current = current
                .iter()
                .find(|other| other.name() == name)
                .map(|other| other.current);
            let now = current.and_then(|current| current.number(target));
            let wanted = target.number(target).filter(|wanted| *wanted > 0.0);
            HpaMetric {
                name: names.intern(&name),
                current: names.intern(
                    &current
                        .and_then(|current| current.text(target))
                        .unwrap_or_default(),
                ),
                target: names.intern(&target.text(target).unwrap_or_default()),
                part: now.zip(wanted).map(|(now, wanted)| now / wanted),
            }
        };
        Some(HpaRow {
            namespace: names.intern(&metadata.namespace?),
            name: names.intern(&metadata.name?),
            target_kind: names.intern(&spec.scale_target_ref.kind),
            target: names.intern(&spec.scale_target_ref.name),
            min: count(spec.min_replicas.or(Some(1))),
            max: count(spec.max_replicas),
            current: count(status.current_replicas),
            desired: count(status.desired_replicas),
            metrics: spec
                .metrics
                .iter()
                .filter_map(Metric::part)
                .map(metric)
                .collect(),
            scaled_seconds: seconds(read(status.last_scale_time.as_ref())),
            limited: limited(&status.conditions, names),
            created_seconds: seconds(told(metadata.creation_timestamp.as_ref())),
        })
    }
}

/// What keeps it from scaling at all, or else from scaling further.
fn limited(conditions: &[Condition], names: &Names) -> Option<Limited> {
    let is = |kind: &str, status: &str| {
        let mut found = conditions.iter();
        found.find(|condition| condition.r#type == kind && condition.status == status)
    };
    let broken = is("AbleToScale", "False").or_else(|| is("ScalingActive", "False"));
    let found = broken.or_else(|| is("ScalingLimited", "True"))?;
    Some(Limited {
        broken: broken.is_some(),
        reason: names.intern(&found.reason),
        message: found.message.as_str().into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Field;
    use crate::model::Row as _;
    use kubevitals_proto::time::Timestamp;

    #[test]
    fn an_autoscaler_is_read_into_its_row() {
        let json = r#"{"metadata":{"namespace":"shop","name":"web"},
            "spec":{"scaleTargetRef":{"kind":"Deployment","name":"web"},"maxReplicas":3,"metrics":[
                {"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":50}}},
                {"type":"Pods","pods":{"metric":{"name":"rps"},"target":{"type":"AverageValue","averageValue":"1k"}}}]},
            "status":{"currentReplicas":3,"desiredReplicas":3,"lastScaleTime":"2026-11-21T05:00:00Z",
                "currentMetrics":[{"type":"Resource","resource":{"name":"cpu","current":{"averageUtilization":90,"averageValue":"90m"}}}],
                "conditions":[{"type":"AbleToScale","status":"True"},{"type":"ScalingLimited","status":"True",
                    "reason":"TooManyReplicas","message":"the desired replica count is more than the maximum replica count"}]}}"#;
        let row = serde_json::from_str::<SlimHpa>(json)
            .unwrap()
            .row(&Names::default())
            .unwrap();
        let text = |field| row.text(field, Timestamp(0)).unwrap().into_owned();
        assert_eq!(text(Field::Targets), "cpu 90%/50%, rps -/1k");
        assert_eq!(text(Field::TargetPercent), "180%");
        assert_eq!(text(Field::Limited), "by max");
        assert_eq!((row.min, row.max, row.current), (1, 3, 3));
    }
}
