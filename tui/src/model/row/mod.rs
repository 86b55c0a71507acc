//! Rows: one for each object that is shown, with what is shown of it and nothing else.
//!
//! A source reduces what it reads to rows while it reads it, so that a cluster of 150,000 pods is never in memory in
//! its wire form.

mod cluster;
mod container;
mod containers;
mod entry;
mod figures;
mod hpa;
mod incident;
mod namespace;
mod node;
mod objects;
mod pod;
mod probes;
mod resize;
mod restarts;
mod rollup;
mod value;
mod vitals;
mod workload;

pub use super::name::Workload;
pub use cluster::ClusterRow;
pub use container::{Container, ContainerState};
pub use containers::ContainerRow;
pub use entry::{Entry, Places, Searched};
pub use hpa::{HpaMetric, HpaRow, Limited};
pub use incident::IncidentRow;
pub use kubevitals_proto::objects::Phase;
pub use namespace::NamespaceRow;
pub use node::NodeRow;
pub use pod::PodRow;
pub use probes::Probes;
pub use resize::{Bounds, Resize};
pub use restarts::{LastRestart, Restarts};
pub use rollup::Rollup;
pub use value::Value;
pub(crate) use vitals::uid_hash;
pub use workload::{Replicas, WorkloadRow};

use std::borrow::Cow;
use std::cmp::Ordering;

use kubevitals_proto::labels::Labels;
use kubevitals_proto::time::Timestamp;

use super::cell::Cell;
use super::column::Column;
use super::field::Field;
use super::name::Key;
use super::scope::{Limits, Open};
use super::tone::Thresholds;
use super::view_info::ViewInfo;

/// A row of a table. Its kind says by one table of entries what filters, sorting, drawing and export know of it.
pub trait Row: Sized + Send + Sync + 'static {
    /// Every field of such rows, the columns in their order.
    const FIELDS: &'static [Entry<Self>];

    /// The view of such rows.
    const VIEW: ViewInfo;

    /// Where each field is in [`Row::FIELDS`].
    const PLACES: &'static Places = &entry::places(Self::FIELDS);

    /// Where the fields are in [`Row::FIELDS`] that are searched for a word.
    const SEARCHED: &'static Searched = &entry::searched(Self::FIELDS);

    /// Which object it is of.
    fn key(&self) -> Key;

    /// Compares the keys of two rows. Kinds of which there are many compare them without building them.
    fn in_order(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }

    /// Compares the row's key with another; as [`Row::in_order`].
    fn against(&self, key: &Key) -> Ordering {
        self.key().cmp(key)
    }

    /// Whether the row is within what a view is limited to.
    fn is_in(&self, limits: &Limits<'_>) -> bool;

    /// What Enter opens on the row.
    fn open(&self) -> Open;

    /// The labels, for kinds of rows that have any.
    fn labels(&self) -> Option<&Labels> {
        None
    }

    /// The entry of a field. None if rows of this kind have no such field.
    #[must_use]
    fn entry(field: Field) -> Option<&'static Entry<Self>> {
        let place = *Self::PLACES.get(field as usize)?;
        Self::FIELDS.get(usize::from(place))
    }

    /// The columns that a table of such rows can have, in their order.
    #[must_use]
    fn columns() -> Vec<Column> {
        Self::FIELDS
            .iter()
            .filter_map(|entry| entry.column)
            .collect()
    }

    /// The value of a field. None if rows of this kind have no such field.
    fn value(&self, field: Field) -> Option<Value<'_>> {
        Self::entry(field).map(|entry| entry.value(self))
    }

    /// The field as text. None if rows of this kind have no such field; empty if it has one and there is nothing to say.
    fn text(&self, field: Field, now: Timestamp) -> Option<Cow<'_, str>> {
        self.value(field).map(|value| value.text(now))
    }

    /// The field as a number in its unit. None if rows of this kind have no such field, or it is not known.
    fn number(&self, field: Field, now: Timestamp) -> Option<f64> {
        self.value(field)?.number(now)
    }

    /// The values in which a word of a filter is searched.
    fn searched(&self) -> impl Iterator<Item = Value<'_>> {
        Self::SEARCHED
            .iter()
            .map_while(|place| Self::FIELDS.get(usize::from(*place)))
            .map(|entry| entry.value(self))
    }

    /// What the column of a field shows. None if rows of this kind have no such field.
    fn cell(&self, field: Field, context: &Context) -> Option<Cell> {
        Self::entry(field).map(|entry| entry.cell(self, context))
    }
}

/// What a cell depends on beside its row.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Context {
    /// The time that is shown.
    pub now: Timestamp,
    /// From where on a part is much, and too much.
    pub thresholds: Thresholds,
}

/// A time stored as seconds; zero is none.
fn from_seconds(seconds: u32) -> Option<Timestamp> {
    (seconds > 0).then(|| Timestamp::from_secs(seconds.into()))
}

/// A time as seconds that fit where there was room; zero is none, or one that does not fit.
fn to_seconds(time: Option<Timestamp>) -> u32 {
    time.and_then(|time| u32::try_from(time.as_secs()).ok())
        .unwrap_or_default()
}
