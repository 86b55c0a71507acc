//! /metrics: what the server counts of its own work, in Prometheus' text form, or in OpenMetrics' for who prefers
//! it. Nothing is counted twice: every part keeps its own counts, and they are read when somebody asks.
//!
//! docs/metrics.md lists all of them.

mod access;
mod classic;
mod connections;
mod families;
mod health;
mod held;
mod history;
mod managed;
mod peer;
mod program;
mod requests;
mod scrapes;
mod state;

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use http::{HeaderValue, StatusCode};
use kubevitals_proto::wire::status::Status;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, text};
use prometheus_client::registry::Registry;

use super::accept;
use super::compress;
use super::inflight::{self, InFlight};
use super::observe::Requests;
use super::reply::Form;
use super::vitals::Watchers;
use super::working::Caller;
use crate::auth::Auth;
use crate::query::Query;
use crate::scrape::{Latency, Record, Snapshot};
use crate::telemetry::AskAllocator;
use crate::work::{self, Pool};
use crate::{manage, tls};
use classic::Classic;
use families::Families;
use held::Held;

const CLASSIC: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The parts that count.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    pub(super) query: Arc<Query>,
    pub(super) requests: Arc<Requests>,
    pub(super) in_flight: Arc<InFlight>,
    pub(super) watchers: Arc<Watchers>,
    pub(super) auth: Arc<Auth>,
    pub(super) connections: Arc<tls::Counts>,
    pub(super) allocator: Option<AskAllocator>,
    pub(super) managed: Option<Arc<manage::Counts>>,
    pub(super) state: Arc<crate::state::Counts>,
    /// What makes the text, among others.
    pub(super) pool: Arc<Pool>,
    pub(super) incidents: Option<Arc<crate::state::IncidentsCounts>>,
}

/// The parts' counts at one moment, as far as more than one family is made of them.
struct Known<'a> {
    query: &'a Query,
    requests: &'a Requests,
    in_flight: inflight::Counts,
    work: work::Counts,
    watchers: &'a Watchers,
    auth: &'a Auth,
    connections: &'a tls::Counts,
    allocator: Option<AskAllocator>,
    scrapes: Snapshot,
    latency: Latency,
    records: Vec<(Arc<str>, Arc<Record>)>,
    held: Held,
}

/// The route.
pub(super) fn routes(parts: Parts) -> Router<Arc<Query>> {
    let pool = Arc::clone(&parts.pool);
    let mut registry = Registry::default();
    registry.register_collector(Box::new(parts));
    let registry = Arc::new(registry);
    Router::new().route(
        "/metrics",
        get(async move |request: Request| {
            let (form, newer) = (Form::any(&request), prefers_openmetrics(&request));
            let gzip = compress::takes_gzip(request.headers());
            let caller = Caller::of(&request);
            // It cannot be kept while others work.
            drop(request);
            metrics(&pool, caller, registry, newer, gzip, form).await
        }),
    )
}

async fn metrics(
    pool: &Pool,
    caller: Caller,
    registry: Arc<Registry>,
    newer: bool,
    gzip: bool,
    form: Form,
) -> Response {
    // With thousands of nodes this is a few milliseconds' work, during which nobody else should have to wait.
    let written = caller.run(pool, move |_| {
        let text = write(&registry, newer)?;
        Ok::<_, fmt::Error>(if gzip {
            compress::whole(text.as_bytes())
        } else {
            Bytes::from(text)
        })
    });
    match written.await {
        Ok(Ok(body)) => {
            let mut response = Response::new(Body::from(body));
            *response.status_mut() = StatusCode::OK;
            let headers = response.headers_mut();
            let media = if newer { OPENMETRICS } else { CLASSIC };
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
            headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
            if gzip {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
            response
        }
        Ok(Err(error)) => form.status(&Status::internal_error(error)),
        Err(refusal) => refusal,
    }
}

fn write(registry: &Registry, newer: bool) -> Result<String, fmt::Error> {
    let mut text = String::new();
    if newer {
        text::encode(&mut text, registry)?;
    } else {
        text::encode(&mut Classic::new(&mut text), registry)?;
    }
    Ok(text)
}

/// Whether OpenMetrics is asked for before anything that the older form would do for.
fn prefers_openmetrics(request: &Request) -> bool {
    const NEWER: &str = "application/openmetrics-text";
    accept::first_of(request.headers(), &["text/plain", NEWER]) == Some(NEWER)
}

impl Collector for Parts {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let records = self.query.records();
        let mut held = Held::default();
        for (_, record) in &records {
            let of_node = record.read(|history| history.held);
            held.nodes += u64::from(of_node.node);
            held.containers += u64::from(of_node.containers);
            held.bytes += u64::from(of_node.bytes);
        }
        let known = Known {
            query: &self.query,
            requests: &self.requests,
            in_flight: self.in_flight.counts(),
            work: self.pool.counts(),
            watchers: &self.watchers,
            auth: &self.auth,
            connections: &self.connections,
            allocator: self.allocator,
            scrapes: self.query.scrapes(),
            latency: self.query.latency(),
            records,
            held,
        };
        let mut families = Families(encoder);
        peer::write(&mut families, &known)?;
        scrapes::write(&mut families, &known)?;
        held::write(&mut families, &known)?;
        history::write(&mut families, &known)?;
        health::write(&mut families, &known)?;
        requests::write(&mut families, &known)?;
        access::write(&mut families, &known)?;
        connections::write(&mut families, &known)?;
        managed::write(&mut families, self.managed.as_deref())?;
        state::write(&mut families, &self.state)?;
        state::write_incidents(&mut families, self.incidents.as_deref())?;
        program::write(&mut families, &known)
    }
}
