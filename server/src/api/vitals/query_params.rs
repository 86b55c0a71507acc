//! Values of query parameters, and the error for an invalid one.

use http::Uri;
use kubevitals_proto::wire::status::Status;

use crate::api::request::parameter;

/// The value of a parameter. An empty value counts as absent.
pub(super) fn non_empty(uri: &Uri, name: &str) -> Option<String> {
    parameter(uri, name)
        .filter(|text| !text.is_empty())
        .map(|text| text.into_owned())
}

/// 400: the value is not what the parameter expects.
pub(super) fn invalid_param(name: &str, text: &str, expected: &str) -> Status {
    Status::bad_request(format!("{name}={text:?}: must be {expected}"))
}
