//! Incidents.

use std::borrow::Cow;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Certainty, Incident, IncidentKind, Involved};

use super::restarts::with_certainty;
use super::value::plain;
use super::{Entry, Row, Value, Workload};
use crate::model::column::{Column, Sort};
use crate::model::field::Field;
use crate::model::name::{Key, Name};
use crate::model::part::Part;
use crate::model::scope::{Limits, Open, Scope};
use crate::model::tone::Tone;
use crate::model::view_info::ViewInfo;

/// An incident. There are few, so rows contain them whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentRow {
    /// Its namespace.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// The incident.
    pub incident: Box<Incident>,
}

impl IncidentRow {
    /// The row of an incident.
    #[must_use]
    pub fn new(incident: Incident) -> Self {
        Self {
            namespace: incident.metadata.namespace.as_str().into(),
            name: incident.metadata.name.as_str().into(),
            incident: Box::new(incident),
        }
    }

    /// The object that the incident is about.
    fn involved(&self) -> &Involved {
        &self.incident.involved
    }

    /// The kind in one or two words.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self.incident.reason {
            IncidentKind::Restart => "restarts",
            IncidentKind::ProbeFailing => "probe failing",
            IncidentKind::PodNotReady => "pod not ready",
            IncidentKind::NodeNotReady => "node not ready",
            IncidentKind::Eviction => "evicted",
            IncidentKind::ImagePull => "image pull",
            IncidentKind::PodFailed => "pod failed",
            IncidentKind::Other => "other",
        }
    }

    /// The cause in one or two words; a likely cause is marked with `?`.
    #[must_use]
    pub fn cause(&self) -> Cow<'static, str> {
        let incident = &self.incident;
        let ended = incident.last_ended.as_ref();
        let ended = ended.map(|ended| (ended.exit_code, ended.reason.as_str()));
        with_certainty(incident.cause.in_words(ended), incident.certainty)
    }

    /// The object: `web-1 web` (pod and container), or the node.
    #[must_use]
    pub fn who(&self) -> String {
        let involved = &self.incident.involved;
        let mut who = involved.name.clone();
        if !involved.container.is_empty() {
            who.push(' ');
            who.push_str(&involved.container);
        }
        who
    }

    /// Whether the incident is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.incident.ended.is_none()
    }

    /// Whether the incident is open at a time.
    #[must_use]
    pub fn is_open_at(&self, at: Timestamp) -> bool {
        self.incident.ended.is_none_or(|ended| at < ended)
    }

    /// The time at which to show the object: the last restart, the eviction, the end of a closed incident. `None` for
    /// now: a failure that continues is visible now.
    #[must_use]
    pub fn visible_at(&self) -> Option<Timestamp> {
        let incident = &self.incident;
        let is_an_end = matches!(
            incident.reason,
            IncidentKind::Restart | IncidentKind::Eviction | IncidentKind::PodFailed
        );
        (is_an_end || !self.is_open()).then(|| self.last())
    }

    /// The last occurrence. For restarts it is the last termination: later updates (the kubelet backs off) are no
    /// occurrence.
    #[must_use]
    pub fn last(&self) -> Timestamp {
        let incident = &self.incident;
        let ended = incident.last_ended.as_ref().and_then(|end| end.finished);
        ended
            .filter(|_| incident.reason == IncidentKind::Restart)
            .unwrap_or(incident.last_seen)
    }

    /// Whether the incident is about one pod, and not about a node or several pods.
    #[must_use]
    pub fn is_of_pod(&self) -> bool {
        !self.is_of_node() && self.incident.affected_count == 0
    }

    /// Whether the incident is about a node.
    #[must_use]
    pub fn is_of_node(&self) -> bool {
        self.incident.involved.kind == "Node"
    }
}

type E = Entry<IncidentRow>;

#[rustfmt::skip] // one entry a line: a table
impl Row for IncidentRow {
    const FIELDS: &'static [E] = &[
        E::text(Field::Status, "STATE", (5, 5), 1, |row| if row.is_open() { "open" } else { "ended" }.into())
            .tone(|row, _| if row.is_open() { Tone::Bad } else { Tone::Dim })
            .searched(),
        E::number(Field::Began, "BEGAN", 6, 2, |row| Value::Since(Some(row.incident.began))),
        E::number(Field::LastSeen, "LAST", 6, 4, |row| Value::Since(Some(row.last()))),
        E::text(Field::Namespace, "NAMESPACE", (9, 20), 5, |row| row.involved().namespace.as_str().into()).searched(),
        E::text(Field::Name, "OBJECT", (12, 60), 0, |row| row.who().into()).searched(),
        E::text(Field::Reason, "PROBLEM", (8, 14), 3, |row| row.reason().into()).searched(),
        E::text(Field::Cause, "CAUSE", (9, 16), 0, |row| row.cause().into())
            .tone(|row, _| if row.is_open() { Tone::Bad } else { plain(&row.cause()) })
            .searched(),
        E::number(Field::Count, "TIMES", 5, 4, |row| Value::Count(row.incident.count)),
        E::text(Field::Node, "NODE", (8, 30), 8, |row| {
            if row.is_of_node() { &row.involved().name } else { &row.involved().node }.as_str().into()
        })
            .searched(),
        E::text(Field::Workload, "WORKLOAD", (8, 30), Column::ON_DEMAND, |row| {
            row.involved().workload.as_ref().map_or("", |workload| &workload.name).into()
        })
            .searched(),
        E::text(Field::Certainty, "CERTAINTY", (9, 9), Column::ON_DEMAND, |row| match row.incident.certainty {
            Certainty::Direct => "direct",
            Certainty::Likely => "likely",
            Certainty::Unknown => "unknown",
        }.into()),
        E::text(Field::Message, "MESSAGE", (16, 200), 6, |row| row.incident.message.as_str().into()).searched(),
        E::hidden(Field::Pod, |row| if row.is_of_pod() { row.involved().name.as_str() } else { "" }.into()),
        E::hidden(Field::Container, |row| row.involved().container.as_str().into()),
        E::hidden(Field::Kind, |row| row.involved().kind.as_str().into()),
        E::hidden(Field::Open, |row| row.is_open().into()),
    ];

    const VIEW: ViewInfo = ViewInfo {
        help: "incidents: what broke, when, why",
        sort: Sort::by(Field::LastSeen),
        ..ViewInfo::new("Incidents", "Inc", "incidents", Part::Incidents)
    };

    fn key(&self) -> Key {
        Key::new(&self.namespace, &self.name)
    }

    fn is_in(&self, limits: &Limits<'_>) -> bool {
        let namespace = &self.involved().namespace;
        let is_in_scope = match limits.scope {
            Scope::Problem(problem) => problem.incidents.binary_search(&self.key()).is_ok(),
            _ => true,
        };
        is_in_scope && self.incident.began <= limits.now && (namespace.is_empty() || limits.has_namespace(namespace))
    }

    /// The pod of the incident, or the pods of its node or workload, at its time.
    fn open(&self) -> Open {
        let involved = self.involved();
        let (namespace, name) = (Name::from(&*involved.namespace), Name::from(&*involved.name));
        let (scope, container) = if self.is_of_node() {
            (Scope::Node(name), None)
        } else if self.is_of_pod() {
            let container = (!involved.container.is_empty()).then(|| Name::from(&*involved.container));
            (Scope::Pod(Key::new(&namespace, &name)), container)
        } else {
            (Scope::Workload(namespace, Workload::new(&*involved.kind, name)), None)
        };
        Open { scope, container, time: Some(self.visible_at()) }
    }

    fn reference(&self) -> String {
        format!("incident.kubevitals.io/{}", self.name)
    }
}
