//! What a document says about itself.

use kubevitals_proto::time::Timestamp;

use super::query::Query;
use super::reader::Reader;
use crate::batch::output::Head;
use crate::model::{SourceKind, View};

/// What a document says about itself.
pub(super) struct Facts {
    kind: &'static str,
    at: Timestamp,
    source: SourceKind,
    by: Option<String>,
    stat: Option<&'static str>,
    span: Option<String>,
    /// The parts that could never be read, each with the cause.
    pub(super) missing: Vec<String>,
}

impl Facts {
    pub(super) fn of(query: &Query, reader: &Reader) -> Self {
        Self {
            kind: match (&query.by, query.view) {
                (None, view) => view.title(),
                (Some(_), View::Containers) => "ContainerGroups",
                (Some(_), _) => "PodGroups",
            },
            at: reader.time(),
            source: reader.kind().unwrap_or(SourceKind::None),
            by: query.by.as_ref().map(ToString::to_string),
            stat: query.span.map(|(stat, _)| stat.word()),
            span: query
                .span
                .map(|(_, span)| span)
                .or(query.availability)
                .map(|span| span.to_string()),
            missing: reader.missing(),
        }
    }

    pub(super) fn head(&self) -> Head<'_> {
        Head {
            by: self.by.as_deref(),
            stat: self.stat,
            span: self.span.as_deref(),
            missing: &self.missing,
            ..Head::new(self.kind, self.at, self.source)
        }
    }
}
