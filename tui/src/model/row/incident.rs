//! Incidents.

use std::borrow::Cow;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Certainty, Incident, IncidentKind};

use super::{Context, Row, age_text, flag_text, plain_cell, seconds};
use crate::model::cell::Cell;
use crate::model::column::Column;
use crate::model::field::{Field, Fields};
use crate::model::name::{Key, Name};
use crate::model::tone::Tone;

/// Something that went wrong. There are few, so they are kept whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentRow {
    /// Its namespace.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// All that is known of it.
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

    /// What went wrong, in a word or two.
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

    /// Why, in a word or two; a cause that is only likely is marked by `?`.
    #[must_use]
    pub fn cause(&self) -> Cow<'static, str> {
        let incident = &self.incident;
        let ended = incident.last_ended.as_ref();
        let word = incident
            .cause
            .in_words(ended.map(|ended| (ended.exit_code, ended.reason.as_str())));
        match self.incident.certainty {
            Certainty::Likely => format!("{word}?").into(),
            _ => word,
        }
    }

    /// Whom it befell: `shop/web-1 web`, or the node.
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

    /// Whether it goes on.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.incident.ended.is_none()
    }

    /// The time at which what it befell is to be looked at: the last restart, the eviction, the end of what is over.
    /// None if that is now, for what fails now can be seen now.
    #[must_use]
    pub fn moment(&self) -> Option<Timestamp> {
        let incident = &self.incident;
        let is_an_end = matches!(
            incident.reason,
            IncidentKind::Restart | IncidentKind::Eviction | IncidentKind::PodFailed
        );
        (is_an_end || !self.is_open()).then(|| self.last())
    }

    /// When it happened last: of restarts the last end, for what was told of it since (that the kubelet waits) is none.
    #[must_use]
    pub fn last(&self) -> Timestamp {
        let incident = &self.incident;
        let ended = incident.last_ended.as_ref().and_then(|end| end.finished);
        ended
            .filter(|_| incident.reason == IncidentKind::Restart)
            .unwrap_or(incident.last_seen)
    }

    /// Whether it befell one pod, and not a node or several pods.
    #[must_use]
    pub fn is_of_pod(&self) -> bool {
        !self.is_of_node() && self.incident.affected_count == 0
    }

    /// Whether it befell a node.
    #[must_use]
    pub fn is_of_node(&self) -> bool {
        self.incident.involved.kind == "Node"
    }
}

impl Fields for IncidentRow {
    fn text(&self, field: Field, now: Timestamp) -> Option<Cow<'_, str>> {
        let incident = &*self.incident;
        let involved = &incident.involved;
        Some(match field {
            Field::Namespace => involved.namespace.as_str().into(),
            Field::Name => self.who().into(),
            Field::Pod if !self.is_of_pod() => "".into(),
            Field::Pod => involved.name.as_str().into(),
            Field::Container => involved.container.as_str().into(),
            Field::Node if self.is_of_node() => involved.name.as_str().into(),
            Field::Node => involved.node.as_str().into(),
            Field::Kind => involved.kind.as_str().into(),
            Field::Workload => involved
                .workload
                .as_ref()
                .map_or("", |workload| workload.name.as_str())
                .into(),
            Field::Reason => self.reason().into(),
            Field::Cause => self.cause(),
            Field::Certainty => match incident.certainty {
                Certainty::Direct => "direct",
                Certainty::Likely => "likely",
                Certainty::Unknown => "unknown",
            }
            .into(),
            Field::Message => incident.message.as_str().into(),
            Field::Count => incident.count.to_string().into(),
            Field::Began | Field::LastSeen => age_text(self.time(field), now),
            Field::Open => flag_text(self.is_open()),
            Field::Status if self.is_open() => "open".into(),
            Field::Status => "over".into(),
            _ => return None,
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "nothing happens that often")]
    fn number(&self, field: Field, now: Timestamp) -> Option<f64> {
        match field {
            Field::Count => Some(self.incident.count as f64),
            Field::Began | Field::LastSeen => seconds(self.time(field), now),
            Field::Open => Some(f64::from(u8::from(self.is_open()))),
            _ => None,
        }
    }

    fn time(&self, field: Field) -> Option<Timestamp> {
        match field {
            Field::Began => Some(self.incident.began),
            Field::LastSeen => Some(self.last()),
            _ => None,
        }
    }

    fn words(&self) -> &'static [Field] {
        &[
            Field::Namespace,
            Field::Name,
            Field::Node,
            Field::Workload,
            Field::Status,
            Field::Reason,
            Field::Cause,
            Field::Message,
        ]
    }
}

impl Row for IncidentRow {
    fn key(&self) -> Key {
        Key::new(&self.namespace, &self.name)
    }

    fn columns() -> &'static [Column] {
        use Column as C;
        const COLUMNS: &[Column] = &[
            C::text(Field::Status, "STATE", 5, 5, 1),
            C::number(Field::Began, "BEGAN", 6, 2),
            C::number(Field::LastSeen, "LAST", 6, 4),
            C::text(Field::Namespace, "NAMESPACE", 9, 20, 5),
            C::text(Field::Name, "WHO", 12, 60, 0),
            C::text(Field::Reason, "WHAT", 8, 14, 3),
            C::text(Field::Cause, "WHY", 9, 16, 0),
            C::number(Field::Count, "TIMES", 5, 4),
            C::text(Field::Node, "NODE", 8, 30, 8),
            C::text(Field::Workload, "WORKLOAD", 8, 30, C::ON_DEMAND),
            C::text(Field::Certainty, "SURE", 7, 7, C::ON_DEMAND),
            C::text(Field::Message, "MESSAGE", 16, 200, 6),
        ];
        COLUMNS
    }

    fn cell(&self, field: Field, context: &Context) -> Cell {
        let text = self.text(field, context.now).unwrap_or_default();
        match field {
            Field::Status | Field::Cause if self.is_open() => Cell::new(text, Tone::Bad),
            Field::Status => Cell::new(text, Tone::Dim),
            _ => plain_cell(text),
        }
    }
}
