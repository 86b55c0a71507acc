//! Horizontal pod autoscalers.

use std::borrow::Cow;

use kubevitals_proto::time::Timestamp;

use super::{Entry, Row, Value, Workload, from_seconds};
use crate::model::column::{Column, Sort};
use crate::model::field::Field;
use crate::model::format;
use crate::model::name::{Key, Name};
use crate::model::part::Part;
use crate::model::scope::{Limits, Open, Scope};
use crate::model::tone::Tone;
use crate::model::view_info::ViewInfo;

/// A HorizontalPodAutoscaler.
#[derive(Debug, Clone, PartialEq)]
pub struct HpaRow {
    /// Its namespace.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// The kind of the target.
    pub target_kind: Name,
    /// The name of the target.
    pub target: Name,
    /// Minimum replicas.
    pub min: u32,
    /// Maximum replicas.
    pub max: u32,
    /// Current replicas.
    pub current: u32,
    /// Desired replicas.
    pub desired: u32,
    /// The metrics.
    pub metrics: Box<[HpaMetric]>,
    /// The time of the last scaling, in seconds since the epoch; zero if there was none.
    pub scaled_seconds: u32,
    /// Why the HPA cannot scale further, or cannot scale at all.
    pub limited: Option<Limited>,
    /// Creation time, in seconds since the epoch; zero if unknown.
    pub created_seconds: u32,
}

/// Where the controller reads a metric of an HPA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MetricKind {
    /// Usage of the pods.
    Resource,
    /// Usage of one container of each pod.
    ContainerResource,
    /// A metric that the pods expose.
    Pods,
    /// A metric of another object.
    Object,
    /// A metric of no object.
    External,
    /// A kind that is unknown to this program.
    Other,
}

impl MetricKind {
    /// The kind of this `type`.
    #[must_use]
    pub fn named(kind: &str) -> Self {
        match kind {
            "Resource" => Self::Resource,
            "ContainerResource" => Self::ContainerResource,
            "Pods" => Self::Pods,
            "Object" => Self::Object,
            "External" => Self::External,
            _ => Self::Other,
        }
    }

    /// The `type`, in lower case.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Resource => "resource",
            Self::ContainerResource => "container",
            Self::Pods => "pods",
            Self::Object => "object",
            Self::External => "external",
            Self::Other => "metric",
        }
    }

    /// The API group that has the metric.
    #[must_use]
    pub const fn group(self) -> &'static str {
        match self {
            Self::Resource | Self::ContainerResource => "metrics.k8s.io",
            Self::Pods | Self::Object => "custom.metrics.k8s.io",
            Self::External => "external.metrics.k8s.io",
            Self::Other => "",
        }
    }
}

/// A metric of an HPA and its target.
#[derive(Debug, Clone, PartialEq)]
pub struct HpaMetric {
    /// Where it is read.
    pub kind: MetricKind,
    /// The name: `cpu`, `memory`, or another metric.
    pub name: Name,
    /// The current value as kubectl writes it (`90%`, `350m`); empty if unknown.
    pub current: Name,
    /// The target value.
    pub target: Name,
    /// The current value as a fraction of the target.
    pub part: Option<f64>,
}

/// Why an HPA cannot scale as its metrics require.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limited {
    /// Whether it cannot scale at all, rather than no further.
    pub broken: bool,
    /// The reason: `TooManyReplicas`, `FailedGetResourceMetric`, …
    pub reason: Name,
    /// The message.
    pub message: Box<str>,
}

impl HpaMetric {
    /// `cpu 90%/50%`.
    #[must_use]
    pub fn text(&self) -> String {
        let current = if self.current.is_empty() {
            format::UNKNOWN
        } else {
            &self.current
        };
        format!("{} {current}/{}", self.name, self.target)
    }
}

impl HpaRow {
    /// The time of the last scaling.
    #[must_use]
    pub fn scaled(&self) -> Option<Timestamp> {
        from_seconds(self.scaled_seconds)
    }

    /// The largest metric as a fraction of its target.
    #[must_use]
    pub fn part(&self) -> Option<f64> {
        self.metrics
            .iter()
            .filter_map(|metric| metric.part)
            .max_by(f64::total_cmp)
    }

    fn targets(&self) -> String {
        let metrics: Vec<String> = self.metrics.iter().map(HpaMetric::text).collect();
        metrics.join(", ")
    }

    /// The API groups of the metrics.
    fn groups(&self) -> String {
        let mut groups: Vec<&str> = self.metrics.iter().map(|it| it.kind.group()).collect();
        groups.sort_unstable();
        groups.dedup();
        groups.join(", ")
    }

    fn target_text(&self) -> String {
        format!("{}/{}", self.target_kind, self.target)
    }

    /// The severity of the limit.
    pub(crate) fn limited_tone(&self) -> Tone {
        match &self.limited {
            None => Tone::Dim,
            // Its target is scaled to zero on purpose.
            Some(limited) if &*limited.reason == "ScalingDisabled" => Tone::Plain,
            Some(limited) if limited.broken => Tone::Bad,
            Some(limited) if &*limited.reason == "TooFewReplicas" => Tone::Plain,
            Some(_) => Tone::Warn,
        }
    }

    fn limited_text(&self) -> Cow<'_, str> {
        match &self.limited {
            None => "".into(),
            Some(limited) => match &*limited.reason {
                "TooManyReplicas" => "by max".into(),
                "TooFewReplicas" => "by min".into(),
                reason => reason.into(),
            },
        }
    }
}

type E = Entry<HpaRow>;

#[rustfmt::skip] // one entry a line: a table
impl Row for HpaRow {
    const FIELDS: &'static [E] = &[
        E::text(Field::Namespace, "NAMESPACE", (9, 20), 4, |hpa| (&hpa.namespace).into()).searched(),
        E::text(Field::Name, "NAME", (10, 63), 0, |hpa| (&hpa.name).into()).searched(),
        E::text(Field::Target, "SCALES", (12, 40), 5, |hpa| hpa.target_text().into()).searched(),
        E::number(Field::Replicas, "CURRENT", 7, 1, |hpa| hpa.current.into()),
        E::number(Field::Desired, "DESIRED", 7, 1, |hpa| hpa.desired.into())
            .tone(|hpa, _| if hpa.desired == hpa.current { Tone::Plain } else { Tone::Warn }),
        E::number(Field::Min, "MIN", 4, 3, |hpa| hpa.min.into()),
        E::number(Field::Max, "MAX", 4, 3, |hpa| hpa.max.into()),
        E::text(Field::Targets, "METRICS", (12, 40), 2, |hpa| hpa.targets().into()).searched(),
        E::number(Field::TargetPercent, "% OF TARGET", 11, 6, |hpa| Value::Part(hpa.part())),
        E::number(Field::Scaled, "SCALED", 6, 4, |hpa| Value::SinceOrNever(hpa.scaled())),
        E::text(Field::Limited, "LIMITED", (8, 24), 2, |hpa| hpa.limited_text().into())
            .tone(|hpa, _| hpa.limited_tone())
            .searched(),
        E::text(Field::Message, "MESSAGE", (12, 100), 7, |hpa| {
            hpa.limited.as_ref().map_or("", |limited| &limited.message).into()
        })
            .searched(),
        E::text(Field::Source, "SOURCE", (14, 63), Column::ON_DEMAND, |hpa| hpa.groups().into()),
        E::number(Field::Age, "AGE", 6, 8, |hpa| Value::Since(from_seconds(hpa.created_seconds))),
        E::hidden(Field::Kind, |hpa| (&hpa.target_kind).into()),
        E::hidden(Field::Workload, |hpa| hpa.target_text().into()),
    ];

    const VIEW: ViewInfo = ViewInfo {
        help: "horizontal pod autoscalers",
        rows: "HPAs",
        sort: Sort::by(Field::Namespace),
        ..ViewInfo::new("HPAs", "HPA", "hpas", Part::Hpas)
    };

    fn key(&self) -> Key {
        Key::new(&self.namespace, &self.name)
    }

    fn is_in(&self, limits: &Limits<'_>) -> bool {
        limits.has_object_of(&self.namespace)
    }

    /// Its page, with the pods of the target.
    fn open(&self) -> Open {
        let target = Workload::new(Name::clone(&self.target_kind), Name::clone(&self.target));
        Scope::Hpa(self.key(), target).into()
    }

    fn reference(&self) -> String {
        format!("horizontalpodautoscaler.autoscaling/{}", self.name)
    }
}
