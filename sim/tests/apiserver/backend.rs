//! An aggregated server to send requests on to. It reports what reached it.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use kubevitals_sim::pki::{self, Authority, Certified};
use rustls::server::WebPkiClientVerifier;
use serde_json::json;
use tokio::sync::broadcast;

type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, std::convert::Infallible>;

/// A server of metrics.k8s.io/v1beta1 and kubevitals.io/v1alpha1.
pub(crate) struct Backend {
    pub(crate) addr: SocketAddr,
    /// Sends a line to every client that has requested `/apis/kubevitals.io/v1alpha1/stream`.
    pub(crate) lines: broadcast::Sender<String>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Backend {
    /// Starts it with a certificate; it takes clients whose certificate is of one of `client_ca_pem`.
    pub(crate) async fn start(certificate: &Certified, client_ca_pem: &str) -> Self {
        let roots = pki::roots(client_ca_pem).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, pki::provider())
            .build()
            .unwrap();
        let mut config = rustls::ServerConfig::builder_with_provider(pki::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(
                certificate.chain().unwrap(),
                certificate.private_key().unwrap(),
            )
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (lines, _) = broadcast::channel(16);
        let sender = lines.clone();
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (acceptor, lines) = (acceptor.clone(), sender.clone());
                connections.spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let subject = pki_subject(stream.get_ref().1);
                    let server_name = stream
                        .get_ref()
                        .1
                        .server_name()
                        .unwrap_or_default()
                        .to_owned();
                    let service = hyper::service::service_fn(move |request| {
                        let answer =
                            answer(request, subject.clone(), server_name.clone(), lines.clone());
                        async move { Ok::<_, std::convert::Infallible>(answer.await) }
                    });
                    let http = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    let _ = http.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { addr, lines, task }
    }
}

/// A serving certificate of some authority for the service's name.
pub(crate) fn certificate(authority: &Authority) -> Certified {
    authority
        .issue_server("vitals-server", &[], &["vitals-server.kube-system.svc"])
        .unwrap()
}

fn pki_subject(connection: &rustls::ServerConnection) -> String {
    let certificate = &connection.peer_certificates().unwrap()[0];
    kubevitals_sim::identity::UserInfo::of_certificate(certificate)
        .unwrap()
        .username
}

async fn answer(
    request: Request<Incoming>,
    subject: String,
    server_name: String,
    lines: broadcast::Sender<String>,
) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let resource = |plural: &str, kind: &str| json!({"resource": plural, "responseKind": {"group": "", "version": "", "kind": kind}, "scope": "Namespaced", "singularResource": "", "verbs": ["get", "list"]});
    let group = |name: &str, version: &str, resources| json!({"metadata": {"name": name}, "versions": [{"version": version, "resources": resources, "freshness": "Current"}]});
    let mut content_type = "application/json";
    let body = match path.as_str() {
        "/apis" => {
            content_type = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
            let items = [
                group(
                    "metrics.k8s.io",
                    "v1beta1",
                    json!([resource("pods", "PodMetrics")]),
                ),
                group(
                    "kubevitals.io",
                    "v1alpha1",
                    json!([resource("podvitals", "PodVitals")]),
                ),
            ];
            json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items})
        }
        "/openapi/v3" => json!({"paths": {
            "apis/metrics.k8s.io/v1beta1": {"serverRelativeURL": "/openapi/v3/apis/metrics.k8s.io/v1beta1?hash=1"},
            "apis/foreign/v1": {"serverRelativeURL": "/openapi/v3/apis/foreign/v1?hash=1"},
        }}),
        "/apis/kubevitals.io/v1alpha1/stream" => {
            let receiver = lines.subscribe();
            let frames = futures::stream::unfold(receiver, |mut receiver| async move {
                let line = receiver.recv().await.ok()?;
                Some((Ok(Frame::data(Bytes::from(line))), receiver))
            });
            return Response::new(StreamBody::new(frames).boxed_unsync());
        }
        _ => {
            let headers: Vec<_> = request
                .headers()
                .iter()
                .map(|(k, v)| json!([k.as_str(), v.to_str().unwrap()]))
                .collect();
            let (method, uri) = (
                request.method().to_string(),
                request.uri().path_and_query().unwrap().to_string(),
            );
            let body = request.into_body().collect().await.unwrap().to_bytes();
            json!({
                "method": method, "uri": uri, "headers": headers, "body": String::from_utf8_lossy(&body),
                "certificate": subject, "serverName": server_name,
            })
        }
    };
    let mut response =
        Response::new(http_body_util::Full::new(Bytes::from(body.to_string())).boxed_unsync());
    response
        .headers_mut()
        .insert("content-type", http::HeaderValue::from_static(content_type));
    response
}
