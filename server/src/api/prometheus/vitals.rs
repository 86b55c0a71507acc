//! /metrics/vitals: the series of the cluster, which remote write sends, for a Prometheus that scrapes.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use futures::StreamExt as _;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};

use super::format::{content_type, prefers_openmetrics};
use crate::api::compress;
use crate::api::streaming::{self, CHUNK, ChunkEncoder, STRIDE};
use crate::export::{Page, PageSource};
use crate::query::Query;

/// The route.
pub(super) fn routes(source: PageSource) -> Router<Arc<Query>> {
    let source = Arc::new(source);
    Router::new().route(
        "/metrics/vitals",
        get(async move |request: Request| {
            let openmetrics = prefers_openmetrics(&request);
            let gzip = compress::accepts_gzip(request.headers());
            drop(request);
            respond(source.page(openmetrics).await, openmetrics, gzip)
        }),
    )
}

fn respond(page: Page, openmetrics: bool, gzip: bool) -> Response {
    let chunks = streaming::chunks(PageEncoder(page));
    let body = if gzip {
        compress::gzip_stream(chunks)
    } else {
        Body::from_stream(chunks.map(Ok::<_, Infallible>))
    };
    let headers = [
        (CONTENT_TYPE, content_type(openmetrics)),
        (CACHE_CONTROL, "no-cache, private"),
        (VARY, "Accept, Accept-Encoding"),
    ];
    let gzip = gzip.then_some([(CONTENT_ENCODING, "gzip")]);
    (headers, gzip, body).into_response()
}

struct PageEncoder(Page);

impl ChunkEncoder for PageEncoder {
    fn advance(&mut self, out: &mut Vec<u8>) -> bool {
        // About a hundred bytes a sample, and several samples a pod.
        let subjects = STRIDE.min(CHUNK.saturating_sub(out.len()) / 256 + 1);
        self.0.advance(subjects, out)
    }
}
