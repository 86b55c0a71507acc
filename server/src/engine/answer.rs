//! Answers of the query API.

use std::borrow::Cow;
use std::fmt;

use kubevitals_proto::time::Timestamp;
use serde::de::{DeserializeOwned, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::error::EngineError;

/// The most series of an answer. Labels take more memory than their text.
const MAX_SERIES: usize = 250_000;

/// The most points of a series: Prometheus' own limit, and a point at the end.
const MAX_POINTS: usize = 11_001;

/// The labels that queries ask for. Others are not stored.
const LABELS: [&str; 21] = [
    "__name__",
    "namespace",
    "pod",
    "container",
    "node",
    "uid",
    "cause",
    "reason",
    "exit_code",
    "phase",
    "condition",
    "status",
    "resource",
    "workload_kind",
    "workload",
    "created_by_kind",
    "created_by_name",
    "incident",
    "object_kind",
    "object",
    "stat",
];

/// The labels of a series.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Labels(Vec<(&'static str, Box<str>)>);

impl Labels {
    /// The value of a label; empty without it, as in PromQL.
    pub fn get(&self, label: &str) -> &str {
        let found = self.0.iter().find(|(name, _)| *name == label);
        found.map_or("", |(_, value)| value)
    }
}

/// A value at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The time.
    pub at: Timestamp,
    /// The value, which is finite.
    pub value: f64,
}

/// A series of an answer: points in order of time, at most one for each time. `L` are the labels that are stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Series<L = Labels> {
    /// Its labels.
    pub labels: L,
    /// Its points.
    pub points: Vec<Point>,
}

impl<L> Series<L> {
    /// The last value.
    pub fn last(&self) -> Option<f64> {
        self.points.last().map(|point| point.value)
    }
}

/// Reads the answer to a query. NaN and infinite values are left out. Several series with the same labels are one; at
/// the same time the largest value counts.
///
/// # Errors
/// It is not an answer of the query API, or there is too much of it.
pub(super) fn read<L>(body: &[u8]) -> Result<Vec<Series<L>>, EngineError>
where
    L: DeserializeOwned + Ord,
{
    let answer: Answer<'_, L> = serde_json::from_slice(body).map_err(|error| {
        match error.to_string().contains(TOO_MUCH) {
            true => EngineError::TooLarge,
            false => EngineError::Invalid(error.to_string()),
        }
    })?;
    let data = answer.data.filter(|_| answer.status == "success");
    let Some(Data { result }) = data else {
        return Err(EngineError::Invalid(format!(
            "its status is {:?}",
            answer.status.chars().take(20).collect::<String>()
        )));
    };
    Ok(merged(result.0))
}

/// The text of an error of the API, in one line; empty without one.
pub(super) fn error_text(body: &[u8]) -> String {
    let failure: Failure<'_> = serde_json::from_slice(body).unwrap_or_default();
    let text = failure.error.chars().take(300);
    text.map(|it| if it.is_control() { ' ' } else { it })
        .collect()
}

fn merged<L: Ord>(mut series: Vec<Series<L>>) -> Vec<Series<L>> {
    series.sort_by(|a, b| a.labels.cmp(&b.labels));
    series.dedup_by(|next, first| {
        let same = next.labels == first.labels;
        if same {
            first.points.append(&mut next.points);
        }
        same
    });
    for series in &mut series {
        let points = &mut series.points;
        points.sort_by(|a, b| a.at.cmp(&b.at).then(b.value.total_cmp(&a.value)));
        points.dedup_by_key(|point| point.at);
    }
    series.retain(|series| !series.points.is_empty());
    series
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "L: DeserializeOwned"))]
struct Answer<'a, L> {
    #[serde(borrow)]
    status: Cow<'a, str>,
    data: Option<Data<L>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Failure<'a> {
    #[serde(borrow)]
    error: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "L: DeserializeOwned"))]
struct Data<L> {
    result: Limited<Series<L>, MAX_SERIES>,
}

/// Marks the error of too much data among serde's errors.
const TOO_MUCH: &str = "more than the most";

/// A list with at most `N` elements.
struct Limited<T, const N: usize>(Vec<T>);

impl<T, const N: usize> Default for Limited<T, N> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const N: usize> Deserialize<'de> for Limited<T, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Self::default())
    }
}

impl<'de, T: Deserialize<'de>, const N: usize> Visitor<'de> for Limited<T, N> {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Self, A::Error> {
        while let Some(element) = list.next_element()? {
            if self.0.len() == N {
                return Err(A::Error::custom(format_args!("{TOO_MUCH}, {N}")));
            }
            self.0.push(element);
        }
        Ok(self)
    }
}

impl<'de, L: Deserialize<'de>> Deserialize<'de> for Series<L> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Raw<L> {
            metric: L,
            #[serde(default)]
            values: Limited<Value, MAX_POINTS>,
            value: Option<Value>,
        }
        let Raw {
            metric,
            values,
            value,
        } = Raw::deserialize(deserializer)?;
        let values = values.0.into_iter().chain(value);
        Ok(Self {
            labels: metric,
            points: values.filter_map(Value::point).collect(),
        })
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Labels;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("labels")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Labels, A::Error> {
                let mut labels = Vec::new();
                while let Some(name) = map.next_key::<Cow<'_, str>>()? {
                    let known = LABELS.into_iter().find(|label| *label == name);
                    let is_new = |name| labels.iter().all(|(other, _)| *other != name);
                    match known.filter(|name| is_new(*name)) {
                        Some(name) => labels.push((name, map.next_value()?)),
                        None => {
                            let _other: IgnoredAny = map.next_value()?;
                        }
                    }
                }
                labels.sort_unstable();
                Ok(Labels(labels))
            }
        }
        deserializer.deserialize_map(Read)
    }
}

/// `[seconds, "value"]`
#[derive(Deserialize, Clone, Copy)]
struct Value(f64, Number);

impl Value {
    /// `None` for NaN and infinite values, and for times that do not exist.
    fn point(self) -> Option<Point> {
        let Self(seconds, Number(value)) = self;
        let at = timestamp(seconds)?;
        value.is_finite().then_some(Point { at, value })
    }
}

/// A time of the API, to the millisecond.
fn timestamp(seconds: f64) -> Option<Timestamp> {
    /// The year 2200.
    const LATEST: f64 = 7_258_118_400.0;
    let exists = (0.0..LATEST).contains(&seconds);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it is between zero and LATEST"
    )]
    exists.then(|| Timestamp((seconds * 1e3).round() as i64 * 1_000_000))
}

/// A number as text.
#[derive(Clone, Copy)]
struct Number(f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number as text")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Number, E> {
                let number = text.parse().map(Number);
                number.map_err(|_| E::custom("a value is no number"))
            }
        }
        deserializer.deserialize_str(Read)
    }
}
