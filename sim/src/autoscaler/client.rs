//! The client of the API server that the controller uses, as client-go does.

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kubevitals_proto::words::chain;
use rustls::ClientConfig;
use serde_json::Value;

use crate::members::Members;
use crate::pki::{self, PkiError};

/// Requests to the API server as one user.
#[derive(Debug)]
pub(super) struct Client {
    url: String,
    authorization: String,
    http: HttpClient<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Client {
    /// Requests to the API server at this URL, which has a certificate of this authority.
    pub(super) fn new(url: String, ca_pem: &str, token: &str) -> Result<Self, PkiError> {
        let tls = ClientConfig::builder_with_provider(pki::provider())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(pki::roots(ca_pem)?)
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_only()
            .enable_all_versions()
            .build();
        Ok(Self {
            url,
            authorization: format!("Bearer {token}"),
            http: HttpClient::builder(TokioExecutor::new()).build(connector),
        })
    }

    /// Gets an object or list.
    pub(super) async fn get(&self, path: &str) -> Result<Value, String> {
        self.send(Method::GET, path, "application/json", String::new())
            .await
    }

    /// Changes an object by a merge patch.
    pub(super) async fn patch(&self, path: &str, patch: &Value) -> Result<Value, String> {
        let kind = "application/merge-patch+json";
        self.send(Method::PATCH, path, kind, patch.to_string())
            .await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        kind: &str,
        body: String,
    ) -> Result<Value, String> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header(AUTHORIZATION, &self.authorization)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, kind)
            .body(Full::from(body))
            .map_err(|error| chain(&error))?;
        let response = self.http.request(request).await;
        let response = response.map_err(|error| chain(&error))?;
        let status = response.status();
        let body = response.into_body().collect().await;
        let body = body.map_err(|error| chain(&error))?.to_bytes();
        let value: Value = serde_json::from_slice(&body).unwrap_or_default();
        match status {
            StatusCode::OK => Ok(value),
            status if value.text("/message").is_empty() => Err(format!(
                "{status}: {}",
                String::from_utf8_lossy(&body).trim()
            )),
            _ => Err(value.text("/message").to_owned()),
        }
    }
}
