//! The parameters in a path.

use axum::extract::{FromRequestParts, Path};
use axum::response::Response;
use http::request::Parts;
use kubevitals_proto::wire::status::Status;
use serde::de::DeserializeOwned;

use super::reply::Form;

/// The parameters in a path. A path that does not decode is refused with a Status.
pub(super) struct PathParams<T>(pub(super) T);

impl<T, S> FromRequestParts<S> for PathParams<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(named)) => Ok(Self(named)),
            Err(rejection) => {
                let form = Form::of_failure(&parts.uri, &parts.headers);
                Err(form.status(&Status::bad_request(rejection.body_text())))
            }
        }
    }
}
