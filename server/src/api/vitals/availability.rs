//! The availability of workloads.

use http::Uri;
use kubevitals_proto::vitals::Availability;
use kubevitals_proto::vitals::availability::span;
use kubevitals_proto::wire::status::Status;

use super::computed::Computed;
use super::query_params::{invalid_param, non_empty};
use crate::query::{OlderAvailability, Query, Spans};

/// Availabilities.
pub(super) struct Availabilities;

/// What a request asks for, and what the engine knows of it.
pub(super) struct Options {
    spans: Spans,
    older: OlderAvailability,
}

impl From<Spans> for Options {
    fn from(spans: Spans) -> Self {
        let older = OlderAvailability::default();
        Self { spans, older }
    }
}

impl Computed for Availabilities {
    type Object = Availability;
    type Options = Options;

    const RESOURCE: &'static str = "availabilities";
    const OF_OTHERS: &'static [&'static str] = &["at", "stats", "trend"];
    const INSTEAD: &'static str = "spans before now only: use span=1h,7d";

    fn options(query: &Query, uri: &Uri) -> Result<Options, Status> {
        if !query.availability().is_stored() {
            return Err(Status::bad_request(
                "this server stores no availability: start it with --availability-retention=744h",
            ));
        }
        let Some(text) = non_empty(uri, "span") else {
            return Ok(Spans::default().into());
        };
        let spans: Option<Vec<_>> = text.split(',').take(Spans::MAX + 1).map(span).collect();
        let longest = query.availability().longest();
        let spans = spans.and_then(|spans| Spans::of(spans, longest));
        spans.map(Options::from).ok_or_else(|| {
            let days = longest.as_secs() / 86_400;
            let expected = format!(
                "at most {} spans of up to {days} days: 1h,24h,7d",
                Spans::MAX
            );
            invalid_param("span", &text, &expected)
        })
    }

    async fn prepare(
        query: &Query,
        namespace: Option<&str>,
        options: &mut Options,
    ) -> Option<String> {
        let older = query.availability().read_older(namespace, &options.spans);
        match older.await {
            Ok(older) => {
                options.older = older;
                None
            }
            Err(error) => Some(error.message()),
        }
    }

    fn list(query: &Query, namespace: Option<&str>, options: &Options) -> Vec<Availability> {
        let Options { spans, older } = options;
        query.availability().list(namespace, spans, older)
    }

    fn get(query: &Query, namespace: &str, name: &str, options: &Options) -> Option<Availability> {
        let Options { spans, older } = options;
        query.availability().get(namespace, name, spans, older)
    }
}
