//! A client of a server under test or of the simulated API server.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, ACCEPT_ENCODING};
use kube::config::Kubeconfig;
use secrecy::ExposeSecret;
use serde_json::Value;

/// A client with the identity of the cluster administrator.
#[derive(Clone)]
pub(crate) struct Client {
    client: reqwest::Client,
    address: String,
}

/// The measurements of one response.
pub(crate) struct Response {
    /// The time to the first byte of the body.
    pub(crate) first_byte: Duration,
    /// The time to the last byte.
    pub(crate) total: Duration,
    pub(crate) bytes: usize,
}

impl Client {
    /// Makes a client of `address` (`https://HOST:PORT`) with the client certificate of the kubeconfig.
    pub(crate) fn new(address: impl Into<String>, admin: &Kubeconfig) -> Self {
        let user = admin.auth_infos[0].auth_info.as_ref().expect("a user");
        let decode = |text: &str| STANDARD.decode(text).expect("base64");
        let certificate = user.client_certificate_data.as_ref();
        let key = user.client_key_data.as_ref().expect("a key");
        let mut pem = decode(certificate.expect("a certificate"));
        pem.extend(decode(key.expose_secret()));
        let client = reqwest::Client::builder()
            .tls_danger_accept_invalid_certs(true)
            .identity(reqwest::Identity::from_pem(&pem).expect("a certificate and its key"))
            .http1_only()
            .build()
            .unwrap();
        Self {
            client,
            address: address.into(),
        }
    }

    /// Sends a request for an uncompressed response. Its body may still arrive.
    pub(crate) async fn get(&self, path: &str, accept: &str) -> reqwest::Result<reqwest::Response> {
        self.client
            .get(format!("{}{path}", self.address))
            .header(ACCEPT, accept)
            .header(ACCEPT_ENCODING, "identity")
            .send()
            .await?
            .error_for_status()
    }

    /// Reads and discards a response.
    pub(crate) async fn discard(&self, path: &str, accept: &str) -> reqwest::Result<Response> {
        let began = Instant::now();
        let mut response = self.get(path, accept).await?;
        let (mut first_byte, mut bytes) = (None, 0);
        while let Some(chunk) = response.chunk().await? {
            first_byte.get_or_insert_with(|| began.elapsed());
            bytes += chunk.len();
        }
        let total = began.elapsed();
        Ok(Response {
            first_byte: first_byte.unwrap_or(total),
            total,
            bytes,
        })
    }

    /// Whether a path answers with success.
    pub(crate) async fn is_ok(&self, path: &str) -> bool {
        self.get(path, "*/*").await.is_ok()
    }

    pub(crate) async fn text(&self, path: &str) -> reqwest::Result<String> {
        self.get(path, "*/*").await?.text().await
    }

    pub(crate) async fn json(&self, path: &str) -> reqwest::Result<Value> {
        let body = self.get(path, "application/json").await?.bytes().await?;
        Ok(serde_json::from_slice(&body).expect("JSON"))
    }

    /// The number of items of a list; 0 if it cannot be had.
    pub(crate) async fn items(&self, path: &str) -> usize {
        let list = self.json(path).await.unwrap_or_default();
        list["items"].as_array().map_or(0, Vec::len)
    }
}
