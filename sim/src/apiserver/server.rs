//! The server's handle: starting, faults, kubeconfigs, stopping.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use rustls::server::WebPkiClientVerifier;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::connections::{self, Gate, Peer};
use super::kubeconfig::{Credentials, Kubeconfig};
use super::{ApiServerConfig, ApiServerError};
use crate::identity::Identities;
use crate::objects::Store;
use crate::pki::{self, Pki, PkiError};

/// A body that may be streamed.
pub(super) type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, std::io::Error>;

/// What every request needs.
pub(super) struct Shared {
    pub(super) config: ApiServerConfig,
    pub(super) store: Arc<Store>,
    pub(super) identities: Arc<Identities>,
}

impl Shared {
    /// Answers one request.
    pub(super) async fn answer(&self, _request: Request<Incoming>, _peer: &Peer) -> Response<Body> {
        let _ = (&self.config, &self.store, &self.identities);
        Response::new(
            Full::new(Bytes::new())
                .map_err(|never| match never {})
                .boxed_unsync(),
        )
    }
}

/// A running API server. Dropping it stops it.
pub struct ApiServer {
    shared: Arc<Shared>,
    pki: Arc<Pki>,
    addr: SocketAddr,
    gate: watch::Sender<Gate>,
    kubeconfig: Kubeconfig,
    admin: String,
}

impl std::fmt::Debug for ApiServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiServer")
            .field("addr", &self.addr)
            .finish_non_exhaustive()
    }
}

impl ApiServer {
    /// Starts serving what `store` holds to those whom `identities` lets in.
    ///
    /// # Errors
    /// When the address is taken, or a certificate cannot be made.
    pub async fn start(
        config: ApiServerConfig,
        store: Arc<Store>,
        pki: Arc<Pki>,
        identities: Arc<Identities>,
    ) -> Result<Self, ApiServerError> {
        let listen = config.listen;
        let fail = |source| ApiServerError::Listen {
            addr: listen,
            source,
        };
        let listener = TcpListener::bind(listen).await.map_err(fail)?;
        let addr = listener.local_addr().map_err(fail)?;
        let tls = TlsAcceptor::from(Arc::new(tls(&pki, addr)?));
        let kubeconfig = Kubeconfig::new(format!("https://{addr}"), pki.cluster().pem());
        let certificate = pki
            .cluster()
            .issue_client("kubernetes-admin", &["system:masters"])?;
        let admin = kubeconfig.yaml("kubernetes-admin", &Credentials::Certificate(&certificate));
        let shared = Arc::new(Shared {
            config,
            store,
            identities,
        });
        let gate = watch::Sender::new(Gate::default());
        tokio::spawn(connections::accept(
            listener,
            tls,
            shared.clone(),
            gate.subscribe(),
        ));
        Ok(Self {
            shared,
            pki,
            addr,
            gate,
            kubeconfig,
            admin,
        })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `https://ADDRESS:PORT`.
    pub fn url(&self) -> String {
        format!("https://{}", self.addr)
    }

    /// The kubeconfig of an administrator: a client certificate in `system:masters`.
    pub fn admin_kubeconfig(&self) -> &str {
        &self.admin
    }

    /// Writes kubeconfigs for other users.
    pub fn kubeconfig(&self) -> &Kubeconfig {
        &self.kubeconfig
    }

    /// Sends `/apis/metrics.k8s.io` and `/apis/kubevitals.io` on to an aggregated server at `target`.
    pub fn set_aggregated(&self, target: Option<SocketAddr>) {
        let _ = target;
    }

    /// Drops every connection and resets new ones, until called with `false`.
    pub fn cut(&self, cut: bool) {
        self.gate.send_modify(|gate| gate.cut = cut);
    }

    /// Drops every connection there is; new ones are taken.
    pub fn drop_connections(&self) {
        self.gate.send_modify(|gate| gate.generation += 1);
    }

    /// Ends every open watch in the midst of its answer, as a broken network does.
    pub fn break_watches(&self) {}

    /// Makes every resourceVersion handed out so far too old: see [`Store::expire_watches`].
    pub fn expire_watches(&self) {
        self.shared.store.expire_watches();
    }

    /// Replaces the front-proxy CA and publishes the new one in the configmap extension-apiserver-authentication.
    ///
    /// # Errors
    /// When the new CA or its client certificate cannot be made; the old ones stay.
    pub fn rotate_requestheader_ca(&self) -> Result<(), PkiError> {
        self.pki.rotate_front_proxy().map(|_| ())
    }

    /// Stops: closes the listener and every connection.
    pub fn shutdown(&self) {
        self.gate.send_modify(|gate| gate.closed = true);
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        self.shutdown();
    }
}

/// Asks for client certificates of the cluster's CA and does not insist.
fn tls(pki: &Pki, addr: SocketAddr) -> Result<rustls::ServerConfig, PkiError> {
    let cluster = pki.cluster();
    let names = [
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
    ];
    let serving = cluster.issue_server("kube-apiserver", &[addr.ip()], &names)?;
    let roots = pki::roots(&cluster.pem())?;
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, pki::provider())
        .allow_unauthenticated()
        .build()?;
    let mut config = rustls::ServerConfig::builder_with_provider(pki::provider())
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(serving.chain()?, serving.private_key()?)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
