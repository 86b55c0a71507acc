//! Which objects a list or a watch is about.

use kubevitals_proto::selector::{FieldSelector, LabelSelector};
use kubevitals_proto::wire::status::Status;

use super::request::Query;
use super::status::Refusal;
use crate::objects::{MetaLite, Resource};

/// The namespace, the name and both selectors of a request.
#[derive(Clone, Debug, Default)]
pub(super) struct Selection {
    pub(super) namespace: Option<String>,
    name: Option<String>,
    labels: LabelSelector,
    fields: FieldSelector,
}

impl Selection {
    /// Reads `labelSelector` and `fieldSelector`; 400 when one does not parse or a field is not selectable.
    pub(super) fn parse(
        resource: Resource,
        namespace: Option<&str>,
        name: Option<&str>,
        query: &Query,
    ) -> Result<Self, Refusal> {
        let labels = query.get("labelSelector").unwrap_or_default();
        let labels: LabelSelector = labels.parse().map_err(bad_request)?;
        let text = query.get("fieldSelector").unwrap_or_default();
        let fields: FieldSelector = text.parse().map_err(bad_request)?;
        if let Some((field, ..)) = fields.iter().find(|(f, ..)| !resource.is_selectable(f)) {
            let info = resource.info();
            return Err(Status::bad_request(format!(
                "Unable to find \"{}/{}, Resource={}\" that match label selector \"\", field selector \"{text}\": \
                 field label not supported: {field}",
                info.group, info.version, info.plural
            )).into());
        }
        Ok(Self {
            namespace: namespace.map(str::to_owned),
            name: name.map(str::to_owned),
            labels,
            fields,
        })
    }

    /// Whether it is about every object of the resource.
    pub(super) fn is_everything(&self) -> bool {
        self.namespace.is_none()
            && self.name.is_none()
            && self.labels.is_empty()
            && self.fields.is_empty()
    }

    /// Whether it is about this object.
    pub(super) fn matches(&self, meta: &MetaLite) -> bool {
        let equals = |own: Option<&str>, expected: &Option<String>| {
            expected.is_none() || own == expected.as_deref()
        };
        equals(meta.namespace.as_deref(), &self.namespace)
            && equals(Some(&meta.name), &self.name)
            && self.labels.matches(&meta.labels)
            && self.fields.matches(|path| meta.field(path))
    }
}

fn bad_request(error: impl std::fmt::Display) -> Refusal {
    Status::bad_request(error.to_string()).into()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn pod(phase: &str) -> MetaLite {
        MetaLite {
            namespace: Some("default".into()),
            name: "a".into(),
            fields: Arc::from([("status.phase", Arc::from(phase))]),
            ..MetaLite::default()
        }
    }

    fn parse(query: &str, name: Option<&str>) -> Result<Selection, Refusal> {
        Selection::parse(Resource::Pods, None, name, &Query::parse(Some(query)))
    }

    #[test]
    fn terms_are_anded() {
        let matches = |query: &str, phase, name| parse(query, name).unwrap().matches(&pod(phase));
        for (query, phase, name, expected) in [
            (
                "metadata.name=a,status.phase!=Failed",
                "Running",
                None,
                true,
            ),
            (
                "metadata.name==a,status.phase!=Failed",
                "Failed",
                None,
                false,
            ),
            ("spec.nodeName=", "Pending", Some("a"), true),
            ("", "Pending", Some("b"), false),
        ] {
            let query = format!("fieldSelector={query}");
            assert_eq!(matches(&query, phase, name), expected, "{query}");
        }
        assert!(parse("", None).unwrap().is_everything());
    }

    #[test]
    fn an_unknown_field_is_refused() {
        let error = format!("{:?}", parse("fieldSelector=spec.foo=x", None).unwrap_err());
        assert!(
            error.contains("field label not supported: spec.foo"),
            "{error}"
        );
        assert!(parse("fieldSelector=foo", None).is_err());
    }
}
