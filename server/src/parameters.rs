//! Parses query parameters, in the same way for authorization and for serving.

use std::borrow::Cow;

use http::Uri;
use kubevitals_proto::selector::LabelSelector;

/// The first value of a query parameter, decoded. Later ones of the same name are ignored, as by the peer.
pub(crate) fn parameter<'a>(uri: &'a Uri, name: &str) -> Option<Cow<'a, str>> {
    form_urlencoded::parse(uri.query()?.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value)
}

/// Whether a boolean parameter of Kubernetes is set: it exists, even without a value, and is neither 0 nor false.
pub(crate) fn option(uri: &Uri, name: &str) -> bool {
    parameter(uri, name).is_some_and(|value| *value != *"0" && !value.eq_ignore_ascii_case("false"))
}

/// The limit of terms of a selector, far above real ones: each term makes a review larger and costs a list time for
/// each object.
pub(crate) const MOST_TERMS: usize = 1000;

/// The number of a label selector's requirements and of their values.
pub(crate) fn terms(selector: &LabelSelector) -> usize {
    let requirements = selector.requirements().iter();
    requirements
        .map(|requirement| 1 + requirement.values.len())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_is_set_unless_it_is_0_or_false() {
        for (query, expected) in [
            ("", false),
            ("watching=true", false),
            ("watch", true),
            ("watch=", true),
            ("watch=true", true),
            ("watch=1", true),
            ("watch=yes", true),
            ("watch=no", true),
            ("watch=0", false),
            ("watch=false", false),
            ("watch=FALSE", false),
            ("watch=false&watch=true", false),
            ("watch=true&watch=false", true),
        ] {
            let uri = format!("/x?{query}").parse().unwrap();
            assert_eq!(option(&uri, "watch"), expected, "{query:?}");
        }
    }

    #[test]
    fn parameters_are_decoded_and_the_first_one_counts() {
        let uri: Uri = "/x?labelSelector=app%3Dweb%2Ctier+in+(a)&labelSelector=other"
            .parse()
            .unwrap();
        assert_eq!(
            parameter(&uri, "labelSelector").unwrap(),
            "app=web,tier in (a)"
        );
        assert_eq!(parameter(&uri, "fieldSelector"), None);
    }

    #[test]
    fn requirements_and_values_count_as_terms() {
        for (selector, expected) in [
            ("", 0),
            ("a", 1),
            ("a=b", 2),
            ("a,!b", 2),
            ("a in (x,y,z),b!=c", 6),
        ] {
            assert_eq!(terms(&selector.parse().unwrap()), expected, "{selector}");
        }
    }
}
