//! Which objects a list asks for.

use http::Uri;
use kubevitals_proto::labels::Labels;
use kubevitals_proto::selector::{FieldSelector, LabelSelector};
use kubevitals_proto::wire::status::Status;

use crate::api::request::parameter;

/// The fields that can be selected by, as at the peer.
const FIELDS: [&str; 2] = ["metadata.name", "metadata.namespace"];

/// A label selector and a field selector, both of which must match.
#[derive(Debug, Clone)]
pub(super) struct Selection {
    labels: LabelSelector,
    fields: FieldSelector,
}

impl Selection {
    /// What the query string asks for.
    ///
    /// # Errors
    /// 400 for a selector that does not parse, or a field that is not known.
    pub(super) fn of(uri: &Uri) -> Result<Self, Status> {
        let text = |name| parameter(uri, name).unwrap_or_default();
        let labels = text("labelSelector")
            .parse::<LabelSelector>()
            .map_err(|error| Status::bad_request(error.to_string()))?;
        let fields = text("fieldSelector")
            .parse::<FieldSelector>()
            .map_err(|error| Status::bad_request(error.to_string()))?;
        if let Some((field, ..)) = fields.iter().find(|(field, ..)| !FIELDS.contains(field)) {
            return Err(Status::unknown_field(field, &FIELDS));
        }
        Ok(Self { labels, fields })
    }

    /// Whether an object is asked for; `namespace` is empty for one that has none.
    pub(super) fn admits(&self, namespace: &str, name: &str, labels: &Labels) -> bool {
        self.labels.matches(labels)
            && self.fields.matches(|field| match field {
                "metadata.name" => Some(name),
                "metadata.namespace" => Some(namespace),
                _ => None,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(query: &str) -> bool {
        let labels = Labels::from_iter([("app", "web")]);
        let uri: Uri = format!("/x?{query}").parse().unwrap();
        Selection::of(&uri)
            .unwrap()
            .admits("default", "web-1", &labels)
    }

    #[test]
    fn both_selectors_must_match() {
        for (query, expected) in [
            ("", true),
            ("labelSelector=app%3Dweb", true),
            ("labelSelector=app%3Dother", false),
            (
                "labelSelector=app+in+(web,api)&fieldSelector=metadata.name%3Dweb-1",
                true,
            ),
            (
                "fieldSelector=metadata.namespace%3Ddefault,metadata.name!%3Dweb-2",
                true,
            ),
            ("fieldSelector=metadata.namespace%3Dkube-system", false),
            (
                "labelSelector=app&fieldSelector=metadata.name%3Dweb-2",
                false,
            ),
        ] {
            assert_eq!(admitted(query), expected, "{query}");
        }
    }

    #[test]
    fn an_unknown_field_is_a_bad_request() {
        let status =
            Selection::of(&"/x?fieldSelector=spec.nodeName%3Da".parse().unwrap()).unwrap_err();
        assert_eq!(status.code, 400);
        assert!(
            status
                .message
                .contains("\"spec.nodeName\" is not a known field selector"),
            "{}",
            status.message
        );
    }
}
