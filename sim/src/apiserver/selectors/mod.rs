//! Label and field selectors.
//!
//! Written apart from the server's own: what the simulator answers must not depend on the code that is tested
//! against it.

mod field;
mod label;

pub(super) use field::FieldSelector;
pub(super) use label::LabelSelector;

use super::request::Query;
use super::status::Refusal;
use crate::objects::{MetaLite, Resource};

/// Both selectors of a request and its namespace: which objects it is about.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    namespace: Option<String>,
    labels: LabelSelector,
    fields: FieldSelector,
}

impl Filter {
    /// Reads `labelSelector` and `fieldSelector`; 400 when one does not parse.
    pub(super) fn of(
        resource: Resource,
        namespace: Option<&str>,
        query: &Query,
    ) -> Result<Self, Refusal> {
        let labels = LabelSelector::parse(query.get("labelSelector").unwrap_or_default());
        let fields = FieldSelector::parse(resource, query.get("fieldSelector").unwrap_or_default());
        Ok(Self {
            namespace: namespace.map(str::to_owned),
            labels: labels.map_err(Refusal::bad_request)?,
            fields: fields.map_err(Refusal::bad_request)?,
        })
    }

    /// Narrows it to one name.
    pub(super) fn only(&mut self, name: &str) {
        self.fields.only(name);
    }

    /// The namespace, if it is about one.
    pub(super) fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// Whether it is about every object of the resource.
    pub(super) fn is_everything(&self) -> bool {
        self.namespace.is_none() && self.labels.is_empty() && self.fields.is_empty()
    }

    /// Whether it is about this object.
    pub(super) fn matches(&self, meta: &MetaLite) -> bool {
        (self.namespace.is_none() || self.namespace.as_deref() == meta.namespace.as_deref())
            && self.labels.matches(meta)
            && self.fields.matches(meta)
    }
}
