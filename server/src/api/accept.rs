//! The Accept header, as Kubernetes' negotiation reads it.

use http::HeaderMap;
use http::header::ACCEPT;

/// One alternative of an Accept header.
#[derive(Debug, PartialEq)]
pub(super) struct Alternative<'a> {
    kind: &'a str,
    subtype: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
    quality: f32,
}

impl Alternative<'_> {
    /// Whether it admits `kind/subtype`, by name or by a star.
    pub(super) fn admits(&self, kind: &str, subtype: &str) -> bool {
        (self.kind == "*" && self.subtype == "*")
            || (self.kind.eq_ignore_ascii_case(kind)
                && (self.subtype == "*" || self.subtype.eq_ignore_ascii_case(subtype)))
    }

    /// A parameter's value.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| *value)
    }
}

/// The alternatives of a request, best first; of equal quality in the order given. Without the header there is
/// one, which admits anything. Alternatives that do not parse, or with a quality of zero, are left out.
pub(super) fn alternatives(headers: &HeaderMap) -> Vec<Alternative<'_>> {
    let mut all: Vec<Alternative<'_>> = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(parse)
        .filter(|alternative| alternative.quality > 0.0)
        .collect();
    if !headers.contains_key(ACCEPT) {
        all.push(Alternative {
            kind: "*",
            subtype: "*",
            parameters: Vec::new(),
            quality: 1.0,
        });
    }
    all.sort_by(|a, b| b.quality.total_cmp(&a.quality));
    all
}

fn parse(text: &str) -> Option<Alternative<'_>> {
    let mut parts = text.split(';').map(str::trim);
    let media = parts.next()?;
    let (kind, subtype) = if media == "*" {
        ("*", "*")
    } else {
        media.split_once('/')?
    };
    let mut alternative = Alternative {
        kind: kind.trim(),
        subtype: subtype.trim(),
        parameters: Vec::new(),
        quality: 1.0,
    };
    for (name, value) in parts.filter_map(|parameter| parameter.split_once('=')) {
        let (name, value) = (name.trim(), value.trim().trim_matches('"'));
        if name == "q" {
            alternative.quality = value
                .parse()
                .ok()
                .filter(|quality| (0.0..=1.0).contains(quality))?;
        } else {
            alternative.parameters.push((name, value));
        }
    }
    Some(alternative)
}

/// Whether plain JSON will do: some alternative admits it without asking for another shape (a Table, say) that
/// is not served.
pub(super) fn takes_json(headers: &HeaderMap) -> bool {
    alternatives(headers).iter().any(|alternative| {
        alternative.admits("application", "json") && alternative.parameter("as").is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(accept: &str) -> HeaderMap {
        HeaderMap::from_iter([(ACCEPT, HeaderValue::from_str(accept).unwrap())])
    }

    #[test]
    fn json_is_found_among_others() {
        for (accept, expected) in [
            ("application/json", true),
            ("*/*", true),
            ("*", true),
            ("application/*", true),
            ("application/vnd.kubernetes.protobuf,application/json", true),
            ("application/vnd.kubernetes.protobuf, */*", true),
            (
                "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
                true,
            ),
            ("application/json;as=Table;v=v1;g=meta.k8s.io", false),
            ("application/json;q=0", false),
            ("text/html", false),
            ("nonsense", false),
            ("application/json;q=9", false),
            ("", false),
        ] {
            assert_eq!(takes_json(&headers(accept)), expected, "{accept:?}");
        }
        assert!(takes_json(&HeaderMap::new()));
    }

    #[test]
    fn quality_decides_and_order_breaks_ties() {
        let headers = headers("text/a;q=0.5, text/b, text/c;q=0.5;x=\"1\", text/d;q=0.1");
        let all = alternatives(&headers);
        assert_eq!(
            all.iter().map(|one| one.subtype).collect::<Vec<_>>(),
            ["b", "a", "c", "d"]
        );
        assert_eq!(all[2].parameter("x"), Some("1"));
    }
}
