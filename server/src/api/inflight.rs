//! Limits the number of concurrent requests: more of them would only make all of them slower.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::RETRY_AFTER;
use prometheus_client::metrics::gauge::ConstGauge;

use super::shares::{Share, Shares};
use super::{guarded_body, health, reply};
use crate::auth::{Attributes, User};
use crate::telemetry::metrics::{Counter, Labelled, Registry};

/// One user may have this part of the slots: one in four.
const USER_SHARE: usize = 4;

/// The limit and the number of requests in flight. A request ends with the last byte of its response.
#[derive(Debug)]
pub(crate) struct InFlight {
    limit: Option<NonZeroUsize>,
    /// Each user's share of the limit.
    shares: Option<Arc<Shares>>,
    count: AtomicUsize,
    turned_away: Counter,
    over_share: Counter,
}

impl InFlight {
    /// Makes a limit of `limit` requests, or no limit.
    pub(crate) fn new(limit: Option<NonZeroUsize>) -> Self {
        let share = |limit: NonZeroUsize| Shares::new(limit.get().div_ceil(USER_SHARE));
        Self {
            limit,
            shares: limit.map(share),
            count: AtomicUsize::new(0),
            turned_away: Counter::default(),
            over_share: Counter::default(),
        }
    }

    /// Registers the metrics.
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register(
            "kubevitals_api_requests_turned_away",
            "Requests that got a 429 response, by the limit that was reached: of all requests, or of one user's",
            by_limit(&self.turned_away, &self.over_share),
        );
        if let Some(limit) = self.limit {
            registry.register(
                "kubevitals_api_requests_under_way_limit",
                "Limit of concurrent requests; health checks and administrators are exempt",
                ConstGauge::new(limit.get()),
            );
        }
    }

    /// Takes one of the slots that the user may have. `Err` if the user has them all.
    fn share(&self, user: Option<&User>) -> Result<Option<Share>, ()> {
        let (Some(shares), Some(user)) = (&self.shares, user) else {
            return Ok(None);
        };
        let share = shares.enter(user);
        if share.is_none() {
            self.over_share.inc();
        }
        share.map(Some).ok_or(())
    }

    /// Takes a slot. Returns none if all are taken and the request is not `exempt`. The slot holds the user's
    /// `share`.
    fn enter(self: &Arc<Self>, exempt: bool, share: Option<Share>) -> Option<RequestSlot> {
        let before = self.count.fetch_add(1, Ordering::Relaxed);
        let slot = RequestSlot {
            in_flight: Arc::clone(self),
            _share: share,
        };
        let full = self.limit.is_some_and(|limit| before >= limit.get());
        if full && !exempt {
            self.turned_away.inc();
            return None;
        }
        Some(slot)
    }
}

/// One of the concurrent requests; dropping it frees the slot. It is an extension of the request, so that work which
/// continues after its request shares it.
#[derive(Debug)]
pub(super) struct RequestSlot {
    in_flight: Arc<InFlight>,
    _share: Option<Share>,
}

impl Drop for RequestSlot {
    fn drop(&mut self) {
        self.in_flight.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The layer. Health checks are always answered: else the kubelet would kill a busy server. Administrators are
/// exempt, as in metrics-server. Watches do not count, as in Kubernetes: they last for hours, and have a limit of
/// their own.
pub(super) async fn limit_requests(
    State(in_flight): State<Arc<InFlight>>,
    mut request: Request,
    next: Next,
) -> Response {
    let attributes = request.extensions().get::<Arc<Attributes>>();
    let watches = attributes.is_some_and(|attributes| attributes.verb == "watch");
    if watches || is_health(request.uri().path()) {
        return next.run(request).await;
    }
    let user = request.extensions().get::<Arc<User>>().map(Arc::as_ref);
    let Ok(share) = in_flight.share(user) else {
        return too_many();
    };
    let exempt = user.is_some_and(User::is_master);
    let Some(slot) = in_flight.enter(exempt, share) else {
        return too_many();
    };
    let slot = Arc::new(slot);
    request.extensions_mut().insert(Arc::clone(&slot));
    guarded_body::hold_until_body_end(next.run(request).await, slot)
}

fn is_health(path: &str) -> bool {
    let mut parts = path.trim_start_matches('/').splitn(2, '/');
    let (first, rest) = (parts.next().unwrap_or_default(), parts.next());
    health::ENDPOINTS.iter().any(|(endpoint, checks)| {
        let is_check = |name: &str| name.is_empty() || checks.iter().any(|one| one.name == name);
        *endpoint == first && rest.is_none_or(is_check)
    })
}

/// Makes the family of refused requests, by the limit that refused them: that of all users, or that of one user.
pub(super) fn by_limit(all: &Counter, user: &Counter) -> Labelled<Counter, 1> {
    let counters = [(["all"], all.clone()), (["user"], user.clone())];
    Labelled::of(["limit"], counters)
}

/// 429, with the text of k8s.io/apiserver.
pub(super) fn too_many() -> Response {
    let message = "Too many requests, please try again later.\n".to_owned();
    let response = reply::text(StatusCode::TOO_MANY_REQUESTS, message);
    ([(RETRY_AFTER, "1")], response).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::middleware;
    use axum::routing::get;
    use tower::ServiceExt;

    /// A server of one request at a time.
    fn server() -> (Arc<InFlight>, Router) {
        let in_flight = Arc::new(InFlight::new(NonZeroUsize::new(1)));
        let router = Router::new()
            .route("/apis", get(async || "a"))
            .route("/livez/ping", get(async || "a"))
            .layer(middleware::from_fn_with_state(
                Arc::clone(&in_flight),
                limit_requests,
            ));
        (in_flight, router)
    }

    async fn send(router: &Router, path: &str, user: Option<User>) -> Response {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = path.parse().unwrap();
        if let Some(user) = user {
            request.extensions_mut().insert(Arc::new(user));
        }
        router.clone().oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn a_request_occupies_its_slot_until_its_body_ends() {
        let (in_flight, router) = server();
        let first = send(&router, "/apis", None).await;
        assert_eq!(first.status(), 200);

        let second = send(&router, "/apis", Some(User::anonymous())).await;
        assert_eq!(second.status(), 429);
        assert_eq!(second.headers()[RETRY_AFTER], "1");
        let body = axum::body::to_bytes(second.into_body(), 100).await.unwrap();
        assert_eq!(body, "Too many requests, please try again later.\n");

        // A client that disconnects frees its slot too.
        drop(first);
        assert_eq!(send(&router, "/apis", None).await.status(), 200);
        assert_eq!(in_flight.turned_away.get(), 1);
        assert_eq!(in_flight.over_share.get(), 0);
    }

    #[tokio::test]
    async fn health_checks_and_administrators_are_exempt() {
        let (in_flight, router) = server();
        let _response = send(&router, "/apis", None).await;
        assert_eq!(send(&router, "/livez/ping", None).await.status(), 200);
        let master = User {
            groups: vec!["system:masters".to_owned()],
            ..User::default()
        };
        assert_eq!(send(&router, "/apis", Some(master)).await.status(), 200);
        assert_eq!(in_flight.turned_away.get(), 0);
    }

    #[tokio::test]
    async fn one_user_cannot_take_all_slots() {
        for (limit, share) in [(1, 1), (2, 1), (8, 2), (400, 100)] {
            let in_flight = Arc::new(InFlight::new(NonZeroUsize::new(limit)));
            let user = |name: &str| User {
                name: name.to_owned(),
                ..User::default()
            };
            let (eve, jane) = (user("eve"), user("jane"));
            let shares: Vec<_> = (0..share).map(|_| in_flight.share(Some(&eve))).collect();
            assert!(shares.iter().all(Result::is_ok), "{limit}");
            assert!(in_flight.share(Some(&eve)).is_err(), "{limit}");
            assert!(in_flight.share(Some(&jane)).is_ok(), "{limit}");
            assert_eq!(in_flight.over_share.get(), 1);
            drop(shares);
            assert!(in_flight.share(Some(&eve)).is_ok(), "{limit}");
        }
    }

    #[tokio::test]
    async fn a_share_is_released_when_the_body_ends() {
        let (in_flight, router) = server();
        let first = send(&router, "/apis", Some(User::anonymous())).await;
        let second = send(&router, "/apis", Some(User::anonymous())).await;
        assert_eq!(second.status(), 429);
        assert_eq!(second.headers()[RETRY_AFTER], "1");
        assert_eq!(in_flight.over_share.get(), 1);
        drop(first);
        let third = send(&router, "/apis", Some(User::anonymous())).await;
        assert_eq!(third.status(), 200);
    }

    #[tokio::test]
    async fn watches_take_no_slot() {
        let (in_flight, router) = server();
        let mut request = Request::get("/apis").body(Body::empty()).unwrap();
        let uri = "/apis/a/v1/pods?watch=1".parse().unwrap();
        let attributes = Attributes::of(&http::Method::GET, &uri);
        request.extensions_mut().insert(Arc::new(attributes));
        let _watch = router.clone().oneshot(request).await.unwrap();
        assert_eq!(send(&router, "/apis", None).await.status(), 200);
        assert_eq!(in_flight.turned_away.get(), 0);
    }

    #[tokio::test]
    async fn without_a_limit_no_request_is_refused() {
        let in_flight = Arc::new(InFlight::new(None));
        let slots: Vec<_> = (0..1000).map(|_| in_flight.enter(false, None)).collect();
        assert!(slots.iter().all(Option::is_some));
    }
}
