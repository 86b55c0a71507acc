//! Converts objects of kubevitals.io into rows.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{NodeVitals, PodVitals, Trend};
use serde::Deserialize;

use super::Error;
use crate::model::Row;
use crate::model::row::{NodeRow, PodRow};
use crate::model::{Amounts, Key, Names};

/// A row that an object converts into.
pub(super) trait Reduced: Row {
    /// The object.
    type Of: for<'de> Deserialize<'de>;

    /// The resource of the objects.
    const RESOURCE: &'static str;

    /// The row, and the recent history if the object has one.
    fn reduce(of: Self::Of, names: &Names) -> (Self, Option<Trend>)
    where
        Self: Sized;
}

impl Reduced for PodRow {
    type Of = PodVitals;
    const RESOURCE: &'static str = "podvitals";

    fn reduce(of: PodVitals, names: &Names) -> (Self, Option<Trend>) {
        (Self::from_vitals(&of, names), of.trend)
    }
}

impl Reduced for NodeRow {
    type Of = NodeVitals;
    const RESOURCE: &'static str = "nodevitals";

    fn reduce(of: NodeVitals, names: &Names) -> (Self, Option<Trend>) {
        (Self::from_vitals(&of, names), of.trend)
    }
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
) -> Result<(R, Option<Readings>), Error> {
    let object: R::Of = serde_json::from_slice(object).map_err(Error::unreadable)?;
    let (row, trend) = R::reduce(object, names);
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
        let (row, history) = reduced::<NodeRow>(object, &names).unwrap();
        let (key, readings) = history.unwrap();
        assert_eq!((&*row.name, key), ("n1", row.key()));
        let times: Vec<i64> = readings.iter().map(|(time, _)| time.as_secs()).collect();
        assert_eq!(times, [45, 60]);
        let (_, none) = reduced::<NodeRow>(br#"{"metadata":{"name":"n2"}}"#, &names).unwrap();
        assert_eq!(none, None);
        assert!(reduced::<NodeRow>(b"7", &names).is_err());
    }
}
