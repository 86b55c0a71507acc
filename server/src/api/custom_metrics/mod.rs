//! custom.metrics.k8s.io and external.metrics.k8s.io: the metrics of HorizontalPodAutoscalers.
//!
//! What is served is read from the [`Attributes`](crate::auth::Attributes) that were authorized, not from the path a second time.

mod custom;
mod encoder;
mod external;
mod sources;
mod target;

use axum::Router;
use axum::extract::{Request, State};
use axum::routing::get;
use kubevitals_proto::custom_metrics::{self, Version, external as external_api};

pub(super) use sources::Sources;

/// The routes.
pub(super) fn routes<S>(sources: Sources) -> Router<S> {
    let mut routes = Router::new();
    for version in Version::ALL {
        let rest = format!(
            "/apis/{}/{}/{{*rest}}",
            custom_metrics::GROUP,
            version.as_str()
        );
        let respond = async move |State(sources): State<Sources>, request: Request| {
            custom::respond(version, sources, request).await
        };
        routes = routes.route(&rest, get(respond));
    }
    let (group, version) = (external_api::GROUP, external_api::VERSION);
    routes
        .route(
            &format!("/apis/{group}/{version}/{{*rest}}"),
            get(async |State(sources): State<Sources>, request: Request| {
                external::respond(sources, request).await
            }),
        )
        .with_state(sources)
}
