//! Horizontal pod autoscalers of autoscaling/v2.

use kubevitals_proto::objects::{Lenient, WireCondition, WireMeta, lenient};
use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::time::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::model::row::{HpaMetric, HpaRow, Limited, MetricKind};
use crate::model::{Condition, Names};

/// The field of a utilization in percent.
const UTILIZATION: &str = "averageUtilization";

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
    metrics: Value,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Reference {
    #[serde(deserialize_with = "lenient")]
    kind: String,
    #[serde(deserialize_with = "lenient")]
    name: String,
}

/// A whole number that may be missing.
#[derive(Debug, Clone, Copy, Default)]
struct Number(Option<i64>);

impl Lenient<'_> for Number {
    fn whole(number: i64) -> Self {
        Self(Some(number))
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
    current_metrics: Value,
    #[serde(deserialize_with = "lenient")]
    conditions: Vec<Option<WireCondition>>,
}

impl Status {
    /// The number of replicas that the autoscaler wants. It is zero in the status until the controller has the first
    /// value of a metric; until then it wants what there is.
    const fn desired(&self) -> i64 {
        if self.desired_replicas == 0 && self.last_scale_time.is_empty() {
            self.current_replicas
        } else {
            self.desired_replicas
        }
    }
}

/// The metrics of the spec or the status: the name of each, and its `target` or `current` values.
///
/// The field with a metric's values has the name in `type`, with a small first letter.
fn metrics<'a>(list: &'a Value, values: &str) -> Vec<(MetricKind, String, &'a Value)> {
    let metric = |metric: &'a Value| {
        let kind = metric.get("type")?.as_str()?;
        let mut key = kind.to_owned();
        key.get_mut(..1)?.make_ascii_lowercase();
        let metric = metric.get(&key)?;
        let text = |path| {
            let text = metric.pointer(path).and_then(Value::as_str);
            text.filter(|text| !text.is_empty())
        };
        let name = text("/metric/name").or_else(|| text("/name"));
        let name = name.unwrap_or_default();
        let object = text("/describedObject/kind").zip(text("/describedObject/name"));
        let name = match (text("/container"), object) {
            (Some(container), _) => format!("{name} of {container}"),
            (None, Some((kind, object))) => format!("{name} of {kind}/{object}"),
            (None, None) => name.to_owned(),
        };
        let values = metric.get(values).unwrap_or(&Value::Null);
        Some((MetricKind::named(kind), name, values))
    };
    let list = list.as_array().into_iter().flatten();
    list.filter_map(metric).collect()
}

fn quantity(values: &Value, form: &str) -> Option<Quantity> {
    let value = values.get(form).filter(|value| !value.is_null())?;
    Quantity::deserialize(value).ok()
}

/// The quantity as kubectl writes it.
fn text(quantity: Option<Quantity>, form: &str) -> String {
    let unit = if form == UTILIZATION { "%" } else { "" };
    quantity.map_or_else(String::new, |quantity| format!("{quantity}{unit}"))
}

impl WireHpa {
    /// The conditions.
    pub(super) fn conditions(&self) -> Vec<Condition> {
        let conditions = self.status.iter().flat_map(|status| &status.conditions);
        conditions.flatten().map(Condition::from).collect()
    }

    /// The label selector of each metric of the spec that pods expose, as a text.
    pub(super) fn selectors(&self) -> Vec<String> {
        let spec = self.spec.as_ref();
        let list = spec.and_then(|spec| spec.metrics.as_array());
        let own = list.into_iter().flatten().filter_map(|metric| {
            let kind = metric.get("type")?.as_str()?;
            metric.get("pods").filter(|_| kind == "Pods")
        });
        let selector = |metric: &Value| {
            let labels = metric.pointer("/metric/selector/matchLabels");
            let labels = labels.and_then(Value::as_object).into_iter().flatten();
            let labels =
                labels.filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)));
            labels.collect::<Vec<_>>().join(",")
        };
        own.map(selector).collect()
    }

    /// The autoscaler's row; none without a name, which no API server sends.
    pub(super) fn row(self, names: &Names) -> Option<HpaRow> {
        let (metadata, spec, status) = (
            self.metadata,
            self.spec.unwrap_or_default(),
            self.status.unwrap_or_default(),
        );
        let current_metrics = metrics(&status.current_metrics, "current");
        let target = spec.scale_target_ref.unwrap_or_default();
        let scaled: Option<Timestamp> = status.last_scale_time.parse().ok();
        let name = |name: &str| (!name.is_empty()).then(|| names.intern(name));
        let metric = |(kind, metric, target): (MetricKind, String, &Value)| {
            let mut current = current_metrics.iter();
            let current = current.find(|(of, other, _)| *of == kind && *other == metric);
            // The current value has several forms. The one of the target counts.
            let mut forms = [UTILIZATION, "averageValue"].into_iter();
            let form = forms.find(|form| quantity(target, form).is_some());
            let form = form.unwrap_or("value");
            let current = current.and_then(|(.., values)| quantity(values, form));
            let target = quantity(target, form);
            let desired = target.map(Quantity::to_f64);
            let desired = desired.filter(|desired| *desired > 0.0);
            HpaMetric {
                kind,
                name: names.intern(&metric),
                current: names.intern(&text(current, form)),
                target: names.intern(&text(target, form)),
                part: current
                    .zip(desired)
                    .map(|(current, desired)| current.to_f64() / desired),
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
            desired: count(status.desired()),
            metrics: metrics(&spec.metrics, "target")
                .into_iter()
                .map(metric)
                .collect(),
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

    #[test]
    fn an_autoscaler_becomes_a_row() {
        let json = r#"{"metadata":{"namespace":"shop","name":"web"},
            "spec":{"scaleTargetRef":{"kind":"Deployment","name":"web"},"maxReplicas":3,"metrics":[
                {"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":50}}},
                {"type":"Object","object":{"metric":{"name":"hits"},"describedObject":{"kind":"Ingress","name":"main"},
                    "target":{"type":"Value","value":"2k"}}},
                {"type":"Pods","pods":{"metric":{"name":"rps","selector":{"matchLabels":{"code":"200"}}},"target":{"type":"AverageValue","averageValue":"1k"}}}]},
            "status":{"currentReplicas":3,"desiredReplicas":3,"lastScaleTime":"2026-11-21T05:00:00Z",
                "currentMetrics":[{"type":"Resource","resource":{"name":"cpu","current":{"averageUtilization":90,"averageValue":"90m"}}}],
                "conditions":[{"type":"AbleToScale","status":"True"},{"type":"ScalingLimited","status":"True",
                    "reason":"TooManyReplicas","message":"the desired replica count is more than the maximum replica count"}]}}"#;
        let hpa = serde_json::from_str::<WireHpa>(json).unwrap();
        assert_eq!(hpa.selectors(), ["code=200"]);
        assert_eq!(hpa.conditions().len(), 2);
        let row = hpa.row(&Names::default()).unwrap();
        let text = |field| row.text(field, Timestamp(0)).unwrap().into_owned();
        assert_eq!(
            text(Field::Targets),
            "cpu 90%/50%, hits of Ingress/main -/2k, rps -/1k"
        );
        assert_eq!(text(Field::TargetPercent), "180%");
        assert_eq!(text(Field::Limited), "by max");
        assert_eq!((row.min, row.max, row.current), (1, 3, 3));
    }

    #[test]
    fn before_the_first_value_of_a_metric_the_present_number_is_wanted() {
        for (status, desired) in [
            (r#"{"currentReplicas":2}"#, 2),
            (r#"{"currentReplicas":2,"desiredReplicas":0}"#, 2),
            (r#"{"currentReplicas":2,"desiredReplicas":5}"#, 5),
            (
                r#"{"currentReplicas":1,"desiredReplicas":0,"lastScaleTime":"2026-11-21T05:00:00Z"}"#,
                0,
            ),
        ] {
            let json =
                format!(r#"{{"metadata":{{"namespace":"a","name":"b"}},"status":{status}}}"#);
            let hpa = serde_json::from_str::<WireHpa>(&json).unwrap();
            let row = hpa.row(&Names::default()).unwrap();
            assert_eq!(row.desired, desired, "{status}");
        }
    }
}
