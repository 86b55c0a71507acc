//! Converts lists of kubevitals.io into rows, object by object while parsing: the objects of a list are never in memory
//! at once.

use std::fmt;
use std::marker::PhantomData;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{NodeVitals, PodVitals, Trend};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

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

/// The rows of a list.
///
/// # Errors
/// The body is not a list.
pub(super) fn reduced<R: Reduced>(body: &[u8], names: &Names) -> Result<Rows<R>, Error> {
    let rows = Converter {
        names,
        of: PhantomData::<R>,
    };
    serde_json::Deserializer::from_slice(body)
        .deserialize_map(rows)
        .map_err(Error::unreadable)
}

/// Visits a list, and then its items.
struct Converter<'a, R> {
    names: &'a Names,
    of: PhantomData<R>,
}

impl<'de, R: Reduced> DeserializeSeed<'de> for Converter<'_, R> {
    type Value = Rows<R>;

    fn deserialize<D: Deserializer<'de>>(self, items: D) -> Result<Self::Value, D::Error> {
        items.deserialize_seq(self)
    }
}

impl<'de, R: Reduced> Visitor<'de> for Converter<'_, R> {
    type Value = Rows<R>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let Self { names, of } = self;
        let mut rows = (Vec::new(), Vec::new());
        while let Some(key) = list.next_key::<String>()? {
            if key == "items" {
                rows = list.next_value_seed(Converter { names, of })?;
            } else {
                list.next_value::<IgnoredAny>()?;
            }
        }
        Ok(rows)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let (mut rows, mut pasts) = (Vec::new(), Vec::new());
        while let Some(item) = items.next_element::<R::Of>()? {
            let (row, trend) = R::reduce(item, self.names);
            if let Some(trend) = trend {
                pasts.push((row.key(), readings(&trend)));
            }
            rows.push(row);
        }
        Ok((rows, pasts))
    }
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
    fn a_list_becomes_rows_and_histories() {
        let body = r#"{"kind":"NodeVitalsList","metadata":{"resourceVersion":"1"},"items":[
            {"metadata":{"name":"n1"},"ready":true,"trend":{"until":"1970-01-01T00:01:00Z","step":"15s",
                "cpu":[null,5,7],"memory":[null,null,9]}},{"metadata":{"name":"n2"}}]}"#;
        let (rows, pasts) = reduced::<NodeRow>(body.as_bytes(), &Names::default()).unwrap();
        assert_eq!(rows.len(), 2);
        let [(key, readings)] = pasts.as_slice() else {
            panic!("one past")
        };
        assert_eq!(&*key.name, "n1");
        let times: Vec<i64> = readings.iter().map(|(time, _)| time.as_secs()).collect();
        assert_eq!(times, [45, 60]);
        assert!(reduced::<NodeRow>(b"[]", &Names::default()).is_err());
    }
}
