//! A watch's events, each a line of JSON.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::API_VERSION;
use kubevitals_proto::vitals::table::{At, Vitals};
use kubevitals_proto::wire::form::{self, Shape};
use kubevitals_proto::wire::status::Status;

use super::kind::Kind;
use super::list;
use crate::api::selection::Selection;
use crate::query::{Change, Version};

/// What became of an object, as whoever selects sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EventType {
    Added,
    Modified,
    /// It is gone, or no longer among what is selected.
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

/// What a change is to whoever selects, and the object to tell it with: of one that went away, as it was last.
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

/// Writes events of one watch.
#[derive(Debug)]
pub(super) struct Events {
    shape: Shape,
    /// A table's columns are told with its first event.
    columns_sent: bool,
}

impl Events {
    pub(super) const fn new(shape: Shape) -> Self {
        Self {
            shape,
            columns_sent: false,
        }
    }

    /// Appends the event that something became of an object.
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

    /// Appends the event that all up to a version has been told; the first of them, to who asked for all there is,
    /// says that that is over.
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

/// Appends the event that the watch cannot go on.
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
