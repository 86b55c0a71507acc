//! Sending one request on, and its answer back, both streamed.

use http::uri::{Authority, Parts, PathAndQuery, Scheme};
use http::{Request, Response, StatusCode, Uri, Version};
use http_body_util::BodyExt;
use kubevitals_proto::words::chain;

use super::super::status::{Body, text};
use super::backend::Backend;
use super::headers;
use crate::identity::UserInfo;

/// Sends `request` on as `user`. A server that cannot be reached is a 503 in plain text, as kube-apiserver says it.
pub(super) async fn forward(
    backend: &Backend,
    user: &UserInfo,
    mut request: Request<Body>,
) -> Response<Body> {
    let Some(uri) = address(backend, request.uri()) else {
        return text(StatusCode::BAD_REQUEST, "the path cannot be sent on\n");
    };
    *request.uri_mut() = uri;
    // Which version the server speaks is found out when connecting.
    *request.version_mut() = Version::HTTP_11;
    headers::strip_hop_by_hop(request.headers_mut());
    headers::set_user(request.headers_mut(), user);
    request.headers_mut().remove(http::header::HOST);
    match backend.request(request).await {
        Ok(response) => {
            let mut response =
                response.map(|body| body.map_err(std::io::Error::other).boxed_unsync());
            headers::strip_hop_by_hop(response.headers_mut());
            *response.version_mut() = Version::HTTP_11;
            response
        }
        Err(error) => {
            let message = format!("error trying to reach service: {}\n", chain(&error));
            text(StatusCode::SERVICE_UNAVAILABLE, message)
        }
    }
}

/// The same path and query at the server.
fn address(backend: &Backend, uri: &Uri) -> Option<Uri> {
    let mut parts = Parts::default();
    parts.scheme = Some(Scheme::HTTPS);
    parts.authority = Some(Authority::try_from(backend.target().to_string()).ok()?);
    parts.path_and_query = Some(
        uri.path_and_query()
            .cloned()
            .unwrap_or(PathAndQuery::from_static("/")),
    );
    Uri::from_parts(parts).ok()
}
