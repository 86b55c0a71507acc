//! The availability of workloads.

use http::Uri;
use kubevitals_proto::vitals::Availability;
use kubevitals_proto::vitals::availability::span;
use kubevitals_proto::wire::status::Status;

use super::computed::Computed;
use super::query_params::{invalid_param, non_empty};
use crate::query::{Query, Spans};

/// Availabilities.
pub(super) struct Availabilities;

impl Computed for Availabilities {
    type Object = Availability;
    type Options = Spans;

    const RESOURCE: &'static str = "availabilities";
    const OF_OTHERS: &'static [&'static str] = &["at", "stats", "trend"];
    const INSTEAD: &'static str = "spans before now only: use span=1h,7d";

    fn options(query: &Query, uri: &Uri) -> Result<Spans, Status> {
        if !query.availability().is_stored() {
            return Err(Status::bad_request(
                "this server stores no availability: start it with --availability-retention=744h",
            ));
        }
        let Some(text) = non_empty(uri, "span") else {
            return Ok(Spans::default());
        };
        let spans: Option<Vec<_>> = text.split(',').take(Spans::MAX + 1).map(span).collect();
        spans.and_then(Spans::of).ok_or_else(|| {
            let expected = format!("at most {} spans of up to 31 days: 1h,24h,7d", Spans::MAX);
            invalid_param("span", &text, &expected)
        })
    }

    fn list(query: &Query, namespace: Option<&str>, spans: &Spans) -> Vec<Availability> {
        query.availability().list(namespace, spans)
    }

    fn get(query: &Query, namespace: &str, name: &str, spans: &Spans) -> Option<Availability> {
        query.availability().get(namespace, name, spans)
    }
}
