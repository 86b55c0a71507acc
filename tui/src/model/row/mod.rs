//! Rows: one for each object that is shown, with what is shown of it and nothing else.
//!
//! A source reduces what it reads to rows while it reads it, so that a cluster of 150,000 pods is never in memory in
//! its wire form.

mod cluster;
mod container;
mod figures;
mod hpa;
mod incident;
mod namespace;
mod node;
mod pod;
mod probes;
mod resize;
mod restarts;
mod rollup;
mod vitals;
mod workload;

pub use super::name::Workload;
pub use cluster::ClusterRow;
pub use container::{Container, ContainerRow, ContainerState};
pub use hpa::{HpaMetric, HpaRow, Limited};
pub use incident::IncidentRow;
pub use namespace::NamespaceRow;
pub use node::{NodeRow, Pressure};
pub use pod::{Phase, PodRow};
pub use probes::Probes;
pub use resize::{Bounds, Resize};
pub use restarts::{LastRestart, Restarts};
pub use rollup::Rollup;
pub(crate) use vitals::uid_hash;
pub use workload::{Replicas, WorkloadRow};

use std::borrow::Cow;
use std::cmp::Ordering;

use kubevitals_proto::time::Timestamp;

use super::amount::{Cpu, Memory};
use super::cell::Cell;
use super::column::Column;
use super::field::{Field, Fields};
use super::format;
use super::name::Key;
use super::tone::{Thresholds, Tone};

/// A row of a table.
pub trait Row: Fields {
    /// Which object it is of.
    fn key(&self) -> Key;

    /// How its key is to that of another row. Where tables are large this is done without making keys, which counts
    /// names up and down.
    fn in_order(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }

    /// How its key is to this one; as [`Row::in_order`].
    fn against(&self, key: &Key) -> Ordering {
        self.key().cmp(key)
    }

    /// The columns that a table of such rows can have, in their order.
    fn columns() -> &'static [Column];

    /// Fields that an export for programs has beside this one: the numbers of a fraction, when and why.
    fn exported_with(field: Field) -> &'static [Field] {
        let _ = field;
        &[]
    }

    /// What a column shows of this row.
    fn cell(&self, field: Field, context: &Context) -> Cell;
}

/// What a cell depends on beside its row.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Context {
    /// The time that is shown.
    pub now: Timestamp,
    /// From where on a part is much, and too much.
    pub thresholds: Thresholds,
}

/// The text of an amount of CPU; a dash where it is not known.
fn cpu_text(cpu: Cpu) -> Cow<'static, str> {
    cpu.get()
        .map_or(format::UNKNOWN.into(), |cpu| format::cpu(cpu).into())
}

/// The text of an amount of memory; a dash where it is not known.
fn memory_text(memory: Memory) -> Cow<'static, str> {
    memory.get().map_or(format::UNKNOWN.into(), |memory| {
        format::bytes(memory).into()
    })
}

/// The text of a part; a dash where it is not known.
fn part_text(part: Option<f64>) -> Cow<'static, str> {
    part.map_or(format::UNKNOWN.into(), |part| format::percent(part).into())
}

/// The text of the time since `then`; a dash where it is not known.
fn age_text(then: Option<Timestamp>, now: Timestamp) -> Cow<'static, str> {
    then.map_or(format::UNKNOWN.into(), |then| format::age(then, now).into())
}

/// Yes or no.
fn flag_text(flag: bool) -> Cow<'static, str> {
    if flag { "true" } else { "false" }.into()
}

/// A part as a percentage.
fn percent(part: Option<f64>) -> Option<f64> {
    part.map(|part| part * 100.0)
}

/// Seconds since `then`.
#[expect(
    clippy::cast_precision_loss,
    reason = "seconds are exact for longer than Kubernetes will be"
)]
fn seconds(then: Option<Timestamp>, now: Timestamp) -> Option<f64> {
    then.map(|then| (now.since(then) as f64 / 1e9).max(0.0))
}

/// A time kept in seconds; zero is none.
fn from_seconds(seconds: u32) -> Option<Timestamp> {
    (seconds > 0).then(|| Timestamp::from_secs(seconds.into()))
}

/// A time as seconds that fit where there was room; zero is none, or one that does not fit.
fn to_seconds(time: Option<Timestamp>) -> u32 {
    time.and_then(|time| u32::try_from(time.as_secs()).ok())
        .unwrap_or_default()
}

/// A cell with the field's text, in the tone that its part calls for.
fn part_cell(part: Option<f64>, context: &Context) -> Cell {
    let tone = part.map_or(Tone::Dim, |part| context.thresholds.tone(part));
    Cell::new(part_text(part), tone)
}

/// A cell with a number of restarts of the last hour.
fn recent_cell(count: u32) -> Cell {
    let tone = if count > 0 { Tone::Warn } else { Tone::Dim };
    Cell::new(count.to_string().into(), tone)
}

/// A cell with a text, dimmed where it says nothing.
fn plain_cell(text: Cow<'_, str>) -> Cell {
    let tone = if text.is_empty() || text == format::UNKNOWN {
        Tone::Dim
    } else {
        Tone::Plain
    };
    Cell::new(text, tone)
}
