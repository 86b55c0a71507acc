//! Horizontal pod autoscalers of autoscaling/v2.

use std::collections::HashMap;

use kubevitals_proto::objects::{Lenient, WireCondition, WireMeta, lenient};
use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::time::Timestamp;
use serde::Deserialize;

use crate::model::Names;
use crate::model::row::{HpaMetric, HpaRow, Limited};

/// A HorizontalPodAutoscaler.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireHpa {
    #[serde(deserialize_with = "lenient")]
    pub(super) metadata: WireMeta,
    #[serde(deserialize_with = "lenient")]
    spec: Option<Spec>,
    #[serde(deserialize_with = "lenient")]
    status: Option<Status>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    #[serde(deserialize_with = "lenient")]
    scale_target_ref: Option<Reference>,
    #[serde(deserialize_with = "lenient")]
    min_replicas: Number,
    #[serde(deserialize_with = "lenient")]
    max_replicas: i64,
    #[serde(deserialize_with = "lenient")]
    metrics: Vec<Option<Metric>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Reference {
    #[serde(deserialize_with = "lenient")]
    kind: String,
    #[serde(deserialize_with = "lenient")]
    name: String,
}

/// A metric of the spec or the status. The field with its values has the name in `type`, with a small first letter.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metric {
    #[serde(deserialize_with = "lenient")]
    r#type: String,
    #[serde(flatten)]
    parts: HashMap<String, serde_json::Value>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Part {
    #[serde(deserialize_with = "lenient")]
    name: String,
    #[serde(deserialize_with = "lenient")]
    metric: Option<Named>,
    #[serde(deserialize_with = "lenient")]
    container: String,
    #[serde(deserialize_with = "lenient")]
    target: Option<Value>,
    #[serde(deserialize_with = "lenient")]
    current: Option<Value>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Named {
    #[serde(deserialize_with = "lenient")]
    name: String,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Value {
    #[serde(deserialize_with = "lenient")]
    average_utilization: Number,
    #[serde(deserialize_with = "lenient")]
    average_value: Amount,
    #[serde(deserialize_with = "lenient")]
    value: Amount,
}

/// A whole number that may be missing.
#[derive(Debug, Clone, Copy, Default)]
struct Number(Option<i64>);

impl Lenient<'_> for Number {
    fn whole(number: i64) -> Self {
        Self(Some(number))
    }
}

/// A quantity that may be missing.
#[derive(Debug, Clone, Copy, Default)]
struct Amount(Option<Quantity>);

impl Lenient<'_> for Amount {
    fn text(text: &str) -> Self {
        Self(text.parse().ok())
    }

    fn whole(number: i64) -> Self {
        Self::text(&number.to_string())
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    #[serde(deserialize_with = "lenient")]
    current_replicas: i64,
    #[serde(deserialize_with = "lenient")]
    desired_replicas: i64,
    #[serde(deserialize_with = "lenient")]
    last_scale_time: String,
    #[serde(deserialize_with = "lenient")]
    current_metrics: Vec<Option<Metric>>,
    #[serde(deserialize_with = "lenient")]
    conditions: Vec<Option<WireCondition>>,
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
        let metric = self.metric.as_ref().map(|metric| &metric.name);
        let name = metric.filter(|name| !name.is_empty()).unwrap_or(&self.name);
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
        if like.average_utilization.0.is_some() {
            #[expect(clippy::cast_precision_loss, reason = "percent are small")]
            return self.average_utilization.0.map(|percent| percent as f64);
        }
        self.quantity(like).map(Quantity::to_f64)
    }

    fn text(self, like: Self) -> Option<String> {
        if like.average_utilization.0.is_some() {
            let percent = self.average_utilization.0;
            return percent.map(|percent| format!("{percent}%"));
        }
        self.quantity(like).map(|quantity| quantity.to_string())
    }

    fn quantity(self, like: Self) -> Option<Quantity> {
        if like.average_value.0.is_some() {
            self.average_value.0
        } else {
            self.value.0
        }
    }
}

impl WireHpa {
    /// The autoscaler's row; none without a name, which no API server sends.
    pub(super) fn row(self, names: &Names) -> Option<HpaRow> {
        let (metadata, spec, status) = (
            self.metadata,
            self.spec.unwrap_or_default(),
            self.status.unwrap_or_default(),
        );
        let parts = |metrics: &[Option<Metric>]| -> Vec<Part> {
            metrics.iter().flatten().filter_map(Metric::part).collect()
        };
        let current = parts(&status.current_metrics);
        let target = spec.scale_target_ref.unwrap_or_default();
        let scaled: Option<Timestamp> = status.last_scale_time.parse().ok();
        let name = |name: &str| (!name.is_empty()).then(|| names.intern(name));
        let metric = |part: Part| {
            let target = part.target.unwrap_or_default();
            let metric = part.name();
            let current = current
                .iter()
                .find(|other| other.name() == metric)
                .map(|other| other.current.unwrap_or_default());
            let now = current.and_then(|current| current.number(target));
            let desired = target.number(target).filter(|desired| *desired > 0.0);
            HpaMetric {
                name: names.intern(&metric),
                current: names.intern(
                    &current
                        .and_then(|current| current.text(target))
                        .unwrap_or_default(),
                ),
                target: names.intern(&target.text(target).unwrap_or_default()),
                part: now.zip(desired).map(|(now, desired)| now / desired),
            }
        };
        Some(HpaRow {
            namespace: name(&metadata.namespace)?,
            name: name(&metadata.name)?,
            target_kind: names.intern(&target.kind),
            target: names.intern(&target.name),
            min: count(spec.min_replicas.0.unwrap_or(1)),
            max: count(spec.max_replicas),
            current: count(status.current_replicas),
            desired: count(status.desired_replicas),
            metrics: parts(&spec.metrics).into_iter().map(metric).collect(),
            scaled_seconds: scaled.map_or(0, |scaled| count(scaled.as_secs())),
            limited: limited(&status.conditions, names),
            created_seconds: metadata.created_seconds(),
        })
    }
}

fn count(count: i64) -> u32 {
    u32::try_from(count).unwrap_or_default()
}

/// The condition that prevents scaling, or else the one that limits it.
fn limited(conditions: &[Option<WireCondition>], names: &Names) -> Option<Limited> {
    let is = |kind: &str, status: &str| {
        let mut found = conditions.iter().flatten();
        found.find(|condition| condition.kind == kind && condition.status == status)
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
    fn an_autoscaler_becomes_a_row() {
        let json = r#"{"metadata":{"namespace":"shop","name":"web"},
            "spec":{"scaleTargetRef":{"kind":"Deployment","name":"web"},"maxReplicas":3,"metrics":[
                {"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":50}}},
                {"type":"Pods","pods":{"metric":{"name":"rps"},"target":{"type":"AverageValue","averageValue":"1k"}}}]},
            "status":{"currentReplicas":3,"desiredReplicas":3,"lastScaleTime":"2026-11-21T05:00:00Z",
                "currentMetrics":[{"type":"Resource","resource":{"name":"cpu","current":{"averageUtilization":90,"averageValue":"90m"}}}],
                "conditions":[{"type":"AbleToScale","status":"True"},{"type":"ScalingLimited","status":"True",
                    "reason":"TooManyReplicas","message":"the desired replica count is more than the maximum replica count"}]}}"#;
        let row = serde_json::from_str::<WireHpa>(json)
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
