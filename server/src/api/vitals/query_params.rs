//! A parameter of a query string, and the refusal of its value.

use http::Uri;
use kubevitals_proto::wire::status::Status;

use crate::api::request::parameter;

/// A parameter that has a value: an empty one says nothing.
pub(super) fn non_empty(uri: &Uri, name: &str) -> Option<String> {
    parameter(uri, name)
        .filter(|text| !text.is_empty())
        .map(|text| text.into_owned())
}

/// 400: what a parameter takes.
pub(super) fn invalid_param(name: &str, text: &str, expected: &str) -> Status {
    Status::bad_request(format!("{name}={text:?}: it takes {expected}"))
}
