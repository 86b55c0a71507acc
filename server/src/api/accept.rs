//! The Accept header of a request, with the rules of `proto`.

use http::HeaderMap;
use http::header::ACCEPT;

pub(super) use kubevitals_proto::wire::accept::{
    Conversion, Refusal, first_of, negotiate, no_conversion,
};

/// The value of the Accept header; empty if there is none. As in Go, only the first header of that name counts.
pub(super) fn header(headers: &HeaderMap) -> &[u8] {
    headers.get(ACCEPT).map_or(&[], |value| value.as_bytes())
}
