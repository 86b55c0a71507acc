//! Reads the Accept header of a request. As in Go, only the first header of that name counts.

use http::HeaderMap;
use http::header::ACCEPT;
use kubevitals_proto::wire::accept;
pub(super) use kubevitals_proto::wire::accept::{Chosen, Conversion, Refusal, no_conversion};
use kubevitals_proto::wire::object::Encoding;

/// Chooses the first clause that `convert` can serve.
///
/// # Errors
/// No clause can be served.
pub(super) fn negotiate<T>(
    headers: &HeaderMap,
    convert: impl Fn(Encoding, Option<Conversion<'_>>) -> Option<T>,
) -> Result<Chosen<T>, Refusal> {
    accept::negotiate(header(headers), convert)
}

/// Returns the first type of `served` that a clause names or that `*` matches.
pub(super) fn first_of(headers: &HeaderMap, served: &[&'static str]) -> Option<&'static str> {
    accept::first_of(header(headers), served)
}

fn header(headers: &HeaderMap) -> &[u8] {
    headers.get(ACCEPT).map_or(&[], |value| value.as_bytes())
}
