//! Amounts in headings of charts.

use kubevitals_proto::units::{Bytes, Nanocores};

use super::canvas::Segment;
use super::theme::Ink;
use crate::model::row::ClusterRow;
use crate::model::{Amounts, Resource, State, format};

/// The totals of a heading.
pub(super) struct Totals<'a> {
    /// The name of the object; empty for the cluster.
    pub(super) name: &'a str,
    /// The usage where the mouse points.
    pub(super) pointed: Option<Option<u64>>,
    /// The totals.
    pub(super) of: &'a ClusterRow,
}

/// Renders usage and capacity: `CPU 12.4/64 cores 19% req 43%`.
pub(super) fn amounts(
    totals: &Totals<'_>,
    resource: Resource,
    state: &State,
    space: u16,
) -> Vec<Segment> {
    let cluster = totals.of;
    let requested = cluster.requests.part_of(cluster.allocatable, resource);
    let (now, capacity) = (cluster.usage.get(resource), cluster.reporting.get(resource));
    let used = totals.pointed.unwrap_or(now);
    // A past value is one of all nodes.
    let part = match totals.pointed {
        None => cluster.used(resource),
        Some(_) => Amounts::by(|_| used).part_of(cluster.allocatable, resource),
    };
    let ink = totals.pointed.map_or(Ink::Plain, |_| Ink::Accent);
    let write = |value: Option<u64>| {
        let largest = used.max(capacity).unwrap_or(0);
        value.map_or(format::UNKNOWN.to_owned(), |value| {
            amount(resource, value, largest)
        })
    };
    let object = match totals.name {
        "" => String::new(),
        name => format!("{name} "),
    };
    let mut segments = vec![
        Segment::new(format!(" {} ", name(resource)), Ink::Heading),
        Segment::new(object, Ink::Accent),
        Segment::new(format!("{:>6}", write(used)), ink),
        Segment::muted(format!("/{:<6}", write(capacity))),
    ];
    if space >= 44 {
        let in_cores = used
            .max(capacity)
            .is_some_and(|largest| format::in_cores(Nanocores(largest)));
        let unit = if resource == Resource::Cpu && in_cores {
            "cores"
        } else {
            ""
        };
        segments.push(Segment::muted(format!("{unit:<5}")));
    }
    if let Some(part) = part {
        let ink = Ink::from(state.settings.thresholds.tone(part));
        segments.push(Segment::new(format!("{:>4}", format::percent(part)), ink));
    }
    if let Some(requested) = requested.filter(|_| space >= 34) {
        segments.push(Segment::muted(format!(
            " req {:>4}",
            format::percent(requested)
        )));
    }
    segments
}

/// Renders an amount in nanocores or bytes, in the unit of a larger one.
pub(super) fn amount(resource: Resource, value: u64, largest: u64) -> String {
    match resource {
        Resource::Cpu => format::cpu_beside(Nanocores(value), Nanocores(largest)),
        Resource::Memory => format::bytes(Bytes(value)),
    }
}

/// Returns the word of a resource in a heading.
pub(super) const fn name(resource: Resource) -> &'static str {
    match resource {
        Resource::Cpu => "CPU",
        Resource::Memory => "MEM",
    }
}
