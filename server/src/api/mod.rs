//! The HTTP API: metrics.k8s.io, kubevitals.io, discovery, OpenAPI, health, metrics, debugging. Handlers read through
//! [`Query`].

mod accept;
#[cfg(test)]
mod authorization_tests;
mod caller;
mod compress;
mod custom_metrics;
mod deadline;
mod debug;
mod discovery;
mod etag;
mod gate;
mod guarded_body;
mod health;
mod incomplete;
mod inflight;
mod metrics;
mod negotiated;
mod observe;
mod openapi;
mod path_params;
mod prometheus;
mod reply;
mod request;
mod selection;
mod settings;
mod shares;
mod state;
mod streaming;
mod vitals;
mod why;

pub use settings::Settings;

use std::num::NonZeroUsize;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware;
use axum::response::Response;
use kubevitals_proto::wire::status::Status;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::auth::Auth;
use crate::cluster::Services;
use crate::export::PageSource;
use crate::memory::Memory;
use crate::query::Query;
use crate::shard::Shards;
use crate::state::StatePersister;
use crate::telemetry::metrics::Registry;
use crate::work::Pool;
use health::Health;
use inflight::InFlight;
use observe::RequestMetrics;
use reply::Form;

/// The sources of the routes.
pub(crate) struct Sources {
    pub(crate) query: Arc<Query>,
    /// Authentication and authorization.
    pub(crate) auth: Arc<Auth>,
    /// With a managed CA: true once the server has a certificate of it.
    pub(crate) verifiable: Option<watch::Receiver<bool>>,
    /// Cancelled when the server receives SIGTERM.
    pub(crate) shutdown: CancellationToken,
    /// Cancelled when it closes its connections.
    pub(crate) stop: CancellationToken,
    /// Limits of requests.
    pub(crate) settings: Settings,
    /// The metrics of all parts but the API.
    pub(crate) registry: Registry,
    /// The series of the cluster.
    pub(crate) pages: PageSource,
    /// The state that outlives the process.
    pub(crate) state: Arc<StatePersister>,
    /// The other shards, if this server is one of several.
    pub(crate) shards: Option<Arc<Shards>>,
    /// The Services whose pods have metrics.
    pub(crate) services: Arc<Services>,
    /// Runs work that visits the whole cluster.
    pub(crate) pool: Arc<Pool>,
    /// The memory limit.
    pub(crate) memory: Arc<Memory>,
}

/// Makes all routes of a server that listens on `port`. The server reads no request bodies: hyper closes the
/// connection (or resets the stream) of a client that keeps sending one.
pub(crate) fn router(sources: Sources, port: u16) -> Router {
    let Sources {
        query,
        auth,
        verifiable,
        shutdown,
        stop,
        settings,
        mut registry,
        pages,
        state,
        shards,
        services,
        pool,
        memory,
    } = sources;
    let state = state::routes(&state, shards);
    let watchers = Arc::new(vitals::Watchers::new(stop, memory));
    watchers.register(&mut registry);
    let requests = RequestMetrics::register(&mut registry);
    let in_flight = Arc::new(InFlight::new(NonZeroUsize::new(
        settings.max_requests_inflight,
    )));
    in_flight.register(&mut registry);
    let health = Health {
        query: Arc::clone(&query),
        auth: Arc::clone(&auth),
        verifiable,
        shutdown,
    };
    let prometheus = prometheus::routes(registry, pages, &pool);
    let incomplete = middleware::from_fn_with_state(Arc::clone(&query), incomplete::warn);
    let custom = query.pod_metrics().is_some().then(|| {
        custom_metrics::routes(custom_metrics::Sources {
            query: Arc::clone(&query),
            services,
            pool: Arc::clone(&pool),
        })
    });
    let others = prometheus.merge(state).merge(custom.unwrap_or_default());
    let routes = routes(query, &watchers, &health, &pool, others, port);
    gate::protect(routes.layer(incomplete), &auth, in_flight)
        .layer(middleware::from_fn_with_state(
            settings.request_timeout,
            deadline::enforce,
        ))
        .layer(middleware::from_fn_with_state(requests, observe::observe))
        .layer(middleware::from_fn(gate::read))
}

/// All routes, `others` among them, without the gate.
fn routes(
    query: Arc<Query>,
    watchers: &Arc<vitals::Watchers>,
    health: &Health,
    pool: &Arc<Pool>,
    others: Router<Arc<Query>>,
    port: u16,
) -> Router {
    let vitals = vitals::routes(&query, watchers, pool);
    let discovery = discovery::routes(&query, port);
    let openapi = openapi::routes(&query);
    Router::new()
        .merge(health::routes(health))
        .merge(discovery)
        .merge(metrics::routes())
        .merge(why::routes())
        .merge(openapi)
        .merge(debug::routes())
        .merge(others)
        .merge(vitals)
        .fallback(unknown_path)
        .method_not_allowed_fallback(not_allowed)
        .with_state(query)
}

/// 405, for a known path with another method.
async fn not_allowed(request: Request) -> Response {
    Form::any(&request).status(&Status::method_not_allowed())
}

/// 404 with the list of paths, as metrics-server answers an unknown path.
async fn unknown_path(State(query): State<Arc<Query>>) -> Response {
    discovery::paths(&query, http::StatusCode::NOT_FOUND)
}
