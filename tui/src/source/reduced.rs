//! Converts objects of kubevitals.io into rows.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{NodeVitals, PodVitals, Statistics, Trend};
use serde::Deserialize;

use super::Error;
use crate::model::Row;
use crate::model::row::{NodeRow, PodRow, to_seconds};
use crate::model::{Amounts, Key, Names, Stat};

/// A row that an object converts into.
pub(super) trait Reduced: Row {
    /// The object.
    type Of: for<'de> Deserialize<'de>;

    /// The resource of the objects.
    const RESOURCE: &'static str;

    /// The row, and the recent history if the object has one. With a statistic, the usage is that of the object's span.
    fn reduce(of: Self::Of, names: &Names, stat: Option<Stat>) -> (Self, Option<Trend>)
    where
        Self: Sized;
}

impl Reduced for PodRow {
    type Of = PodVitals;
    const RESOURCE: &'static str = "podvitals";

    fn reduce(of: PodVitals, names: &Names, stat: Option<Stat>) -> (Self, Option<Trend>) {
        let mut row = Self::from_vitals(&of, names);
        if let Some(stat) = stat {
            (row.usage, row.usage_seconds) = of_span(of.stats.as_ref(), stat);
            for (row, container) in row.containers.iter_mut().zip(&of.containers) {
                (row.usage, _) = of_span(container.stats.as_ref(), stat);
            }
        }
        (row, of.trend)
    }
}

impl Reduced for NodeRow {
    type Of = NodeVitals;
    const RESOURCE: &'static str = "nodevitals";

    fn reduce(of: NodeVitals, names: &Names, stat: Option<Stat>) -> (Self, Option<Trend>) {
        let mut row = Self::from_vitals(&of, names);
        if let Some(stat) = stat {
            (row.usage, row.usage_seconds) = of_span(of.stats.as_ref(), stat);
        }
        (row, of.trend)
    }
}

/// The statistic of the usage over a span, and the time of its last sample; unknown without a sample.
fn of_span(stats: Option<&Statistics>, stat: Stat) -> (Amounts, u32) {
    stats
        .filter(|stats| stats.samples > 0)
        .map_or_else(Default::default, |stats| {
            let amounts = Amounts {
                cpu: Nanocores(stat.of(&stats.cpu)).into(),
                memory: Bytes(stat.of(&stats.memory)).into(),
            };
            (amounts, to_seconds(Some(stats.until)))
        })
}

/// The recent history of an object, oldest first.
pub(super) type Readings = (Key, Vec<(Timestamp, Amounts)>);

/// Rows, and the histories that came with them.
pub(super) type Rows<R> = (Vec<R>, Vec<Readings>);

/// The row of an object of a list, and its recent history if it has one.
///
/// # Errors
/// The object cannot be parsed.
pub(super) fn reduced<R: Reduced>(
    object: &[u8],
    names: &Names,
    stat: Option<Stat>,
) -> Result<(R, Option<Readings>), Error> {
    let object: R::Of = serde_json::from_slice(object).map_err(Error::unreadable)?;
    let (row, trend) = R::reduce(object, names, stat);
    let readings = trend.map(|trend| (row.key(), readings(&trend)));
    Ok((row, readings))
}

/// Converts the steps of a trend into values at their ends.
fn readings(trend: &Trend) -> Vec<(Timestamp, Amounts)> {
    let steps = trend.cpu.len().max(trend.memory.len());
    let step = trend.step.as_nanos();
    (0..steps)
        .filter_map(|at| {
            let before = i64::try_from(steps - 1 - at).ok()?;
            let time = trend.until.plus_nanos(-before.saturating_mul(step));
            let cpu = trend.cpu.get(at).copied().flatten();
            let memory = trend.memory.get(at).copied().flatten();
            let amounts = Amounts {
                cpu: cpu.map(Nanocores).into(),
                memory: memory.map(Bytes).into(),
            };
            (cpu.is_some() || memory.is_some()).then_some((time, amounts))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_becomes_a_row_and_its_history() {
        let names = Names::default();
        let object = br#"{"metadata":{"name":"n1"},"ready":true,"trend":{"until":"1970-01-01T00:01:00Z","step":"15s",
            "cpu":[null,5,7],"memory":[null,null,9]}}"#;
        let (row, history) = reduced::<NodeRow>(object, &names, None).unwrap();
        let (key, readings) = history.unwrap();
        assert_eq!((&*row.name, key), ("n1", row.key()));
        let times: Vec<i64> = readings.iter().map(|(time, _)| time.as_secs()).collect();
        assert_eq!(times, [45, 60]);
        let (_, none) = reduced::<NodeRow>(br#"{"metadata":{"name":"n2"}}"#, &names, None).unwrap();
        assert_eq!(none, None);
        assert!(reduced::<NodeRow>(b"7", &names, None).is_err());
    }

    #[test]
    fn a_statistic_replaces_the_usage_of_a_pod_and_its_containers() {
        let names = Names::default();
        let object = br#"{"metadata":{"name":"web"},"usage":{"cpu":"1","memory":"1Mi"},
            "stats":{"samples":4,"until":"1970-01-01T00:01:00Z","cpu":{"p50":10,"p95":40},"memory":{"p95":2000}},
            "containers":[{"name":"a","usage":{"cpu":"1","memory":"1Mi"},"stats":{"samples":4,"cpu":{"p95":30}}},
                {"name":"b","usage":{"cpu":"1","memory":"1Mi"}},
                {"name":"c","stats":{"samples":0}}]}"#;
        let (row, _) = reduced::<PodRow>(object, &names, Some(Stat::P95)).unwrap();
        assert_eq!(row.usage.cpu.get(), Some(Nanocores(40)));
        assert_eq!(row.usage.memory.get(), Some(Bytes(2_000)));
        assert_eq!(row.usage_seconds, 60);
        let cpu: Vec<_> = row.containers.iter().map(|it| it.usage.cpu.get()).collect();
        assert_eq!(cpu, [Some(Nanocores(30)), None, None]);
        let (row, _) = reduced::<PodRow>(object, &names, None).unwrap();
        assert_eq!(row.usage.cpu.get(), Some(Nanocores(1_000_000_000)));
    }
}
