//! Rows of forecasts: what runs out.

use kubevitals_proto::time::Timestamp;

use super::{Entry, Row};
use crate::model::field::Field;
use crate::model::name::Key;
use crate::model::part::Part;
use crate::model::scope::{Limits, Open, Scope};
use crate::model::view_info::ViewInfo;

/// An amount that reaches its capacity at the present trend.
#[derive(Debug, Clone, PartialEq)]
pub struct ForecastRow {
    /// The key; its part is the container and the amount.
    pub key: Key,
    /// The object in words: a node, a pod, a pod and a container.
    pub object: String,
    /// What happens: `memory full`, `memory limit reached`, `disk full`, `pods full`.
    pub what: &'static str,
    /// The part of the capacity that is used now.
    pub used: f64,
    /// When the capacity is reached.
    pub full_at: Timestamp,
    /// The node or the pod.
    pub scope: Scope,
}

type E = Entry<ForecastRow>;

impl Row for ForecastRow {
    const FIELDS: &'static [E] = &[
        E::text(Field::Namespace, "NAMESPACE", (9, 20), 2, |row| {
            (&row.key.namespace).into()
        }),
        E::text(Field::Name, "NAME", (12, 63), 0, |row| {
            row.object.as_str().into()
        }),
        E::text(Field::Message, "WHAT", (6, 12), 1, |row| row.what.into()),
    ];

    const VIEW: ViewInfo = ViewInfo::new("Forecasts", "Fcst", "forecasts", Part::Pods);

    fn key(&self) -> Key {
        self.key.clone()
    }

    // The rule that makes the rows has applied the limits.
    fn is_in(&self, _: &Limits<'_>) -> bool {
        true
    }

    fn open(&self) -> Open {
        self.scope.clone().into()
    }

    fn reference(&self) -> String {
        match &self.scope {
            Scope::Node(node) => format!("node/{node}"),
            _ => format!("pod/{}", self.key.name),
        }
    }
}
