//! The Accept header of a request. As in Go, further headers of that name are not read.

use http::HeaderMap;
use http::header::ACCEPT;
use kubevitals_proto::wire::accept;
pub(super) use kubevitals_proto::wire::accept::{Chosen, Conversion, Refusal, no_conversion};
use kubevitals_proto::wire::object::Encoding;

/// Takes the first clause that can be met.
///
/// # Errors
/// When no clause can be met.
pub(super) fn negotiate<T>(
    headers: &HeaderMap,
    convert: impl Fn(Encoding, Option<Conversion<'_>>) -> Option<T>,
) -> Result<Chosen<T>, Refusal> {
    accept::negotiate(header(headers), convert)
}

/// The first of `served` that a clause names or stars.
pub(super) fn first_of(headers: &HeaderMap, served: &[&'static str]) -> Option<&'static str> {
    accept::first_of(header(headers), served)
}

fn header(headers: &HeaderMap) -> &[u8] {
    headers.get(ACCEPT).map_or(&[], |value| value.as_bytes())
}
