//! Which format a client gets.

use http::HeaderMap;
use http::header::{ACCEPT, ACCEPT_ENCODING};

use super::text::Dialect;

/// A format of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Text(Dialect),
    Protobuf,
}

impl Format {
    /// As the client libraries say it.
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Text(Dialect::Prometheus) => {
                "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
            }
            Self::Text(Dialect::OpenMetrics) => {
                "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"
            }
            Self::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; escaping=underscores"
            }
        }
    }

    fn of(media_type: &str) -> Option<Self> {
        let (name, parameters) = media_type.split_once(';').unwrap_or((media_type, ""));
        match name.trim() {
            "application/vnd.google.protobuf" if parameters.contains("delimited") => {
                Some(Self::Protobuf)
            }
            "application/openmetrics-text" if !parameters.contains("version=0.0.1") => {
                Some(Self::Text(Dialect::OpenMetrics))
            }
            "text/plain" | "*/*" => Some(Self::Text(Dialect::Prometheus)),
            _ => None,
        }
    }
}

/// The format that the client likes best; text for a client that names none that there is.
pub(super) fn format(headers: &HeaderMap) -> Format {
    let accept = headers.get(ACCEPT).and_then(|it| it.to_str().ok());
    let ranges = accept.unwrap_or_default().split(',');
    let formats = ranges.filter_map(|range| Some((Format::of(range)?, quality(range))));
    let mut formats: Vec<_> = formats.filter(|(_, q)| *q > 0.0).collect();
    formats.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    formats
        .first()
        .map_or(Format::Text(Dialect::Prometheus), |(format, _)| *format)
}

fn quality(range: &str) -> f64 {
    let mut parameters = range.split(';').map(str::trim);
    let q = parameters.find_map(|it| it.strip_prefix("q=")?.parse().ok());
    q.unwrap_or(1.0)
}

/// Whether the client takes gzip.
pub(super) fn gzip(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT_ENCODING).and_then(|it| it.to_str().ok());
    accept.is_some_and(|it| it.split(',').any(|one| one.trim().starts_with("gzip")))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_client_s_favourite_wins() {
        let text = Format::Text(Dialect::Prometheus);
        let open = Format::Text(Dialect::OpenMetrics);
        let protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6";
        for (accept, expected) in [
            ("", text),
            ("application/json", text),
            (
                "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                open,
            ),
            (
                &format!("{protobuf},application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.2"),
                Format::Protobuf,
            ),
            (&format!("{protobuf},text/plain;version=0.0.4;q=0.7"), text),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_str(accept).unwrap());
            assert_eq!(format(&headers), expected, "{accept}");
        }
    }
}
