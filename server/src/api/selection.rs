//! The label and field selectors of a list.

use http::Uri;
use kubevitals_proto::labels::Labels;
use kubevitals_proto::selector::{FieldSelector, LabelSelector};
use kubevitals_proto::wire::status::Status;

use super::request::parameter;
use crate::parameters::{MOST_TERMS, terms};

/// Options that are numbers. This server ignores their values, but refuses values that are not numbers, as
/// metrics-server does.
const NUMBERS: [&str; 2] = ["limit", "timeoutSeconds"];

/// A label selector and a field selector. An object must match both.
#[derive(Debug, Clone)]
pub(super) struct Selection {
    labels: LabelSelector,
    fields: FieldSelector,
}

impl Selection {
    /// Reads the selectors in the query string. `supported` lists the fields that objects can be selected by.
    ///
    /// # Errors
    /// 400 for a selector that does not parse or is too long, an unsupported field, or a limit that is not a number.
    pub(super) fn of(uri: &Uri, supported: &[&str]) -> Result<Self, Status> {
        let labels = labels(uri, "labelSelector")?;
        let fields = parameter(uri, "fieldSelector").unwrap_or_default();
        let fields = fields
            .parse::<FieldSelector>()
            .map_err(|error| Status::bad_request(error.to_string()))?;
        check_terms("field", fields.iter().len())?;
        for number in NUMBERS {
            if let Some(value) = parameter(uri, number) {
                is_number(&value)?;
            }
        }
        if let Some((field, ..)) = fields.iter().find(|(field, ..)| !supported.contains(field)) {
            return Err(Status::unknown_field(field, supported));
        }
        Ok(Self { labels, fields })
    }

    /// Whether there is any requirement.
    pub(super) fn is_set(&self) -> bool {
        terms(&self.labels) > 0 || self.fields.iter().len() > 0
    }

    /// Whether an object matches, by its labels and by `value_of` its fields.
    pub(super) fn matches<'a>(
        &self,
        labels: &Labels,
        value_of: impl Fn(&str) -> Option<&'a str>,
    ) -> bool {
        self.labels.matches(labels) && self.fields.matches(value_of)
    }
}

/// Reads a label selector in the query string.
///
/// # Errors
/// 400 for one that does not parse or is too long.
pub(super) fn labels(uri: &Uri, parameter_name: &str) -> Result<LabelSelector, Status> {
    let text = parameter(uri, parameter_name).unwrap_or_default();
    let labels = text
        .parse::<LabelSelector>()
        .map_err(|error| Status::bad_request(error.to_string()))?;
    check_terms("label", terms(&labels))?;
    Ok(labels)
}

fn check_terms(kind: &str, terms: usize) -> Result<(), Status> {
    if terms <= MOST_TERMS {
        return Ok(());
    }
    Err(Status::bad_request(format!(
        "the {kind} selector has {terms} requirements and values: at most {MOST_TERMS} are allowed"
    )))
}

/// Checks that Go's `strconv.ParseInt` accepts a value; the error has Go's words.
pub(super) fn is_number(value: &str) -> Result<(), Status> {
    let digits = value.strip_prefix(['+', '-']).unwrap_or(value);
    let problem = if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        "invalid syntax"
    } else if value.parse::<i64>().is_err() {
        "value out of range"
    } else {
        return Ok(());
    };
    Err(Status::bad_request(format!(
        "strconv.ParseInt: parsing {value:?}: {problem}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: [&str; 2] = ["metadata.name", "metadata.namespace"];

    fn selects(query: &str) -> bool {
        let labels = Labels::from_iter([("app", "web")]);
        let uri: Uri = format!("/x?{query}").parse().unwrap();
        Selection::of(&uri, &FIELDS)
            .unwrap()
            .matches(&labels, |field| match field {
                "metadata.name" => Some("web-1"),
                _ => Some("default"),
            })
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
            assert_eq!(selects(query), expected, "{query}");
        }
    }

    #[test]
    fn an_unknown_field_is_a_bad_request() {
        let status = Selection::of(
            &"/x?fieldSelector=spec.nodeName%3Da".parse().unwrap(),
            &FIELDS,
        )
        .unwrap_err();
        assert_eq!(status.code, 400);
        assert!(
            status
                .message
                .contains("\"spec.nodeName\" is not a known field selector"),
            "{}",
            status.message
        );
    }

    #[test]
    fn bad_numbers_and_long_selectors_are_bad_requests() {
        let refused = |query: &str| {
            let uri: Uri = format!("/x?{query}").parse().unwrap();
            Selection::of(&uri, &FIELDS)
                .err()
                .map(|status| status.message)
        };
        let terms_of = |count: usize| vec!["!a"; count].join(",");
        for (query, expected) in [
            ("limit=2".to_owned(), None),
            ("limit=-2&timeoutSeconds=%2B10&continue=x".to_owned(), None),
            (
                "limit=".to_owned(),
                Some("strconv.ParseInt: parsing \"\": invalid syntax"),
            ),
            (
                "limit=2k".to_owned(),
                Some("strconv.ParseInt: parsing \"2k\": invalid syntax"),
            ),
            (
                "timeoutSeconds=99999999999999999999".to_owned(),
                Some("strconv.ParseInt: parsing \"99999999999999999999\": value out of range"),
            ),
            (format!("labelSelector={}", terms_of(1000)), None),
            (
                format!("labelSelector={}", terms_of(1001)),
                Some(
                    "the label selector has 1001 requirements and values: at most 1000 are allowed",
                ),
            ),
        ] {
            assert_eq!(refused(&query).as_deref(), expected, "{query:.60}");
        }
    }
}
