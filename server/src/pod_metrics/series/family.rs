//! The kept series of a family, and the values that are read from them.

use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::labels::Labels;
use kubevitals_proto::selector::LabelSelector;
use kubevitals_proto::time::Timestamp;

use super::window::{Cumulative, Increase};
use super::{Classic, Kind, Limits, Merged, Native, Reported, Sample, Window};
use crate::pod_metrics::{Absence, Reading, Value};

/// A sample whose timestamp is this much later than the scrape is not used.
const FUTURE: Duration = Duration::from_secs(10);

/// A sample whose timestamp is older than this many intervals is not used.
const PAST_INTERVALS: u32 = 5;

/// A family of a pod.
#[derive(Debug, Clone)]
pub(in crate::pod_metrics) struct Family {
    pub(in crate::pod_metrics) name: Arc<str>,
    pub(in crate::pod_metrics) kind: Kind,
    /// Sorted by labels.
    series: Vec<Series>,
    /// Whether a limit refused series of the last page, so that a sum of the others is none of all.
    cut: bool,
}

#[derive(Debug, Clone)]
struct Series {
    labels: Labels,
    data: Data,
}

/// The samples of a series that a value may need.
#[derive(Debug, Clone)]
enum Data {
    /// A gauge: the last one.
    Last(Value),
    Number(Window<f64>),
    Classic(Window<Classic>),
    Native(Window<Native>),
    /// The sum and the count, and the last quantiles.
    Summary(Window<(f64, f64)>, Box<[(f64, f64)]>),
}

impl Family {
    /// Replaces the families of a pod by those of a scrape that ended at `now`. A series that was there before continues.
    /// A series without a usable sample is gone: if it comes back, its rate starts anew.
    pub(in crate::pod_metrics) fn merge(
        families: &mut Vec<Self>,
        mut reported: Vec<Reported>,
        now: Timestamp,
        limits: &Limits,
    ) -> Merged {
        let mut merged = Merged::default();
        // The sort is stable: of repeated series the first counts.
        reported
            .sort_by(|one, other| (&one.family, &one.labels).cmp(&(&other.family, &other.labels)));
        let before = families
            .iter()
            .map(|family| family.series.len())
            .sum::<usize>();
        let most_new = limits.series.saturating_sub(before).min(limits.room);
        let (mut new, mut growth) = (0, limits.growth);
        let mut old = std::mem::take(families).into_iter().peekable();
        let mut previous: Option<Self> = None;
        for one in reported {
            let mut refuse = |reason| merged.unused.push((reason, Arc::clone(&one.family)));
            if families
                .last()
                .is_none_or(|family| family.name != one.family)
            {
                while old.next_if(|family| family.name < one.family).is_some() {}
                previous = old.next_if(|family| family.name == one.family);
                if let Some(previous) = &previous
                    && previous.kind != one.kind
                {
                    refuse("type_changed");
                }
                previous = previous.filter(|family| family.kind == one.kind);
                families.push(Self {
                    name: Arc::clone(&one.family),
                    kind: one.kind,
                    series: Vec::new(),
                    cut: false,
                });
            }
            let Some(family) = families.last_mut() else {
                continue;
            };
            if family.kind != one.kind
                || family
                    .series
                    .last()
                    .is_some_and(|last| last.labels == one.labels)
            {
                refuse("repeated");
                continue;
            }
            if let Some(reason) = one.sample.problem(one.kind) {
                refuse(reason);
                continue;
            }
            let at = match time_of(&one, now, limits) {
                Ok(at) => at,
                Err(reason) => {
                    refuse(reason);
                    continue;
                }
            };
            let known = previous
                .as_mut()
                .and_then(|previous| previous.take(&one.labels));
            if known.is_none() {
                if new >= most_new {
                    refuse("series_limit");
                    family.cut = true;
                    merged.is_cut = true;
                    continue;
                }
                new += 1;
            }
            // What is later than that was stored before the clock was set back, and would stand still until then.
            let latest = latest(&one, now, limits);
            let known = known.map(|it| it.data);
            let size = known.as_ref().map_or(0, Data::bytes);
            let data = Data::next(
                known.filter(|it| it.at().is_some_and(|at| at <= latest)),
                one.kind,
                at,
                one.sample,
                limits.window,
            );
            let Some(left) = growth.checked_sub(data.bytes().saturating_sub(size)) else {
                refuse("memory_limit");
                family.cut = true;
                merged.is_cut = true;
                continue;
            };
            growth = left;
            family.series.push(Series {
                labels: one.labels,
                data,
            });
        }
        families.retain(|family| !family.series.is_empty());
        for family in families {
            family.series.shrink_to_fit();
        }
        merged
    }

    /// A gauge with these series, for values that are computed elsewhere.
    pub(in crate::pod_metrics) fn of_values(
        name: Arc<str>,
        mut series: Vec<(Labels, Value)>,
    ) -> Self {
        series.sort_by(|(one, _), (other, _)| one.cmp(other));
        let series = series.into_iter().map(|(labels, value)| Series {
            labels,
            data: Data::Last(value),
        });
        Self {
            name,
            kind: Kind::Gauge,
            series: series.collect(),
            cut: false,
        }
    }

    /// Takes a series out.
    fn take(&mut self, labels: &Labels) -> Option<Series> {
        let at = self
            .series
            .binary_search_by(|it| it.labels.cmp(labels))
            .ok()?;
        Some(self.series.remove(at))
    }

    /// The number of series.
    pub(in crate::pod_metrics) fn len(&self) -> usize {
        self.series.len()
    }

    /// The number of series that a selector matches.
    pub(in crate::pod_metrics) fn matching(&self, selector: &LabelSelector) -> usize {
        let series = self.series.iter();
        series.filter(|it| selector.matches(&it.labels)).count()
    }

    /// The labels of each series, and what is read from it alone, if that is finite.
    pub(in crate::pod_metrics) fn each(
        &self,
        reading: Reading,
    ) -> impl Iterator<Item = (&Labels, Value)> {
        self.series.iter().filter_map(move |series| {
            let value = self.value(reading, &[&series.data]).ok()?;
            value.value.is_finite().then_some((&series.labels, value))
        })
    }

    /// What is read from all series that a selector matches: their sum; of a quantile or a mean, that of the merged
    /// histogram. Nothing if series are missing because of a limit.
    pub(in crate::pod_metrics) fn read(
        &self,
        reading: Reading,
        selector: &LabelSelector,
    ) -> Result<Value, Absence> {
        if self.cut {
            return Err(Absence::Limited);
        }
        let selected: Vec<&Data> = self
            .series
            .iter()
            .filter(|it| selector.matches(&it.labels))
            .map(|it| &it.data)
            .collect();
        if selected.is_empty() {
            return Err(Absence::NoSeries);
        }
        let value = self.value(reading, &selected)?;
        if value.value.is_finite() {
            Ok(value)
        } else {
            Err(Absence::NotFinite)
        }
    }

    fn value(&self, reading: Reading, series: &[&Data]) -> Result<Value, Absence> {
        let other_type = |what| Absence::OtherType {
            kind: self.kind.as_str(),
            what,
        };
        match (self.kind, reading) {
            (Kind::Gauge | Kind::Untyped, Reading::Plain) => {
                let values = series.iter().filter_map(|it| it.last());
                values.reduce(Value::plus).ok_or(Absence::NoSeries)
            }
            (Kind::Gauge, Reading::PerSecond) => Err(other_type("rate")),
            (_, Reading::Plain | Reading::PerSecond) => {
                let rates = series.iter().filter_map(|it| it.rate());
                rates.reduce(Value::plus).ok_or(Absence::OneSample)
            }
            (Kind::Gauge | Kind::Counter | Kind::Untyped, Reading::Mean) => Err(other_type("mean")),
            (_, Reading::Mean) => mean(series),
            (Kind::Histogram, Reading::Quantile(it)) => {
                let increases = series.iter().filter_map(|it| it.classic());
                let merged = merge(increases, Classic::merge).ok_or(Absence::OneSample)?;
                let value = merged.value.quantile(it.fraction());
                value
                    .map(|value| merged.value(value))
                    .ok_or(Absence::NoObservations)
            }
            (Kind::NativeHistogram, Reading::Quantile(it)) => {
                let increases = series.iter().filter_map(|it| it.native());
                let merged = merge(increases, Native::add).ok_or(Absence::OneSample)?;
                let value = merged.value.quantile(it.fraction());
                value
                    .map(|value| merged.value(value))
                    .ok_or(Absence::NoObservations)
            }
            (Kind::Summary, Reading::Quantile(it)) => match series {
                [one] => one
                    .own_quantile(it.fraction())
                    .ok_or_else(|| other_type("such quantile")),
                _ => Err(Absence::SeveralSummaries),
            },
            (_, Reading::Quantile(_)) => Err(other_type("quantiles")),
        }
    }

    /// The memory in bytes, without labels, which are shared with other pods of a workload or counted as long as they are.
    pub(in crate::pod_metrics) fn bytes(&self) -> usize {
        let of = |series: &Series| {
            let labels = series.labels.iter();
            let labels =
                labels.map(|(key, value)| key.len() + value.len() + 4 * size_of::<usize>());
            size_of::<Series>() + labels.sum::<usize>() + series.data.bytes()
        };
        size_of::<Self>() + self.series.iter().map(of).sum::<usize>()
    }
}

/// The time of a sample: its own timestamp if that counts, or the end of the scrape.
fn time_of(one: &Reported, now: Timestamp, limits: &Limits) -> Result<Timestamp, &'static str> {
    let Some(at) = one.at.filter(|_| limits.honor_timestamps) else {
        return Ok(now);
    };
    let nanos = |duration: Duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
    if at > latest(one, now, limits) {
        return Err("future");
    }
    if at.0
        < now
            .0
            .saturating_sub(nanos(limits.interval * PAST_INTERVALS))
    {
        return Err("past");
    }
    Ok(at)
}

/// The latest time that a sample can have.
fn latest(one: &Reported, now: Timestamp, limits: &Limits) -> Timestamp {
    let early = one.at.filter(|_| limits.honor_timestamps).map(|_| FUTURE);
    let nanos = i64::try_from(early.unwrap_or_default().as_nanos()).unwrap_or(i64::MAX);
    Timestamp(now.0.saturating_add(nanos))
}

/// Merges increases. The window is the longest, the time the oldest.
fn merge<T>(
    increases: impl Iterator<Item = Increase<T>>,
    with: impl Fn(&mut T, &T),
) -> Option<Increase<T>> {
    increases.reduce(|mut merged, other| {
        with(&mut merged.value, &other.value);
        merged.over = merged.over.max(other.over);
        merged.at = merged.at.min(other.at);
        merged
    })
}

/// The mean of the observations of all series.
fn mean(series: &[&Data]) -> Result<Value, Absence> {
    let increases = series.iter().filter_map(|it| it.sum_and_count());
    let merged = merge(increases, Cumulative::add).ok_or(Absence::OneSample)?;
    let (sum, count) = merged.value;
    if count <= 0.0 {
        return Err(Absence::NoObservations);
    }
    Ok(merged.value(sum / count))
}

impl<T> Increase<T> {
    /// A value over the time of the increase.
    fn value(&self, value: f64) -> Value {
        Value {
            value,
            at: self.at,
            window: Some(self.over),
        }
    }

    /// The increase with another value.
    fn map<U>(self, with: impl FnOnce(T) -> U) -> Increase<U> {
        Increase {
            value: with(self.value),
            over: self.over,
            at: self.at,
        }
    }
}

impl Increase<f64> {
    fn rate(&self) -> Value {
        self.value(self.value / self.over.as_secs_f64())
    }
}

impl Data {
    /// The data with a sample more.
    fn next(
        before: Option<Self>,
        kind: Kind,
        at: Timestamp,
        sample: Sample,
        window: Duration,
    ) -> Self {
        fn push<T: Cumulative>(
            mut before: Window<T>,
            at: Timestamp,
            sample: T,
            window: Duration,
        ) -> Window<T> {
            before.push(at, sample, window);
            before
        }
        match (sample, before) {
            (Sample::Number(value), before) if kind == Kind::Gauge => match before {
                Some(Self::Last(before)) if before.at >= at => Self::Last(before),
                _ => Self::Last(Value {
                    value,
                    at,
                    window: None,
                }),
            },
            (Sample::Number(value), Some(Self::Number(before))) => {
                Self::Number(push(before, at, value, window))
            }
            (Sample::Number(value), _) => Self::Number(Window::new(at, value)),
            (Sample::Classic(mut value), Some(Self::Classic(before))) => {
                let same = before
                    .last()
                    .filter(|(_, last)| last.bounds == value.bounds);
                match same {
                    Some((_, last)) => {
                        value.bounds = Arc::clone(&last.bounds);
                        Self::Classic(push(before, at, value, window))
                    }
                    // With other buckets it starts anew.
                    None => Self::Classic(Window::new(at, value)),
                }
            }
            (Sample::Classic(value), _) => Self::Classic(Window::new(at, value)),
            (Sample::Native(value), Some(Self::Native(before))) => {
                Self::Native(push(before, at, *value, window))
            }
            (Sample::Native(value), _) => Self::Native(Window::new(at, *value)),
            (Sample::Summary(value), before) => {
                let sum_and_count = (value.sum, value.count);
                match before {
                    Some(Self::Summary(mut before, quantiles)) => {
                        let is_new = before.push(at, sum_and_count, window);
                        Self::Summary(before, if is_new { value.quantiles } else { quantiles })
                    }
                    _ => Self::Summary(Window::new(at, sum_and_count), value.quantiles),
                }
            }
        }
    }

    /// The time of the last sample.
    fn at(&self) -> Option<Timestamp> {
        match self {
            Self::Last(value) => Some(value.at),
            Self::Number(window) => window.last().map(|(at, _)| *at),
            Self::Classic(window) => window.last().map(|(at, _)| *at),
            Self::Native(window) => window.last().map(|(at, _)| *at),
            Self::Summary(window, _) => window.last().map(|(at, _)| *at),
        }
    }

    /// The last value of a number.
    fn last(&self) -> Option<Value> {
        match self {
            Self::Last(value) => Some(*value),
            Self::Number(window) => window.last().map(|(at, value)| Value {
                value: *value,
                at: *at,
                window: None,
            }),
            _ => None,
        }
    }

    /// The rate of a counter or of observations.
    fn rate(&self) -> Option<Value> {
        let increase = match self {
            Self::Last(_) => None,
            Self::Number(window) => window.increase(),
            _ => self.sum_and_count().map(|it| it.map(|(_, count)| count)),
        };
        increase.map(|it| it.rate())
    }

    fn classic(&self) -> Option<Increase<Classic>> {
        match self {
            Self::Classic(window) => window.increase(),
            _ => None,
        }
    }

    fn native(&self) -> Option<Increase<Native>> {
        match self {
            Self::Native(window) => window.increase(),
            _ => None,
        }
    }

    /// The increases of the sum and the count of observations.
    fn sum_and_count(&self) -> Option<Increase<(f64, f64)>> {
        match self {
            Self::Last(_) | Self::Number(_) => None,
            Self::Classic(window) => window
                .increase()
                .map(|it| it.map(|it| (it.sum, it.count()))),
            Self::Native(window) => window.increase().map(|it| it.map(|it| (it.sum, it.count))),
            Self::Summary(window, _) => window.increase(),
        }
    }

    /// A quantile that a summary exposes.
    fn own_quantile(&self, quantile: f64) -> Option<Value> {
        let Self::Summary(window, quantiles) = self else {
            return None;
        };
        let (_, value) = quantiles
            .iter()
            .find(|(it, _)| (it - quantile).abs() < 1e-9)?;
        let (at, _) = window.last()?;
        value.is_finite().then_some(Value {
            value: *value,
            at: *at,
            window: None,
        })
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Last(_) => 0,
            Self::Number(window) => window.bytes(),
            Self::Classic(window) => {
                let bounds = window.last().map_or(0, |(_, it)| size_of_val(&*it.bounds));
                window.bytes() + bounds
            }
            Self::Native(window) => window.bytes(),
            Self::Summary(window, quantiles) => window.bytes() + size_of_val(&**quantiles),
        }
    }
}
