//! Which format a response is in.

use kubevitals_proto::exposition::{ACCEPT, ContentTypeError, Format};

#[test]
fn the_content_type_names_the_format() {
    for (content_type, expected) in [
        ("text/plain", Format::Text),
        ("text/plain; version=0.0.4; charset=utf-8", Format::Text),
        (
            "text/plain;version=1.0.0;escaping=allow-utf-8",
            Format::Text,
        ),
        ("TEXT/Plain ; version=0.0.4", Format::Text),
        (
            "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
            Format::OpenMetrics,
        ),
        (
            "application/openmetrics-text;version=0.0.1",
            Format::OpenMetrics,
        ),
        (
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
            Format::Protobuf,
        ),
        (
            "application/vnd.google.protobuf;encoding=\"delimited\"",
            Format::Protobuf,
        ),
    ] {
        let found = Format::negotiated(Some(content_type), None).unwrap();
        assert_eq!(
            (found.format, found.fell_back),
            (expected, None),
            "{content_type}"
        );
    }
}

#[test]
fn a_fallback_is_not_taken_silently() {
    for content_type in [
        None,
        Some(""),
        Some(" "),
        Some(";"),
        Some("text/html"),
        Some("text/html; charset=utf-8"),
        Some("application/json"),
        Some("text/plaintext"),
        Some("application/vnd.google.protobuf;encoding=text"),
        Some("application/vnd.google.protobuf;proto=other.Family"),
    ] {
        let refused = Format::negotiated(content_type, None).unwrap_err();
        let found = Format::negotiated(content_type, Some(Format::Text)).unwrap();
        assert_eq!(found.format, Format::Text);
        assert_eq!(found.fell_back.as_ref(), Some(&refused), "{content_type:?}");
        let missing = content_type.is_none_or(|it| it.trim().is_empty());
        assert_eq!(missing, refused == ContentTypeError::Missing);
    }
    let hostile = "x\n".repeat(10_000);
    let refused = Format::negotiated(Some(&hostile), None)
        .unwrap_err()
        .to_string();
    assert!(refused.len() < 300 && !refused.contains('\n'), "{refused}");
}

#[test]
fn every_format_that_is_accepted_is_read() {
    for part in ACCEPT.split(',') {
        let (content_type, weight) = part.rsplit_once(";q=0.").unwrap();
        assert_eq!(weight.len(), 1);
        let named = Format::negotiated(Some(content_type), None);
        assert_eq!(named.is_ok(), content_type != "*/*", "{part}");
    }
}
