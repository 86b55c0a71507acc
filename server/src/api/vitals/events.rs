//! The events of a watch, each a line of JSON.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::API_VERSION;
use kubevitals_proto::vitals::table::{At, Vitals};
use kubevitals_proto::wire::form::{self, Shape};
use kubevitals_proto::wire::status::Status;

use super::kind::Kind;
use super::list;
use crate::api::selection::Selection;
use crate::query::{Change, Version};

/// The type of an event, from the view of a watch with selectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EventType {
    Added,
    Modified,
    /// The object is gone, or is no longer selected.
    Deleted,
}

impl EventType {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
        }
    }
}

/// The type of event that a change means for a watch with `selection`, and the object to send. A deleted object is
/// sent as it was last.
pub(super) fn classify<'a, K: Kind>(
    selection: &Selection,
    change: &'a Change<K::Record>,
) -> Option<(EventType, &'a K::Record)> {
    let selected = |record: &'a Option<std::sync::Arc<K::Record>>| {
        record
            .as_deref()
            .filter(|record| K::matches(selection, record))
    };
    match (selected(&change.before), selected(&change.after)) {
        (None, Some(after)) => Some((EventType::Added, after)),
        (Some(_), Some(after)) => Some((EventType::Modified, after)),
        (Some(before), None) => Some((EventType::Deleted, before)),
        (None, None) => None,
    }
}

/// Writes the events of one watch.
#[derive(Debug)]
pub(super) struct Events {
    shape: Shape,
    /// Whether the columns of a table were sent; only the first event has them.
    columns_sent: bool,
}

impl Events {
    pub(super) const fn new(shape: Shape) -> Self {
        Self {
            shape,
            columns_sent: false,
        }
    }

    /// Appends an event about an object.
    pub(super) fn object<T: Vitals>(
        &mut self,
        out: &mut Vec<u8>,
        event_type: EventType,
        object: &T,
        now: Timestamp,
    ) {
        begin(out, event_type.as_str());
        let (meta, item) = (list::meta(&object.meta().resource_version), At(object, now));
        match self.shape {
            Shape::Table(version, beside) if self.columns_sent => {
                form::row_json(out, version, beside, &meta, &item);
            }
            shape => form::object_json(out, T::KIND, shape, &meta, &item),
        }
        self.columns_sent = true;
        out.extend_from_slice(b"}\n");
    }

    /// Appends a bookmark: all events up to `version` were sent. `ends_initial_events` marks the end of the objects
    /// that existed when the watch started.
    pub(super) fn bookmark<T: Vitals>(
        &self,
        out: &mut Vec<u8>,
        version: Version,
        ends_initial_events: bool,
    ) {
        begin(out, "BOOKMARK");
        let annotations = if ends_initial_events {
            r#","annotations":{"k8s.io/initial-events-end":"true"}"#
        } else {
            ""
        };
        let meta =
            format!(r#"{{"resourceVersion":"{version}","creationTimestamp":null{annotations}}}"#);
        let object = |kind: &str, api_version: &str| {
            format!(r#"{{"kind":"{kind}","apiVersion":"{api_version}","metadata":{meta}}}"#)
        };
        let text = match self.shape {
            Shape::Whole(_) => object(T::KIND.object, API_VERSION),
            Shape::Metadata(of) => object("PartialObjectMetadata", of.api_version()),
            Shape::Table(of, _) => format!(
                r#"{{"kind":"Table","apiVersion":"{}","metadata":{{"resourceVersion":"{version}"}},"columnDefinitions":null,"rows":[{{"cells":[],"object":{}}}]}}"#,
                of.api_version(),
                object("PartialObjectMetadata", of.api_version()),
            ),
        };
        out.extend_from_slice(text.as_bytes());
        out.extend_from_slice(b"}\n");
    }
}

/// Appends the event that ends a watch with an error.
pub(super) fn error(out: &mut Vec<u8>, status: &Status) {
    begin(out, "ERROR");
    out.extend_from_slice(&status.to_json());
    out.extend_from_slice(b"}\n");
}

fn begin(out: &mut Vec<u8>, event: &str) {
    out.extend_from_slice(br#"{"type":""#);
    out.extend_from_slice(event.as_bytes());
    out.extend_from_slice(br#"","object":"#);
}
