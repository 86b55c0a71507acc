//! The server's handle: starting, faults, kubeconfigs, stopping.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use futures::FutureExt;
use parking_lot::RwLock;
use rustls::sign::SingleCertAndKey;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::aggregation::{Aggregation, Discovery, LocalServer, Registration};
use super::config::{Answer, ApiServerConfig, ApiServerError, Serves};
use super::faults::{Affected, Faults, RequestFault};
use super::kubeconfig::{Credentials, Kubeconfig};
use super::shared::Shared;
use crate::connections::{self, ClientCertificate, Failure, Gate, handshake};
use crate::identity::{Identities, UserInfo};
use crate::objects::{Resource, Store};
use crate::pki::{Pki, PkiError, server_tls};
use crate::world::World;

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
    /// Starts to serve the objects of `store` to the users of `identities`.
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
        seed(&store, &pki);
        let aggregation = Aggregation::new(store.clone(), pki.clone());
        let watches_broken = watch::Sender::new(());
        let shared = Arc::new(Shared {
            config,
            store,
            identities,
            aggregation,
            discovery: Discovery::default(),
            requests: AtomicU64::new(0),
            serves: RwLock::default(),
            instead: RwLock::default(),
            log: RwLock::default(),
            protects_pods: AtomicBool::default(),
            faults: Faults::default(),
            world: RwLock::default(),
            watches_broken,
        });
        let gate = watch::Sender::new(Gate::default());
        let serving = shared.clone();
        let serve = move |stream| {
            let (tls, shared) = (tls.clone(), serving.clone());
            async move {
                let (stream, certificate) = handshake(stream, tls).await?;
                converse(stream, certificate, shared).await
            }
        };
        tokio::spawn(connections::accept(listener, gate.subscribe(), serve));
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

    /// The kubeconfig of a service account, with a new token. The token is valid until
    /// [`Identities::remove_token`].
    pub fn service_account_kubeconfig(&self, namespace: &str, name: &str) -> String {
        let token = self
            .shared
            .identities
            .mint_token(UserInfo::service_account(namespace, name));
        self.kubeconfig.yaml(name, &Credentials::Token(&token))
    }

    /// Writes kubeconfigs for other users.
    pub fn kubeconfig(&self) -> &Kubeconfig {
        &self.kubeconfig
    }

    /// Sends `/apis/metrics.k8s.io` and `/apis/kubevitals.io` (and every other group with an APIService) on to an
    /// aggregated server at `target`. Until there is one they are answered 503.
    pub fn set_aggregated(&self, target: Option<SocketAddr>) {
        self.shared.aggregation.set_target(target);
    }

    /// Makes deletions, evictions, restarts and the like happen in a world.
    pub(crate) fn set_world(&self, world: Arc<World>) {
        *self.shared.world.write() = Some(world);
    }

    /// Answers `/apis/metrics.k8s.io` and `/apis/kubevitals.io` in this process instead of sending them on, until called
    /// with `None`. The API server authorizes on its behalf.
    pub fn set_local(&self, server: Option<LocalServer>) {
        self.shared.aggregation.set_local(server);
    }

    /// Serves one connection without TLS, such as one end of a [`tokio::io::duplex`], until it ends. Whoever is at the
    /// other end has a token or is anonymous.
    pub fn serve<S>(&self, stream: S) -> impl Future<Output = ()> + Send + 'static
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let served = converse(stream, None, Arc::clone(&self.shared));
        served.map(|ended| {
            if let Err(error) = ended {
                tracing::debug!(%error, "connection ended");
            }
        })
    }

    /// Lets requests for these resources go wrong, from now on and until called with `None`. Watches of them that are
    /// open end with a refusal, are reset, or fall silent.
    pub fn set_fault(&self, affected: Affected, fault: Option<RequestFault>) {
        self.shared.faults.set(affected, fault);
    }

    /// How many requests have met a fault so far.
    pub fn struck(&self) -> u64 {
        self.shared.faults.struck()
    }

    /// Lets the cluster have none of these aggregated groups, as one that has metrics-server and no more, or nothing at
    /// all; the last call holds.
    pub fn set_without(&self, groups: &[&str]) {
        self.shared.aggregation.set_without(groups);
    }

    /// Serves no more than this from now on, as an older API server, or one behind a proxy.
    pub fn set_serves(&self, serves: Serves) {
        *self.shared.serves.write() = serves;
    }

    /// Lets every container write these bytes over and over, as fast as its log is read, until called with `None`.
    pub fn set_log(&self, bytes: Option<Bytes>) {
        *self.shared.log.write() = bytes;
    }

    /// Lets no budget allow an eviction, until called with `false`.
    pub fn protect_pods(&self, protect: bool) {
        self.shared.protects_pods.store(protect, Ordering::Relaxed);
    }

    /// Answers every request with this, until called with `None`.
    pub fn answer_with(&self, answer: Option<Answer>) {
        *self.shared.instead.write() = answer;
    }

    /// How many requests have come in, whatever was answered.
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
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
    pub fn break_watches(&self) {
        self.shared.watches_broken.send_replace(());
    }

    /// Makes every resourceVersion handed out so far too old: see [`Store::expire_watches`].
    pub fn expire_watches(&self) {
        self.shared.store.expire_watches();
    }

    /// The first part of a front-proxy CA's rotation: publishes the next CA beside the present one, in the configmap
    /// extension-apiserver-authentication. The present one goes on being used.
    ///
    /// # Errors
    /// When the next CA cannot be made.
    pub fn announce_requestheader_ca(&self) -> Result<(), PkiError> {
        self.pki.announce_front_proxy()?;
        publish_authorities(&self.shared.store, &self.pki);
        Ok(())
    }

    /// The second part of a careful rotation: requests to the aggregated server come with a certificate of the
    /// announced CA from now on; the configmap still has both.
    pub fn switch_requestheader_ca(&self) {
        self.pki.switch_front_proxy();
        self.shared.aggregation.reconnect();
    }

    /// The last part of a careful rotation: the configmap has nothing but the CA in use.
    pub fn retire_requestheader_ca(&self) {
        self.pki.retire_front_proxy();
        publish_authorities(&self.shared.store, &self.pki);
    }

    /// Replaces the front-proxy CA at once by the announced one, else by a new one: requests to the aggregated server come
    /// with a certificate of it from now on, and the configmap has nothing but it.
    ///
    /// # Errors
    /// When the new CA cannot be made; the old one stays.
    pub fn rotate_requestheader_ca(&self) -> Result<(), PkiError> {
        self.pki.rotate_front_proxy()?;
        publish_authorities(&self.shared.store, &self.pki);
        self.shared.aggregation.reconnect();
        Ok(())
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

/// Answers the requests of one connection until it ends.
async fn converse<S>(
    stream: S,
    certificate: ClientCertificate,
    shared: Arc<Shared>,
) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let answer = move |request| {
        let (shared, certificate) = (shared.clone(), certificate.clone());
        async move { shared.answer(request, &certificate).await }
    };
    connections::converse(stream, answer).await
}

/// Writes the objects a kube-apiserver itself writes.
fn seed(store: &Store, pki: &Pki) {
    publish_authorities(store, pki);
    let mut groups: Vec<_> = Resource::ALL
        .iter()
        .map(|r| (r.info().group, r.info().version))
        .collect();
    groups.extend([
        ("authentication.k8s.io", "v1"),
        ("authorization.k8s.io", "v1"),
    ]);
    groups.sort_unstable();
    groups.dedup();
    for (group, version) in groups {
        Registration::ensure_local(store, group, version);
    }
    Registration::ensure(store, "metrics.k8s.io", "v1beta1");
}

/// Writes kube-system/extension-apiserver-authentication as the authorities are now.
fn publish_authorities(store: &Store, pki: &Pki) {
    let data = json!({
        "client-ca-file": pki.cluster().pem(),
        "requestheader-allowed-names": r#"["front-proxy-client"]"#,
        "requestheader-client-ca-file": pki.front_proxy_bundle(),
        "requestheader-extra-headers-prefix": r#"["X-Remote-Extra-"]"#,
        "requestheader-group-headers": r#"["X-Remote-Group"]"#,
        "requestheader-uid-headers": r#"["X-Remote-Uid"]"#,
        "requestheader-username-headers": r#"["X-Remote-User"]"#,
    });
    let metadata =
        json!({"name": "extension-apiserver-authentication", "namespace": "kube-system"});
    store.apply(
        Resource::ConfigMaps,
        json!({"metadata": metadata, "data": data}),
    );
}

/// The configuration of a server that accepts, and does not require, client certificates of the cluster's CA.
fn tls(pki: &Pki, addr: SocketAddr) -> Result<rustls::ServerConfig, PkiError> {
    let cluster = pki.cluster();
    let names = [
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
    ];
    let serving = cluster.issue_server("kube-apiserver", &[addr.ip()], &names)?;
    let serving = Arc::new(SingleCertAndKey::from(serving.key()?));
    server_tls(&cluster.pem(), serving)
}
