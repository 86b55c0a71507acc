//! Horizontal pod autoscalers.

use std::borrow::Cow;

use kubevitals_proto::time::Timestamp;

use super::{Context, Row, age_text, from_seconds, percent, plain_cell, seconds};
use crate::model::cell::Cell;
use crate::model::column::Column;
use crate::model::field::{Field, Fields};
use crate::model::format;
use crate::model::name::{Key, Name};
use crate::model::tone::Tone;

/// A HorizontalPodAutoscaler.
#[derive(Debug, Clone, PartialEq)]
pub struct HpaRow {
    /// Its namespace.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// The kind of what it scales.
    pub target_kind: Name,
    /// The name of what it scales.
    pub target: Name,
    /// Fewest replicas.
    pub min: u32,
    /// Most replicas.
    pub max: u32,
    /// Replicas there are.
    pub current: u32,
    /// Replicas it wants.
    pub desired: u32,
    /// What it goes by.
    pub metrics: Box<[HpaMetric]>,
    /// When it scaled last, in seconds since the epoch; zero if it never has.
    pub scaled_seconds: u32,
    /// What keeps it from scaling further, or from scaling at all.
    pub limited: Option<Limited>,
    /// When it was made, in seconds since the epoch; zero if that is not known.
    pub created_seconds: u32,
}

/// A metric that an HPA goes by, against its target.
#[derive(Debug, Clone, PartialEq)]
pub struct HpaMetric {
    /// What it measures: `cpu`, `memory`, or another metric's name.
    pub name: Name,
    /// What it is now, as kubectl writes it (`90%`, `350m`); empty if that is not known.
    pub current: Name,
    /// What it should be.
    pub target: Name,
    /// What it is as a part of what it should be.
    pub part: Option<f64>,
}

/// What keeps an HPA from what it would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limited {
    /// Whether it cannot scale at all, rather than no further.
    pub broken: bool,
    /// One word: `TooManyReplicas`, `FailedGetResourceMetric`, …
    pub reason: Name,
    /// A sentence.
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
    /// When it scaled last.
    #[must_use]
    pub fn scaled(&self) -> Option<Timestamp> {
        from_seconds(self.scaled_seconds)
    }

    /// The metric that is furthest above its target, as a part of it.
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

impl Fields for HpaRow {
    fn text(&self, field: Field, now: Timestamp) -> Option<Cow<'_, str>> {
        Some(match field {
            Field::Namespace => (&*self.namespace).into(),
            Field::Name => (&*self.name).into(),
            Field::Kind => (&*self.target_kind).into(),
            Field::Target | Field::Workload => {
                format!("{}/{}", self.target_kind, self.target).into()
            }
            Field::Targets => self.targets().into(),
            Field::TargetPercent => self
                .part()
                .map_or(format::UNKNOWN.into(), |part| format::percent(part).into()),
            Field::Min => self.min.to_string().into(),
            Field::Max => self.max.to_string().into(),
            Field::Replicas => self.current.to_string().into(),
            Field::Desired => self.desired.to_string().into(),
            Field::Scaled => match self.time(field) {
                None => "never".into(),
                scaled => age_text(scaled, now),
            },
            Field::Limited => self.limited_text(),
            Field::Message => self
                .limited
                .as_ref()
                .map_or("", |limited| &limited.message)
                .into(),
            Field::Age => age_text(self.time(field), now),
            _ => return None,
        })
    }

    fn number(&self, field: Field, now: Timestamp) -> Option<f64> {
        match field {
            Field::TargetPercent => percent(self.part()),
            Field::Min => Some(self.min.into()),
            Field::Max => Some(self.max.into()),
            Field::Replicas => Some(self.current.into()),
            Field::Desired => Some(self.desired.into()),
            Field::Scaled | Field::Age => seconds(self.time(field), now),
            _ => None,
        }
    }

    fn time(&self, field: Field) -> Option<Timestamp> {
        match field {
            Field::Scaled => self.scaled(),
            Field::Age => from_seconds(self.created_seconds),
            _ => None,
        }
    }

    fn words(&self) -> &'static [Field] {
        &[
            Field::Namespace,
            Field::Name,
            Field::Target,
            Field::Targets,
            Field::Limited,
            Field::Message,
        ]
    }
}

impl Row for HpaRow {
    fn key(&self) -> Key {
        Key::new(&self.namespace, &self.name)
    }

    fn columns() -> &'static [Column] {
        use Column as C;
        const COLUMNS: &[Column] = &[
            C::text(Field::Namespace, "NAMESPACE", 9, 20, 4),
            C::text(Field::Name, "NAME", 10, 63, 0),
            C::text(Field::Target, "SCALES", 12, 40, 5),
            C::number(Field::Replicas, "CURRENT", 7, 1),
            C::number(Field::Desired, "DESIRED", 7, 1),
            C::number(Field::Min, "MIN", 4, 3),
            C::number(Field::Max, "MAX", 4, 3),
            C::text(Field::Targets, "METRICS", 12, 40, 2),
            C::number(Field::TargetPercent, "% OF TARGET", 11, 6),
            C::number(Field::Scaled, "SCALED", 6, 4),
            C::text(Field::Limited, "LIMITED", 8, 24, 2),
            C::text(Field::Message, "WHY", 12, 100, 7),
            C::number(Field::Age, "AGE", 6, 8),
        ];
        COLUMNS
    }

    fn cell(&self, field: Field, context: &Context) -> Cell {
        match field {
            Field::Limited => {
                let tone = match &self.limited {
                    None => Tone::Dim,
                    Some(limited) if limited.broken => Tone::Bad,
                    Some(limited) if &*limited.reason == "TooFewReplicas" => Tone::Plain,
                    Some(_) => Tone::Warn,
                };
                Cell::new(self.limited_text(), tone)
            }
            Field::Desired if self.desired != self.current => {
                Cell::new(self.desired.to_string().into(), Tone::Warn)
            }
            _ => plain_cell(self.text(field, context.now).unwrap_or_default()),
        }
    }
}
