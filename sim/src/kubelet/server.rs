//! The listener that all kubelets share.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::header::CONTENT_ENCODING;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use parking_lot::{Mutex, RwLock};
use rustls_pki_types::CertificateDer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::access::{self, Refusal};
use super::forged::Forged;
use super::page::{Answer, Page, Pages};
use super::throttle::{self, Throttle};
use super::tls::{Certificate, Tls};
use super::trouble::{self, Kill};
use crate::connections::{self, Body, Dropped, Failure, Gate, full, handshake, response};
use crate::identity::Identities;
use crate::pki::{Authority, PkiError};
use crate::world::node::{address, index_of};

/// Listens on all addresses, so that every 127.X.Y.Z is one of them. Port 0 picks a free one, which is returned.
pub(crate) async fn bind(port: u16) -> io::Result<(TcpListener, u16)> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

/// One kubelet.
#[derive(Debug, Default)]
pub(crate) struct Kubelet {
    name: String,
    certificate: Certificate,
    /// Requests for `/metrics/resource`, whatever the response.
    pub(crate) scrapes: AtomicU64,
    pub(crate) trouble: RwLock<Option<Kill>>,
    /// Responses that replace pages, by path.
    pub(crate) forged: RwLock<BTreeMap<String, Forged>>,
    /// Pages that are paused, by path. Requests subscribe to the sender and wait until it is dropped.
    pub(crate) paused: Mutex<BTreeMap<String, watch::Sender<()>>>,
}

/// The state that all connections share.
struct Shared {
    kubelets: Vec<Kubelet>,
    tls: Tls,
    identities: Arc<Identities>,
    pages: Arc<dyn Pages>,
    throttle: Throttle,
}

/// All kubelets. Dropping them ends every connection.
pub(crate) struct Kubelets {
    shared: Arc<Shared>,
    gate: watch::Sender<Gate>,
}

impl Kubelets {
    /// Serves the pages of the nodes of these names, in the order of their addresses.
    pub(crate) fn start(
        listener: TcpListener,
        names: impl IntoIterator<Item = String>,
        pages: Arc<dyn Pages>,
        authority: Arc<Authority>,
        identities: Arc<Identities>,
    ) -> Result<Self, PkiError> {
        let kubelets = names.into_iter().map(|name| Kubelet {
            name,
            ..Kubelet::default()
        });
        let shared = Arc::new(Shared {
            kubelets: kubelets.collect(),
            tls: Tls::new(authority)?,
            identities,
            pages,
            throttle: Throttle::default(),
        });
        let gate = watch::Sender::new(Gate::default());
        let serving = shared.clone();
        let serve = move |stream| connection(stream, serving.clone());
        tokio::spawn(connections::accept(listener, gate.subscribe(), serve));
        Ok(Self { shared, gate })
    }

    /// Limits the requests that all kubelets together answer in a second.
    pub(crate) fn throttle(&self, rate: Option<f64>) {
        self.shared.throttle.set(rate);
    }

    /// The kubelet of the node of this name.
    pub(crate) fn get(&self, node: &str) -> Option<&Kubelet> {
        self.shared.kubelets.iter().find(|k| k.name == node)
    }

    /// Closes the listener and every connection.
    pub(crate) fn close(&self) {
        self.gate.send_modify(|gate| gate.closed = true);
    }
}

impl Drop for Kubelets {
    fn drop(&mut self) {
        self.close();
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) -> Result<(), Failure> {
    let SocketAddr::V4(local) = stream.local_addr()? else {
        return Ok(());
    };
    let index = index_of((*local.ip()).into()).unwrap_or(usize::MAX);
    let Some(kubelet) = shared.kubelets.get(index) else {
        return Ok(());
    };
    let trouble = *kubelet.trouble.read();
    match trouble {
        Some(Kill::Refuse) => return Ok(()),
        Some(Kill::Reset) => return Ok(stream.set_zero_linger()?),
        Some(Kill::Hang) => {
            // Stay open and ignore the input until the client closes.
            let mut stream = stream;
            tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
            return Ok(());
        }
        _ => {}
    }
    shared.throttle.serve(throttle::HANDSHAKE).await;
    let config = shared
        .tls
        .config(&kubelet.certificate, &kubelet.name, address(index).into())?;
    let (stream, certificate) = handshake(stream, TlsAcceptor::from(config)).await?;
    let answer = move |request| {
        let (shared, certificate) = (shared.clone(), certificate.clone());
        async move { answer(&shared, index, &request, certificate.as_deref()).await }
    };
    connections::converse(stream, answer).await
}

async fn answer(
    shared: &Shared,
    index: usize,
    request: &Request<Incoming>,
    certificate: Option<&CertificateDer<'static>>,
) -> Result<Response<Body>, Dropped> {
    let Some(kubelet) = shared.kubelets.get(index) else {
        return Err(Dropped);
    };
    let path = request.uri().path();
    let page = Page::at(path, request.uri().query());
    if page == Some(Page::Resource) {
        kubelet.scrapes.fetch_add(1, Ordering::Relaxed);
    }
    shared.throttle.serve(throttle::REQUEST).await;
    let trouble = *kubelet.trouble.read();
    match trouble {
        Some(Kill::Refuse | Kill::Reset) => return Err(Dropped),
        Some(Kill::Hang) => std::future::pending().await,
        Some(Kill::Status(status)) => return Ok(status_alone(status)),
        Some(Kill::Html) => return Ok(body(StatusCode::OK, "text/html", trouble::HTML.into())),
        _ => {}
    }
    match access::check(
        &shared.identities,
        request.headers(),
        certificate,
        &kubelet.name,
        path,
    ) {
        Ok(()) => {}
        Err(Refusal::Unauthorized) => return Ok(plain(StatusCode::UNAUTHORIZED, "Unauthorized")),
        Err(Refusal::Forbidden(text)) => return Ok(plain(StatusCode::FORBIDDEN, text)),
    }
    let paused = kubelet
        .paused
        .lock()
        .get(path)
        .map(watch::Sender::subscribe);
    if let Some(mut paused) = paused {
        let _resumed = paused.changed().await;
    }
    if let Some(forged) = kubelet.forged.read().get(path).cloned() {
        if let Forged::Status(status) = forged {
            return Ok(status_alone(status));
        }
        let (kind, encoding) = forged.headers();
        let kind = kind.or_else(|| page.map(Page::content_type));
        let mut response = stream(kind.unwrap_or("text/plain"), forged.chunks());
        if let Some(encoding) = encoding {
            let encoding = HeaderValue::from_static(encoding);
            response.headers_mut().insert(CONTENT_ENCODING, encoding);
        }
        return Ok(response);
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let text = "405: Method Not Allowed";
        return Ok(plain(StatusCode::METHOD_NOT_ALLOWED, text));
    }
    if path.trim_end_matches('/') == "/healthz" {
        return Ok(plain(StatusCode::OK, "ok"));
    }
    let Some(page) = page else {
        return Ok(not_found());
    };
    let mut out = Vec::new();
    let clock_off = trouble.map_or(0, Kill::clock_off);
    match shared.pages.write(index, page, clock_off, &mut out) {
        Answer::Written => Ok(written(page, out, trouble)),
        Answer::NotFound => Ok(not_found()),
        Answer::Failed(code) => Ok(plain(status(code), "Internal Error\n")),
        Answer::Silent => std::future::pending().await,
    }
}

/// The response with a page, corrupted if the kubelet has that fault.
fn written(page: Page, out: Vec<u8>, trouble: Option<Kill>) -> Response<Body> {
    let kind = page.content_type();
    match trouble {
        Some(Kill::HalfBody) => trouble::half(kind, out),
        Some(Kill::GzipBomb) => {
            let mut response = body(StatusCode::OK, kind, trouble::gzip_bomb());
            let gzip = HeaderValue::from_static("gzip");
            response.headers_mut().insert(CONTENT_ENCODING, gzip);
            response
        }
        Some(Kill::MillionSeries) => {
            let parts = (0..100).map(|n| Ok(Frame::data(trouble::million_series(n))));
            stream(kind, futures::stream::iter(parts))
        }
        Some(Kill::InvalidUtf8) => body(StatusCode::OK, kind, trouble::invalid_utf8(&out).into()),
        Some(Kill::BadNumbers) => body(StatusCode::OK, kind, trouble::bad_numbers(&out).into()),
        Some(Kill::ScrapeError) => body(StatusCode::OK, kind, trouble::SCRAPE_ERROR.into()),
        _ => body(StatusCode::OK, kind, out.into()),
    }
}

fn stream(
    kind: &'static str,
    parts: impl futures::Stream<Item = io::Result<Frame<Bytes>>> + Send + 'static,
) -> Response<Body> {
    response(StatusCode::OK, kind, StreamBody::new(parts).boxed_unsync())
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// A status and nothing but its name.
fn status_alone(code: u16) -> Response<Body> {
    let status = status(code);
    plain(status, status.canonical_reason().unwrap_or("error"))
}

fn not_found() -> Response<Body> {
    plain(StatusCode::NOT_FOUND, "404 page not found\n")
}

fn plain(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    body(status, "text/plain; charset=utf-8", text.into())
}

fn body(status: StatusCode, kind: &'static str, bytes: Bytes) -> Response<Body> {
    response(status, kind, full(bytes))
}
