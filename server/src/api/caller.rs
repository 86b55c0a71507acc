//! Runs the work of a request on the pool, for the user of the request.

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use kubevitals_proto::wire::status::Status;

use super::inflight::{self, RequestSlot};
use super::reply::Form;
use crate::auth::User;
use crate::work::{Cancel, Pool, WorkError};

/// The user of a request, with what its work needs.
pub(super) struct Caller {
    user: Arc<str>,
    slot: Option<Arc<RequestSlot>>,
    failure: Form,
}

impl Caller {
    /// Reads the user and the slot from the extensions of a request.
    pub(super) fn of(request: &Request) -> Self {
        let extensions = request.extensions();
        let user = extensions.get::<Arc<User>>();
        Self {
            user: Arc::from(user.map_or("", |user| &user.name)),
            slot: extensions.get::<Arc<RequestSlot>>().cloned(),
            failure: Form::any(request),
        }
    }

    /// Runs `work` on the pool. The work holds the slot of the request until it ends. It is cancelled when the
    /// request is: when the client disconnects, or when the timeout expires.
    ///
    /// # Errors
    /// The response: 429 if too much work is waiting.
    pub(super) async fn run<T: Send + 'static>(
        self,
        pool: &Pool,
        work: impl FnOnce(&Cancel) -> T + Send + 'static,
    ) -> Result<T, Response> {
        let Self {
            user,
            slot,
            failure,
        } = self;
        let result = pool.run(&user, slot, work).await;
        result.map_err(|refused| match refused {
            WorkError::QueueFull => inflight::too_many(),
            WorkError::Panicked => failure.status(&Status::internal_error(refused)),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::sync::mpsc;
    use std::time::Duration;

    use axum::Router;
    use axum::body::Body;
    use axum::middleware;
    use axum::response::IntoResponse;
    use axum::routing::get;
    use parking_lot::Mutex;
    use tower::ServiceExt;

    use super::*;
    use crate::api::inflight::InFlight;
    use crate::work::Settings;

    /// Cancelled work runs until it checks for the cancellation, and has the slot of its request until then.
    #[tokio::test]
    async fn cancelled_work_occupies_its_slot_until_it_ends() {
        let in_flight = Arc::new(InFlight::new(NonZeroUsize::new(1)));
        let pool = Arc::new(Pool::start(Settings::default()).unwrap());
        let (open_gate, gate) = mpsc::channel::<()>();
        let (started, mut has_started) = tokio::sync::mpsc::unbounded_channel();
        let gate = Arc::new(Mutex::new(Some(gate)));
        let work = {
            let pool = Arc::clone(&pool);
            move |request: Request| {
                let (pool, gate, started) =
                    (Arc::clone(&pool), gate.lock().take(), started.clone());
                async move {
                    let work = move |_: &Cancel| {
                        let _test_ended = started.send(());
                        gate.map(|gate| gate.recv())
                    };
                    let caller = Caller::of(&request);
                    match caller.run(&pool, work).await {
                        Ok(_) => "done".into_response(),
                        Err(refusal) => refusal,
                    }
                }
            }
        };
        let router = Router::new()
            .route("/work", get(work))
            .route("/apis", get(async || "a"))
            .layer(middleware::from_fn_with_state(
                Arc::clone(&in_flight),
                inflight::limit_requests,
            ));
        let send = |path: &str| {
            let request = Request::get(path).body(Body::empty()).unwrap();
            router.clone().oneshot(request)
        };
        let client = tokio::spawn(send("/work"));
        has_started.recv().await.unwrap();
        client.abort();
        assert!(client.await.is_err());
        assert_eq!(
            send("/apis").await.unwrap().status(),
            429,
            "the work continues"
        );
        open_gate.send(()).unwrap();
        let free = async {
            while send("/apis").await.unwrap().status() != 200 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let patience = Duration::from_secs(60);
        assert!(tokio::time::timeout(patience, free).await.is_ok());
    }
}
