//! What all handlers of the metrics of autoscalers share.

use std::sync::Arc;

use axum::extract::Request;
use kubevitals_proto::wire::status::Status;

use crate::auth::Attributes;
use crate::cluster::Services;
use crate::query::Query;
use crate::work::Pool;

/// The sources of the handlers.
#[derive(Clone)]
pub(in crate::api) struct Sources {
    pub(in crate::api) query: Arc<Query>,
    /// The Services whose pods are read.
    pub(in crate::api) services: Arc<Services>,
    /// Runs work that visits many pods.
    pub(in crate::api) pool: Arc<Pool>,
}

/// The attributes that were authorized.
pub(super) fn authorized(request: &Request) -> Result<Arc<Attributes>, Status> {
    let attributes = request.extensions().get::<Arc<Attributes>>();
    // Not reached otherwise: the gate comes before all routes.
    attributes.cloned().ok_or_else(Status::resource_not_found)
}

/// 503 until all pods have been listed: a part of the pods would be a part of a sum.
pub(super) fn when_complete(query: &Query) -> Result<(), Status> {
    if query.detector().is_complete() {
        return Ok(());
    }
    let message = "the pods of the cluster have not all been listed yet: try again";
    Err(Status::unavailable_for(message, 1))
}
