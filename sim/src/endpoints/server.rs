//! The listener that all pods share.

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, LOCATION};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use parking_lot::{Mutex, RwLock};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::accept::{self, Format};
use super::fault::{self, EndpointFault};
use super::options::PodEndpoints;
use super::page::{self, Found};
use super::{protobuf, text};
use crate::connections::{self, Body, Dropped, Failure, Gate, full, handshake, response};
use crate::kubelet::{Tls, trouble};
use crate::pki::{Authority, PkiError};
use crate::world::World;
use crate::world::node::pod_node;

/// The first byte of a TLS handshake.
const TLS: u8 = 0x16;
/// The size of the chunks of a body of 200 MB.
const CHUNK: usize = 1 << 20;

/// A pod, by namespace and name.
type PodName = (String, String);

/// The requests that the endpoint of a pod got.
#[derive(Clone, Debug, Default)]
struct Seen {
    requests: u64,
    /// The headers of the last one.
    headers: HeaderMap,
}

struct Shared {
    world: Arc<World>,
    tls: Tls,
    options: PodEndpoints,
    faults: RwLock<HashMap<PodName, EndpointFault>>,
    seen: Mutex<HashMap<PodName, Seen>>,
}

/// The endpoints of all pods. Dropping them ends every connection.
pub(crate) struct Endpoints {
    shared: Arc<Shared>,
    gate: watch::Sender<Gate>,
}

impl Endpoints {
    /// Serves `/metrics` of every pod that exposes some.
    pub(crate) fn start(
        listener: TcpListener,
        world: Arc<World>,
        authority: Arc<Authority>,
        options: PodEndpoints,
    ) -> Result<Self, PkiError> {
        let shared = Arc::new(Shared {
            world,
            tls: Tls::new(authority)?,
            options,
            faults: RwLock::default(),
            seen: Mutex::default(),
        });
        let gate = watch::Sender::new(Gate::default());
        let serving = shared.clone();
        let serve = move |stream| connection(stream, serving.clone());
        tokio::spawn(connections::accept(listener, gate.subscribe(), serve));
        Ok(Self { shared, gate })
    }

    /// Makes the endpoint of a pod misbehave, or behave again. Connections that exist go on.
    pub(crate) fn set_fault(&self, namespace: &str, pod: &str, fault: Option<EndpointFault>) {
        let key = (namespace.to_owned(), pod.to_owned());
        let mut faults = self.shared.faults.write();
        match fault {
            Some(fault) => faults.insert(key, fault),
            None => faults.remove(&key),
        };
    }

    /// How many requests the endpoint of a pod got, and the headers of the last one.
    pub(crate) fn seen(&self, namespace: &str, pod: &str) -> (u64, HeaderMap) {
        let key = (namespace.to_owned(), pod.to_owned());
        let seen = self.shared.seen.lock().get(&key).cloned();
        let seen = seen.unwrap_or_default();
        (seen.requests, seen.headers)
    }
}

impl Drop for Endpoints {
    fn drop(&mut self) {
        self.gate.send_modify(|gate| gate.closed = true);
    }
}

impl Shared {
    fn fault(&self, pod: &PodName) -> Option<EndpointFault> {
        self.faults.read().get(pod).cloned()
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) -> Result<(), Failure> {
    let local = stream.local_addr()?;
    let Some((node, address)) = pod_node(local.ip()) else {
        return Ok(());
    };
    shared.world.catch_up();
    let pod = match page::find(&shared.world, node, address) {
        Found::Nobody => return Ok(stream.set_zero_linger()?),
        Found::Silent => return ignore(stream).await,
        Found::Pod(namespace, name) => (namespace, name),
    };
    match shared.fault(&pod) {
        Some(EndpointFault::Refuse) => return Ok(stream.set_zero_linger()?),
        Some(EndpointFault::Hang) => return ignore(stream).await,
        _ => {}
    }
    let mut first = [0];
    let is_tls = stream.peek(&mut first).await? == 1 && first == [TLS];
    let name = pod.1.clone();
    let serving = shared.clone();
    let answer = move |request| {
        let (shared, pod) = (serving.clone(), pod.clone());
        async move { answer(&shared, node, address, &pod, &request).await }
    };
    if is_tls {
        let address = IpAddr::V4(address);
        let config = shared.tls.config(&Default::default(), &name, address)?;
        let (stream, _) = handshake(stream, TlsAcceptor::from(config)).await?;
        return connections::converse(stream, answer).await;
    }
    connections::converse(stream, answer).await
}

/// Stays open and ignores the input until the client closes.
async fn ignore(mut stream: TcpStream) -> Result<(), Failure> {
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
    Ok(())
}

async fn answer(
    shared: &Shared,
    node: usize,
    address: Ipv4Addr,
    pod: &PodName,
    request: &Request<Incoming>,
) -> Result<Response<Body>, Dropped> {
    {
        let mut all = shared.seen.lock();
        let seen = all.entry(pod.clone()).or_default();
        seen.requests += 1;
        seen.headers = request.headers().clone();
    }
    shared.world.catch_up();
    match page::find(&shared.world, node, address) {
        Found::Silent => std::future::pending().await,
        Found::Pod(namespace, name) if (&namespace, &name) == (&pod.0, &pod.1) => {}
        // The address has another pod since the connection was made, or none.
        _ => return Err(Dropped),
    }
    let broken = shared.fault(pod);
    if let Some(instead) = broken.as_ref().and_then(|it| it.instead(request.headers())) {
        return Ok(instead);
    }
    match broken {
        Some(EndpointFault::Refuse) => return Err(Dropped),
        Some(EndpointFault::Hang) => std::future::pending().await,
        _ => {}
    }
    if request.uri().path() != "/metrics" {
        return Ok(plain(StatusCode::NOT_FOUND));
    }
    let PodEndpoints {
        filler,
        exported_labels,
        ..
    } = shared.options;
    let families = page::families(
        &shared.world,
        node,
        (&pod.0, &pod.1),
        filler,
        exported_labels,
    );
    let mut families = families.ok_or(Dropped)?;
    if let Some(fault) = &broken {
        fault.apply(&mut families, shared.world.clock.now().as_millis());
    }
    let format = accept::format(request.headers());
    let mut out = Vec::new();
    match format {
        Format::Text(dialect) => text::write(&mut out, &families, dialect),
        Format::Protobuf => protobuf::write(&mut out, &families),
    }
    if broken == Some(EndpointFault::InvalidUtf8) {
        fault::break_labels(&mut out);
    }
    let kind = match broken {
        Some(EndpointFault::ContentType(kind)) => kind,
        _ => format.content_type(),
    };
    if broken == Some(EndpointFault::HalfBody) {
        return Ok(trouble::half(kind, out));
    }
    Ok(match accept::gzip(request.headers()) {
        true => gzipped(response(StatusCode::OK, kind, full(gzip(&out)))),
        false => response(StatusCode::OK, kind, full(out)),
    })
}

impl EndpointFault {
    /// The response in place of a page, if it is such a fault.
    fn instead(&self, headers: &HeaderMap) -> Option<Response<Body>> {
        let text = Format::Text(text::Dialect::Prometheus).content_type();
        Some(match self {
            Self::Status(code) => {
                plain(StatusCode::from_u16(*code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
            }
            Self::Protected(expected) => {
                let sent = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
                if sent == Some(expected.as_bytes()) {
                    return None;
                }
                plain(StatusCode::UNAUTHORIZED)
            }
            Self::Redirect(to) => {
                let mut response = plain(StatusCode::FOUND);
                if let Ok(to) = HeaderValue::from_str(to) {
                    response.headers_mut().insert(LOCATION, to);
                }
                response
            }
            Self::Html => response(StatusCode::OK, "text/html", full(trouble::HTML)),
            Self::Huge => {
                let line = "padding_total{of=\"a body that is far too long\"} 1\n";
                let chunk = Bytes::from(line.repeat(CHUNK / line.len()));
                let chunks = (0..200).map(move |_| Ok(Frame::data(chunk.clone())));
                streamed(text, futures::stream::iter(chunks))
            }
            Self::GzipBomb => gzipped(response(StatusCode::OK, text, full(trouble::gzip_bomb()))),
            Self::MillionSeries => {
                let parts = (0..100).map(|n| Ok(Frame::data(trouble::million_series(n))));
                streamed(text, futures::stream::iter(parts))
            }
            _ => return None,
        })
    }
}

fn streamed(
    kind: &'static str,
    parts: impl futures::Stream<Item = io::Result<Frame<Bytes>>> + Send + 'static,
) -> Response<Body> {
    response(StatusCode::OK, kind, StreamBody::new(parts).boxed_unsync())
}

/// A status and nothing but its name.
fn plain(status: StatusCode) -> Response<Body> {
    let text = status.canonical_reason().unwrap_or("error");
    response(status, "text/plain; charset=utf-8", full(text))
}

fn gzipped(mut response: Response<Body>) -> Response<Body> {
    let gzip = HeaderValue::from_static("gzip");
    response.headers_mut().insert(CONTENT_ENCODING, gzip);
    response
}

/// Compressed bytes. Writing to a Vec does not fail.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    let written = gzip.write_all(bytes);
    written.and_then(|()| gzip.finish()).unwrap_or_default()
}
