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
pub(super) enum Type {
    Added,
    Modified,
    /// It is gone, or no longer among what is selected.
    Deleted,
}

impl Type {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
        }
    }
}

/// What a change is to whoever selects, and the object to tell it with: of one that went away, as it was last.
pub(super) fn seen<'a, K: Kind>(
    selection: &Selection,
    change: &'a Change<K::Kept>,
) -> Option<(Type, &'a K::Kept)> {
    let admitted = |kept: &'a Option<std::sync::Arc<K::Kept>>| {
        kept.as_deref().filter(|kept| K::admits(selection, kept))
    };
    match (admitted(&change.before), admitted(&change.after)) {
        (None, Some(after)) => Some((Type::Added, after)),
        (Some(_), Some(after)) => Some((Type::Modified, after)),
        (Some(before), None) => Some((Type::Deleted, before)),
        (None, None) => None,
    }
}

/// Writes events of one watch.
#[derive(Debug)]
pub(super) struct Events {
    shape: Shape,
    /// A table's columns are told with its first event.
    columns_told: bool,
}

impl Events {
    pub(super) const fn new(shape: Shape) -> Self {
        Self {
            shape,
            columns_told: false,
        }
    }

    /// Appends the event that something became of an object.
    pub(super) fn object<T: Vitals>(
        &mut self,
        out: &mut Vec<u8>,
        became: Type,
        told: &T,
        now: Timestamp,
    ) {
        begin(out, became.as_str());
        let (meta, item) = (list::meta(&told.meta().resource_version), At(told, now));
        match self.shape {
            Shape::Table(version, beside) if self.columns_told => {
                form::row_json(out, version, beside, &meta, &item);
            }
            shape => form::object_json(out, T::KIND, shape, &meta, &item),
        }
        self.columns_told = true;
        out.extend_from_slice(b"}\n");
    }

    /// Appends the event that all up to a version has been told; the first of them, to who asked for all there is,
    /// says that that is over.
    pub(super) fn bookmark<T: Vitals>(&self, out: &mut Vec<u8>, version: Version, all_told: bool) {
        begin(out, "BOOKMARK");
        let annotations = if all_told {
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
