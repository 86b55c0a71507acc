//! /metrics: the registry of all metrics, in Prometheus' text format, or in OpenMetrics for clients that prefer it.
//! Each part registers its metrics where it counts them.
//!
//! docs/metrics.md lists all of them.

mod classic;
mod format;
mod vitals;

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use kubevitals_proto::wire::status::Status;
use prometheus_client::encoding::text;

use super::caller::Caller;
use super::compress;
use super::reply::Form;
use crate::export::PageSource;
use crate::query::Query;
use crate::telemetry::metrics::Registry;
use crate::work::Pool;
use classic::Classic;
use format::{content_type, prefers_openmetrics};

/// The routes.
pub(super) fn routes(
    registry: Registry,
    pages: PageSource,
    pool: &Arc<Pool>,
) -> Router<Arc<Query>> {
    let (registry, pool) = (Arc::new(registry), Arc::clone(pool));
    vitals::routes(pages).route(
        "/metrics",
        get(async move |request: Request| {
            let (form, openmetrics) = (Form::any(&request), prefers_openmetrics(&request));
            let gzip = compress::accepts_gzip(request.headers());
            let caller = Caller::of(&request);
            // The request is not needed while the work runs on another thread.
            drop(request);
            let registry = Arc::clone(&registry);
            metrics(&pool, caller, registry, openmetrics, gzip, form).await
        }),
    )
}

async fn metrics(
    pool: &Pool,
    caller: Caller,
    registry: Arc<Registry>,
    openmetrics: bool,
    gzip: bool,
    form: Form,
) -> Response {
    // Thousands of nodes take a few milliseconds, which would block other tasks.
    let written = caller.run(pool, move |_| {
        let text = write(&registry, openmetrics)?;
        Ok::<_, fmt::Error>(if gzip {
            compress::gzip(text.as_bytes())
        } else {
            Bytes::from(text)
        })
    });
    match written.await {
        Ok(Ok(body)) => {
            let headers = [
                (CONTENT_TYPE, content_type(openmetrics)),
                (CACHE_CONTROL, "no-cache, private"),
                (VARY, "Accept, Accept-Encoding"),
            ];
            let gzip = gzip.then_some([(CONTENT_ENCODING, "gzip")]);
            (headers, gzip, Body::from(body)).into_response()
        }
        Ok(Err(error)) => form.status(&Status::internal_error(error)),
        Err(refusal) => refusal,
    }
}

fn write(registry: &Registry, openmetrics: bool) -> Result<String, fmt::Error> {
    let mut text = String::new();
    if openmetrics {
        text::encode(&mut text, registry)?;
    } else {
        text::encode(&mut Classic::new(&mut text), registry)?;
    }
    Ok(text)
}
