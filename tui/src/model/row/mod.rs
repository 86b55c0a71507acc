//! Rows: one for each object on the screen, with only the data that the screen shows.
//!
//! Sources convert objects to rows while they decode them, so that the objects of a cluster with 150,000 pods are never
//! in memory at once.

mod availability;
mod change;
mod cluster;
mod container;
mod containers;
mod context;
mod drain;
mod entry;
mod forecast;
mod gpu;
mod group;
mod hpa;
mod incident;
mod member;
mod namespace;
mod node;
mod objects;
mod pod;
mod probe;
mod probe_rows;
mod probes;
mod problem;
mod resize;
mod resources;
mod restarts;
mod rollup;
mod value;
mod vitals;
mod volume;
mod workload;

pub use super::name::Workload;
pub use availability::AvailabilityCells;
pub use change::ChangeRow;
pub use cluster::ClusterRow;
pub use container::{Container, ContainerState};
pub use containers::ContainerRow;
pub use context::Context;
pub use drain::{Drain, DrainState};
pub use entry::{Entry, FieldIndexes, Searched};
pub use forecast::ForecastRow;
pub use gpu::{Gpu, PodGpus};
pub use group::GroupRow;
pub use hpa::{HpaMetric, HpaRow, Limited, MetricKind};
pub use incident::IncidentRow;
pub use kubevitals_proto::objects::Phase;
pub use member::{Health, MemberIncidentRow, MemberRow};
pub use namespace::NamespaceRow;
pub use node::NodeRow;
pub use pod::PodRow;
pub use probe::Probe;
pub use probe_rows::ProbeRow;
pub use probes::Probes;
pub use problem::{ProblemRow, Urgency};
pub use resize::{Bounds, Resize};
pub use restarts::{LastRestart, Restarts};
pub(crate) use restarts::{RECENT_SECONDS, is_recent};
pub use rollup::Rollup;
pub use value::Value;
pub(crate) use vitals::uid_hash;
pub use volume::{Claim, ClaimPhase, ClaimReason, VolumeRow, VolumeUsage};
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
use super::view_info::ViewInfo;

/// A row of a table. [`Row::FIELDS`] defines its fields for filters, sorting, drawing and export.
pub trait Row: Sized + Send + Sync + 'static {
    /// All fields, columns in order.
    const FIELDS: &'static [Entry<Self>];

    /// The view of these rows.
    const VIEW: ViewInfo;

    /// The index of each field in [`Row::FIELDS`].
    const INDEXES: &'static FieldIndexes = &entry::indexes(Self::FIELDS);

    /// The indexes in [`Row::FIELDS`] of the fields that are searched for a word.
    const SEARCHED: &'static Searched = &entry::searched(Self::FIELDS);

    /// The key of the object.
    fn key(&self) -> Key;

    /// Compares the keys of two rows. Kinds with many rows compare without building keys.
    fn in_order(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }

    /// Compares the row's key with another key; as [`Row::in_order`].
    fn against(&self, key: &Key) -> Ordering {
        self.key().cmp(key)
    }

    /// Whether the row is within the limits of a view.
    fn is_in(&self, limits: &Limits<'_>) -> bool;

    /// What `enter` opens on the row.
    fn open(&self) -> Open;

    /// The object, as `kubectl get -o name` prints it: `pod/web-1`.
    fn reference(&self) -> String;

    /// The labels of the object, if this kind of row has them.
    fn labels(&self) -> Option<&Labels> {
        None
    }

    /// The entry of a field. `None` if this kind of row has no such field.
    #[must_use]
    fn entry(field: Field) -> Option<&'static Entry<Self>> {
        let index = *Self::INDEXES.get(field as usize)?;
        Self::FIELDS.get(usize::from(index))
    }

    /// The columns that a table of these rows can have, in order.
    #[must_use]
    fn columns() -> Vec<Column> {
        Self::FIELDS
            .iter()
            .filter_map(|entry| entry.column)
            .collect()
    }

    /// All fields, columns in order.
    #[must_use]
    fn fields() -> Vec<Field> {
        Self::FIELDS.iter().map(|entry| entry.field).collect()
    }

    /// The value of a field. `None` if this kind of row has no such field.
    fn value(&self, field: Field) -> Option<Value<'_>> {
        Self::entry(field).map(|entry| entry.value(self))
    }

    /// The text of a field. `None` if this kind of row has no such field; empty if there is no value.
    fn text(&self, field: Field, now: Timestamp) -> Option<Cow<'_, str>> {
        self.value(field).map(|value| value.text(now))
    }

    /// The number of a field, in its unit. `None` if this kind of row has no such field, or the value is unknown.
    fn number(&self, field: Field, now: Timestamp) -> Option<f64> {
        self.value(field)?.number(now)
    }

    /// The values in which a word of a filter is searched.
    fn searched(&self) -> impl Iterator<Item = Value<'_>> {
        Self::SEARCHED
            .iter()
            .map_while(|index| Self::FIELDS.get(usize::from(*index)))
            .map(|entry| entry.value(self))
    }

    /// The cell of a field's column. `None` if this kind of row has no such field.
    fn cell(&self, field: Field, context: &Context) -> Option<Cell> {
        Self::entry(field).map(|entry| entry.cell(self, context))
    }
}

/// The time from seconds since the epoch; zero is none.
fn from_seconds(seconds: u32) -> Option<Timestamp> {
    (seconds > 0).then(|| Timestamp::from_secs(seconds.into()))
}

/// A time in seconds since the epoch; zero for none, or for a time that does not fit.
pub(crate) fn to_seconds(time: Option<Timestamp>) -> u32 {
    time.and_then(|time| u32::try_from(time.as_secs()).ok())
        .unwrap_or_default()
}
