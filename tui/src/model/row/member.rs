//! Several clusters: a row for each, and the incidents of all.

use std::sync::Arc;

use kubevitals_proto::time::Timestamp;

use super::{Entry, IncidentRow, Row, Value};
use crate::model::amount::Amounts;
use crate::model::cell::Resource;
use crate::model::column::{Column, Sort};
use crate::model::field::Field;
use crate::model::name::{Key, Name};
use crate::model::part::{Part, SourceKind};
use crate::model::scope::{Limits, Open, Scope};
use crate::model::tone::Tone;
use crate::model::view_info::ViewInfo;

/// How well a cluster is. The largest is the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Health {
    /// Nothing needs attention.
    Well,
    /// The first data has not arrived.
    Loading,
    /// Some data cannot be read.
    PartlyLive,
    /// Pods are unhealthy, or incidents are open.
    Unhealthy,
    /// Nodes are not ready.
    NodesNotReady,
    /// The cluster does not answer, or cannot be connected to.
    Lost,
}

impl Health {
    const fn text(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Loading => "loading",
            Self::PartlyLive => "partly live",
            Self::Unhealthy => "unhealthy",
            Self::NodesNotReady => "nodes not ready",
            Self::Lost => "no answer",
        }
    }

    const fn tone(self) -> Tone {
        match self {
            Self::Well => Tone::Plain,
            Self::Loading | Self::PartlyLive => Tone::Warn,
            Self::Unhealthy | Self::NodesNotReady | Self::Lost => Tone::Bad,
        }
    }
}

/// A cluster among several.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberRow {
    /// The context of the kubeconfig.
    pub context: Name,
    /// How well it is.
    pub health: Health,
    /// Why it does not answer, or its latest open incident; may be empty.
    pub why: String,
    /// Since when it does not answer, or since when its oldest open incident is open.
    pub since: Option<Timestamp>,
    /// Nodes that are ready, and all nodes.
    pub nodes: (u32, u32),
    /// Pods that are ready, and all pods.
    pub pods: (u32, u32),
    /// Pods that need attention now.
    pub unhealthy: u32,
    /// Pods with a failing probe.
    pub probes_failing: u32,
    /// Open incidents; `None` if the source has no incidents.
    pub incidents: Option<u32>,
    /// Restarts in the last hour.
    pub restarts: u32,
    /// Usage of the nodes that report.
    pub usage: Amounts,
    /// Allocatable amounts of the nodes that report.
    pub reporting: Amounts,
    /// The source of the data.
    pub source: Option<SourceKind>,
}

impl MemberRow {
    fn used(&self, resource: Resource) -> Option<f64> {
        self.usage.part_of(self.reporting, resource)
    }

    /// `ready/all`; `all` alone would hide which are not ready.
    const fn ready((ready, all): (u32, u32)) -> Value<'static> {
        Value::Ready(ready == all, ready, all)
    }
}

type E = Entry<MemberRow>;

#[rustfmt::skip] // one entry a line: a table
impl Row for MemberRow {
    const FIELDS: &'static [E] = &[
        E::text(Field::Name, "CLUSTER", (8, 40), 0, |row| (&row.context).into()).searched(),
        E::text(Field::Severity, "STATE", (10, 15), 1, |row| Value::Sorted(row.health.text().into(), f64::from(row.health as u8)))
            .tone(|row, _| row.health.tone())
            .searched(),
        E::number(Field::Nodes, "NODES", 9, 3, |row| MemberRow::ready(row.nodes)),
        E::number(Field::Pods, "PODS", 11, 4, |row| MemberRow::ready(row.pods)),
        E::number(Field::Unhealthy, "UNHEALTHY", 9, 2, |row| Value::Failing(row.unhealthy)),
        E::number(Field::Failing, "PROBES FAILING", 14, Column::ON_DEMAND, |row| Value::Failing(row.probes_failing)),
        E::number(Field::OpenIncidents, "INCIDENTS", 9, 2, |row| match row.incidents {
            Some(open) => Value::Failing(open),
            None => Value::Duration(None),
        }),
        E::number(Field::Recent, "RESTARTS 1h", 11, 7, |row| Value::Recent(row.restarts)),
        E::number(Field::CpuPercent, "CPU %", 5, 3, |row| Value::PartOfLimit(row.used(Resource::Cpu))),
        E::number(Field::MemoryPercent, "MEM %", 5, 3, |row| Value::PartOfLimit(row.used(Resource::Memory))),
        E::number(Field::Cpu, "CPU", 6, Column::ON_DEMAND, |row| Value::Cpu(row.usage.cpu)),
        E::number(Field::Memory, "MEM", 6, Column::ON_DEMAND, |row| Value::Memory(row.usage.memory)),
        E::number(Field::Began, "SINCE", 6, 3, |row| Value::Since(row.since)),
        E::text(Field::Cause, "REASON", (24, 200), 4, |row| row.why.as_str().into())
            .tone(|row, _| if row.health >= Health::PartlyLive { Tone::Plain } else { Tone::Dim })
            .searched(),
        E::text(Field::Source, "SOURCE", (7, 7), 8, |row| row.source.map_or("", SourceKind::name).into()).searched(),
    ];

    const VIEW: ViewInfo = ViewInfo {
        help: "all clusters of --contexts",
        sort: Sort { field: Field::Severity, descending: true },
        ..ViewInfo::new("Clusters", "Clu", "clusters", Part::Clusters)
    };

    fn key(&self) -> Key {
        Key::named(&self.context)
    }

    fn is_in(&self, _: &Limits<'_>) -> bool {
        true
    }

    /// Not used: `enter` switches to the cluster.
    fn open(&self) -> Open {
        Scope::All.into()
    }

    fn reference(&self) -> String {
        self.context.to_string()
    }
}

/// An incident of one of several clusters.
#[derive(Debug, Clone)]
pub struct MemberIncidentRow {
    /// The context of the kubeconfig.
    pub context: Name,
    /// The incident.
    pub row: Arc<IncidentRow>,
    /// What is added to its times, in nanoseconds, because the cluster's clock differs from the one on the screen.
    pub shift: i64,
}

impl MemberIncidentRow {
    /// The last occurrence, by the clock on the screen.
    #[must_use]
    pub fn last(&self) -> Timestamp {
        self.row.last().plus_nanos(self.shift)
    }
}

type I = Entry<MemberIncidentRow>;

/// The value of a field that all incidents have.
fn of_incident(all: &MemberIncidentRow, field: Field) -> Value<'_> {
    all.row.value(field).unwrap_or(Value::Flag(false))
}

/// Red while the incident is open.
fn open_tone(all: &MemberIncidentRow) -> Tone {
    if all.row.is_open() {
        Tone::Bad
    } else {
        Tone::Dim
    }
}

#[rustfmt::skip] // one entry a line: a table
impl Row for MemberIncidentRow {
    const FIELDS: &'static [I] = &[
        I::text(Field::Context, "CLUSTER", (8, 24), 1, |all| (&all.context).into()).searched(),
        I::text(Field::Status, "STATE", (5, 5), 1, |all| of_incident(all, Field::Status))
            .tone(|all, _| open_tone(all))
            .searched(),
        I::number(Field::Began, "BEGAN", 6, 3, |all| {
            Value::Since(Some(all.row.incident.began.plus_nanos(all.shift)))
        }),
        I::number(Field::LastSeen, "LAST", 6, 4, |all| Value::Since(Some(all.last()))),
        I::text(Field::Namespace, "NAMESPACE", (9, 20), 5, |all| of_incident(all, Field::Namespace)).searched(),
        I::text(Field::Name, "OBJECT", (12, 60), 0, |all| of_incident(all, Field::Name)).searched(),
        I::text(Field::Reason, "PROBLEM", (8, 14), 3, |all| of_incident(all, Field::Reason)).searched(),
        I::text(Field::Cause, "CAUSE", (9, 16), 0, |all| of_incident(all, Field::Cause))
            .tone(|all, _| open_tone(all))
            .searched(),
        I::number(Field::Count, "TIMES", 5, 4, |all| of_incident(all, Field::Count)),
        I::text(Field::Node, "NODE", (8, 30), 8, |all| of_incident(all, Field::Node)).searched(),
        I::text(Field::Message, "MESSAGE", (16, 200), 6, |all| of_incident(all, Field::Message)).searched(),
        I::hidden(Field::Open, |all| all.row.is_open().into()),
    ];

    const VIEW: ViewInfo = ViewInfo {
        help: "incidents of all clusters",
        rows: "incidents",
        sort: Sort { field: Field::Open, descending: true },
        ..ViewInfo::new("All incidents", "Inc", "all-incidents", Part::Clusters)
    };

    fn key(&self) -> Key {
        self.row.key().part(&self.context)
    }

    fn is_in(&self, _: &Limits<'_>) -> bool {
        true
    }

    /// Not used: `enter` switches to the cluster and opens the incident there.
    fn open(&self) -> Open {
        self.row.open()
    }

    fn reference(&self) -> String {
        self.row.reference()
    }
}
