//! The format of a page, negotiated as Prometheus 3 does.

/// A format of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// The Prometheus text format, versions 0.0.4 and 1.0.0: the latter has quoted names too.
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Messages `io.prometheus.client.MetricFamily`, each after its length.
    Protobuf,
}

/// The `Accept` header of a scrape, as Prometheus 3 sends it where it wants native histograms. Names need not be escaped.
pub const ACCEPT: &str = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,\
    application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
    application/openmetrics-text;version=0.0.1;q=0.4,\
    text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
    text/plain;version=0.0.4;q=0.2,\
    */*;q=0.1";

/// The format of a page, and whether the response says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiated {
    /// The format.
    pub format: Format,
    /// Why the fallback is used, if it is.
    pub fell_back: Option<ContentTypeError>,
}

/// Why a `Content-Type` names no format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContentTypeError {
    /// There is none.
    #[error("the response has no Content-Type")]
    Missing,
    /// It names something else, or a variant that is not read.
    #[error("the response has the Content-Type {0:?}, which is no format of metrics")]
    Unsupported(String),
}

impl Format {
    /// The format that a response's `Content-Type` names; `fallback` where it names none. The parameters `version`,
    /// `escaping` and `charset` change nothing: the readers read all versions, and names are not unescaped.
    ///
    /// # Errors
    /// It names none, and there is no fallback.
    pub fn negotiated(
        content_type: Option<&str>,
        fallback: Option<Self>,
    ) -> Result<Negotiated, ContentTypeError> {
        let named = content_type
            .filter(|it| !it.trim().is_empty())
            .ok_or(ContentTypeError::Missing);
        let named = named.and_then(|it| {
            Self::named(it).ok_or_else(|| ContentTypeError::Unsupported(shortened(it)))
        });
        match (named, fallback) {
            (Ok(format), _) => Ok(Negotiated {
                format,
                fell_back: None,
            }),
            (Err(error), Some(format)) => Ok(Negotiated {
                format,
                fell_back: Some(error),
            }),
            (Err(error), None) => Err(error),
        }
    }

    fn named(content_type: &str) -> Option<Self> {
        let mut parts = content_type.split(';');
        let media_type = parts.next()?.trim();
        let is = |name: &str| media_type.eq_ignore_ascii_case(name);
        if is("text/plain") {
            return Some(Self::Text);
        }
        if is("application/openmetrics-text") {
            return Some(Self::OpenMetrics);
        }
        let mut parameters = parts.filter_map(|part| part.split_once('='));
        let delimited = parameters.all(|(name, value)| {
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "encoding" => value == "delimited",
                "proto" => value == "io.prometheus.client.MetricFamily",
                _ => true,
            }
        });
        (is("application/vnd.google.protobuf") && delimited).then_some(Self::Protobuf)
    }
}

/// As much of a foreign text as an error may hold.
fn shortened(text: &str) -> String {
    text.chars().take(100).collect()
}
