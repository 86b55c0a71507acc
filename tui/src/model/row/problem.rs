//! Rows of problems: what the overview lists.

use kubevitals_proto::time::Timestamp;

use super::{Entry, Row, Value};
use crate::model::column::{Column, Sort};
use crate::model::field::Field;
use crate::model::name::{Key, Name};
use crate::model::part::Part;
use crate::model::scope::{Limits, Open, Scope};
use crate::model::tone::Tone;
use crate::model::view_info::ViewInfo;

/// How urgent a problem is. The largest is the most urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Urgency {
    /// It is over: pods recovered, an incident ended, a pod failed long ago.
    #[default]
    Over,
    /// Pods are starting or terminating, which takes a while.
    Starting,
    /// Something needs attention before it fails.
    Warning,
    /// Something fails now.
    Critical,
}

impl Urgency {
    /// The word in the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Over => "ended",
            Self::Starting => "starting",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// The severity of its mark.
    #[must_use]
    pub const fn tone(self) -> Tone {
        match self {
            Self::Over => Tone::Dim,
            Self::Starting => Tone::Plain,
            Self::Warning => Tone::Warn,
            Self::Critical => Tone::Bad,
        }
    }

    /// Whether somebody has to act.
    #[must_use]
    pub fn is_urgent(self) -> bool {
        self >= Self::Warning
    }
}

/// A problem: pods, incidents and a node with one cause.
#[derive(Debug, Clone)]
pub struct ProblemRow {
    /// The key, which stays the same while the problem lasts.
    pub key: Key,
    /// How urgent it is.
    pub urgency: Urgency,
    /// The object in words: `node-3`, `deploy/web`, a pod.
    pub object: String,
    /// The problem in words.
    pub text: String,
    /// Since when, if that is known.
    pub since: Option<Timestamp>,
    /// The node, if the problem is a node's.
    pub node: Option<Name>,
    /// The workload of the pods, if they have one in common.
    pub workload: Name,
    /// The number of affected pods.
    pub affected: u64,
    /// The affected pods that exist, in order.
    pub pods: Vec<Key>,
    /// The incidents, in order.
    pub incidents: Vec<Key>,
    /// What `enter` opens.
    pub opens: Open,
}

type E = Entry<ProblemRow>;

#[rustfmt::skip] // one entry a line: a table
impl Row for ProblemRow {
    const FIELDS: &'static [E] = &[
        E::text(Field::Status, "SEVERITY", (8, 8), 2, |row| row.urgency.as_str().into())
            .tone(|row, _| row.urgency.tone()),
        E::number(Field::Began, "SINCE", 6, 3, |row| Value::Since(row.since)),
        E::text(Field::Namespace, "NAMESPACE", (9, 20), 4, |row| (&row.key.namespace).into()),
        E::text(Field::Name, "OBJECT", (10, 50), 0, |row| row.object.as_str().into()),
        E::text(Field::Message, "PROBLEM", (26, 200), 0, |row| row.text.as_str().into())
            .tone(|row, _| row.urgency.tone()),
        E::number(Field::Pods, "PODS", 5, Column::ON_DEMAND, |row| Value::Count(row.affected)),
        E::text(Field::Node, "NODE", (8, 30), Column::ON_DEMAND, |row| row.node.as_deref().unwrap_or_default().into()),
        E::text(Field::Workload, "WORKLOAD", (8, 40), Column::ON_DEMAND, |row| (&row.workload).into()),
    ];

    const VIEW: ViewInfo = ViewInfo {
        title: "Overview",
        brief: "Over",
        sort: Sort::by(Field::Began),
        rows: "problems",
        also: &[Part::Incidents, Part::History],
        ..ViewInfo::new("Overview", "Over", "overview", Part::Pods)
    };

    fn key(&self) -> Key {
        self.key.clone()
    }

    // The rule that makes the rows has applied the limits.
    fn is_in(&self, _: &Limits<'_>) -> bool {
        true
    }

    fn open(&self) -> Open {
        self.opens.clone()
    }

    fn reference(&self) -> String {
        match &self.opens.scope {
            Scope::Node(node) => format!("node/{node}"),
            Scope::Pod(key) => format!("pod/{}", key.name),
            _ => self.object.clone(),
        }
    }
}
