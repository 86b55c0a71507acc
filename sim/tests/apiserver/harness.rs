//! A running API server and clients of it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use kube::Client;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use kubevitals_sim::apiserver::{ApiServer, ApiServerConfig, Credentials};
use kubevitals_sim::identity::{Identities, UserInfo};
use kubevitals_sim::objects::{Now, Store};
use kubevitals_sim::pki::Pki;
use serde_json::Value;

/// How long anything may take before a test gives up.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// The time it always is in these tests.
pub(crate) const NOW: &str = "2026-01-01T12:00:00Z";

/// An API server over an empty store.
pub(crate) struct Api {
    pub(crate) server: ApiServer,
    pub(crate) store: Arc<Store>,
    pub(crate) pki: Arc<Pki>,
    pub(crate) identities: Arc<Identities>,
}

impl Api {
    pub(crate) async fn start() -> Self {
        Self::start_with(ApiServerConfig::default()).await
    }

    pub(crate) async fn start_with(config: ApiServerConfig) -> Self {
        let now: Now = Arc::new(|| NOW.parse().unwrap());
        let (store, pki, identities) = (
            Store::new(now),
            Arc::new(Pki::new().unwrap()),
            Arc::new(Identities::with_defaults()),
        );
        let server = ApiServer::start(config, store.clone(), pki.clone(), identities.clone())
            .await
            .unwrap();
        Self {
            server,
            store,
            pki,
            identities,
        }
    }

    /// A client of the administrator.
    pub(crate) async fn admin(&self) -> Client {
        client(self.server.admin_kubeconfig()).await
    }

    /// A client with a bearer token.
    pub(crate) async fn with_token(&self, token: &str) -> Client {
        client(
            &self
                .server
                .kubeconfig()
                .yaml("someone", &Credentials::Token(token)),
        )
        .await
    }

    /// A client of a user who has a valid token.
    pub(crate) async fn of(&self, user: UserInfo) -> Client {
        let token = self.identities.mint_token(user);
        self.with_token(&token).await
    }
}

/// A client by kubeconfig.
pub(crate) async fn client(kubeconfig: &str) -> Client {
    // Other crates of the workspace may bring a second provider, so that rustls has no default.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).unwrap();
    let options = KubeConfigOptions::default();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .unwrap();
    // A refusal is what these tests want to see, not a second try.
    config.default_retry = false;
    Client::try_from(config).unwrap()
}

/// An answer: status code, content type, body.
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) content_type: String,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }
}

/// GETs a path.
pub(crate) async fn get(client: &Client, path: &str) -> Answer {
    get_as(client, path, "application/json").await
}

/// GETs a path in a representation.
pub(crate) async fn get_as(client: &Client, path: &str, accept: &str) -> Answer {
    send(
        client,
        http::Request::get(path).header("accept", accept),
        "",
    )
    .await
}

/// Sends a request.
pub(crate) async fn send(client: &Client, request: http::request::Builder, body: &str) -> Answer {
    let request = request
        .body(kube::client::Body::from(body.as_bytes().to_vec()))
        .unwrap();
    let (parts, body) = within(client.send(request)).await.unwrap().into_parts();
    let bytes = within(body.collect()).await.unwrap().to_bytes();
    Answer {
        code: parts.status.as_u16(),
        content_type: parts
            .headers
            .get("content-type")
            .map(|v| v.to_str().unwrap().to_owned())
            .unwrap_or_default(),
        text: String::from_utf8(bytes.to_vec()).unwrap(),
    }
}

/// The future's output, if it comes before the deadline.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future)
        .await
        .expect("it takes too long")
}
