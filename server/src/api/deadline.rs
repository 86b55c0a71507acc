//! Answers 504 if a request takes too long, as the request deadline of k8s.io/apiserver does.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::Uri;
use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::wire::status::{Details, Reason, Status};
use tokio::time::timeout;

use super::reply::Form;
use crate::parameters::parameter;

/// The layer. It bounds the time until the response starts; the connection bounds the time of the body.
pub(super) async fn enforce(State(max): State<Duration>, request: Request, next: Next) -> Response {
    let form = Form::any(&request);
    let limit = match limit(request.uri(), max) {
        Ok(limit) => limit,
        Err(status) => return form.status(&status),
    };
    match timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => form.status(&timeout_status()),
    }
}

/// The timeout that the client requests, at most `max`. As in k8s.io/apiserver, zero and negative values mean `max`.
fn limit(uri: &Uri, max: Duration) -> Result<Duration, Status> {
    let Some(text) = parameter(uri, "timeout").filter(|text| !text.is_empty()) else {
        return Ok(max);
    };
    let requested: GoDuration = text.parse().map_err(|error| {
        Status::bad_request(format!(
            "invalid timeout specified in the request URL - {error}"
        ))
    })?;
    Ok(match u64::try_from(requested.0) {
        Ok(0) | Err(_) => max,
        Ok(nanos) => Duration::from_nanos(nanos).min(max),
    })
}

fn timeout_status() -> Status {
    let message = "Timeout: request did not complete within the allotted timeout";
    Status::failure(504, Reason::Timeout, message).with_details(Details::default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::middleware;
    use axum::routing::get;
    use tower::ServiceExt;

    const MAX: Duration = Duration::from_secs(60);

    #[test]
    fn the_client_may_shorten_the_timeout() {
        for (query, expected) in [
            ("", Some(MAX)),
            ("timeout=", Some(MAX)),
            ("timeout=0", Some(MAX)),
            ("timeout=0s", Some(MAX)),
            ("timeout=5s", Some(Duration::from_secs(5))),
            ("timeout=1m1s", Some(MAX)),
            ("timeout=-1s", Some(MAX)),
            ("timeout=-1ns", Some(MAX)),
            ("timeout=-2562047h", Some(MAX)),
            ("timeout=1ns", Some(Duration::from_nanos(1))),
            ("timeout=soon", None),
            ("timeout=5", None),
        ] {
            let uri = format!("/x?{query}").parse().unwrap();
            assert_eq!(limit(&uri, MAX).ok(), expected, "{query}");
        }
        let uri = "/x?timeout=soon".parse().unwrap();
        assert_eq!(
            limit(&uri, MAX).unwrap_err().message,
            "invalid timeout specified in the request URL - time: invalid duration \"soon\""
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_response_is_a_504() {
        let router = Router::new()
            .route("/never", get(std::future::pending::<Response>))
            .layer(middleware::from_fn_with_state(MAX, enforce));
        let request = Request::get("/never").body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.status(), 504);
        let body = axum::body::to_bytes(response.into_body(), 1000)
            .await
            .unwrap();
        let status: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            (&status["reason"], &status["message"]),
            (
                &"Timeout".into(),
                &"Timeout: request did not complete within the allotted timeout".into()
            )
        );
    }
}
