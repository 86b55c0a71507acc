//! A request has an answer in time, or is told that there is none: k8s.io/apiserver's request deadline.

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

/// The layer: until an answer begins. That it also ends is for the connection to see to, which cuts it.
pub(super) async fn keep(
    State(longest): State<Duration>,
    request: Request,
    next: Next,
) -> Response {
    let form = Form::any(&request);
    let limit = match limit(request.uri(), longest) {
        Ok(limit) => limit,
        Err(status) => return form.status(&status),
    };
    match timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => form.status(&overdue()),
    }
}

/// What the client has time for, if it says so, and at most `longest`: also for zero and less, as in k8s.io/apiserver.
fn limit(uri: &Uri, longest: Duration) -> Result<Duration, Status> {
    let Some(text) = parameter(uri, "timeout").filter(|text| !text.is_empty()) else {
        return Ok(longest);
    };
    let wanted: GoDuration = text.parse().map_err(|error| {
        Status::bad_request(format!(
            "invalid timeout specified in the request URL - {error}"
        ))
    })?;
    Ok(match u64::try_from(wanted.0) {
        Ok(0) | Err(_) => longest,
        Ok(nanos) => Duration::from_nanos(nanos).min(longest),
    })
}

fn overdue() -> Status {
    let message = "Timeout: request did not complete within the allotted timeout";
    let mut status = Status::failure(504, Reason::Timeout, message);
    status.details = Some(Details::default());
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::middleware;
    use axum::routing::get;
    use tower::ServiceExt;

    const LONGEST: Duration = Duration::from_secs(60);

    #[test]
    fn the_client_may_shorten_its_time() {
        for (query, expected) in [
            ("", Some(LONGEST)),
            ("timeout=", Some(LONGEST)),
            ("timeout=0", Some(LONGEST)),
            ("timeout=0s", Some(LONGEST)),
            ("timeout=5s", Some(Duration::from_secs(5))),
            ("timeout=1m1s", Some(LONGEST)),
            ("timeout=-1s", Some(LONGEST)),
            ("timeout=-1ns", Some(LONGEST)),
            ("timeout=-2562047h", Some(LONGEST)),
            ("timeout=1ns", Some(Duration::from_nanos(1))),
            ("timeout=soon", None),
            ("timeout=5", None),
        ] {
            let uri = format!("/x?{query}").parse().unwrap();
            assert_eq!(limit(&uri, LONGEST).ok(), expected, "{query}");
        }
        let uri = "/x?timeout=soon".parse().unwrap();
        assert_eq!(
            limit(&uri, LONGEST).unwrap_err().message,
            "invalid timeout specified in the request URL - time: invalid duration \"soon\""
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_answered_in_time_is_said_not_to_be() {
        let router = Router::new()
            .route("/never", get(std::future::pending::<Response>))
            .layer(middleware::from_fn_with_state(LONGEST, keep));
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
