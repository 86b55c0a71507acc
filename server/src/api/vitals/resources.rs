//! Sources and responses that all handlers of kubevitals.io share.

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use kubevitals_proto::vitals::{API_VERSION, openapi};
use kubevitals_proto::wire::status::Status;

use super::watchers::Watchers;
use crate::api::negotiated::Offer;
use crate::api::reply::Form;
use crate::query::Query;
use crate::work::Pool;

/// The forms of the version.
pub(super) const OFFER: Offer = Offer {
    api_version: API_VERSION,
    package: "kubevitals",
    objects: openapi::GROUP.objects,
    lists: openapi::GROUP.lists,
    protobuf: false,
};

/// The sources of the handlers.
#[derive(Clone)]
pub(super) struct Sources {
    pub(super) query: Arc<Query>,
    pub(super) watchers: Arc<Watchers>,
    /// Runs work that visits the whole cluster.
    pub(super) pool: Arc<Pool>,
}

/// 404: the path has no such resource.
pub(super) async fn unknown_resource(request: Request) -> Response {
    Form::any(&request).status(&Status::resource_not_found())
}
