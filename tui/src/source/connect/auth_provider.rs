//! The `auth-provider` of a kubeconfig: an ID token of OpenID Connect, which kube refreshes.

use std::fmt;

use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response};
use kube::client::{Body, ConfigExt};
use kube::config::{AuthInfo, AuthProviderConfig};
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Layer, ServiceExt, service_fn};

use super::crypto::provider;

/// An ID token without a subject that expired in 1970. kube refreshes it, so a kubeconfig with a refresh token needs no
/// ID token, as in client-go.
const EXPIRED: &str = "e30.eyJleHAiOjB9.e30";

/// The only auth provider that client-go still has.
const OIDC: &str = "oidc";

/// Why an auth provider gives no credentials. The texts contain no token.
#[derive(Debug, Clone, thiserror::Error)]
pub(in crate::source) enum AuthProviderError {
    /// The ID token cannot be used or refreshed.
    #[error("auth-provider oidc: {0}")]
    Oidc(String),
    /// client-go has removed the provider.
    #[error(
        "auth-provider {0} was removed in Kubernetes 1.26; use the credential plugin {1} in its place"
    )]
    Removed(&'static str, &'static str),
    /// No version of client-go has the provider.
    #[error("auth-provider {0:?} does not exist; only oidc does")]
    Unknown(String),
}

impl AuthProviderError {
    /// The error for a provider other than `oidc`.
    fn unusable(name: &str) -> Self {
        match name {
            "gcp" => Self::Removed("gcp", "gke-gcloud-auth-plugin"),
            "azure" => Self::Removed("azure", "kubelogin"),
            _ => Self::Unknown(name.to_owned()),
        }
    }
}

/// Gets the header of a request from an auth provider.
#[derive(Clone)]
pub(in crate::source) struct AuthProvider(BoxCloneSyncService<Request<Body>, Authorized, BoxError>);

/// A response with the `Authorization` of its request as its body.
type Authorized = Response<Option<HeaderValue>>;

impl fmt::Debug for AuthProvider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AuthProvider")
    }
}

impl AuthProvider {
    /// An auth provider by its configuration. Nothing is requested yet.
    ///
    /// # Errors
    /// The provider is not `oidc`, or its configuration cannot be used.
    pub(super) fn new(config: &AuthProviderConfig) -> Result<Self, AuthProviderError> {
        if config.name != OIDC {
            return Err(AuthProviderError::unusable(&config.name));
        }
        let mut config = config.clone();
        // Clients without a secret are valid.
        config.config.entry("client-secret".to_owned()).or_default();
        if config.config.contains_key("refresh-token") {
            let token = config.config.entry("id-token".to_owned());
            token.or_insert_with(|| EXPIRED.to_owned());
        }
        // kube refreshes over TLS with the installed provider.
        let _ = provider();
        let mut client = kube::Config::new(http::Uri::from_static("https://localhost"));
        client.auth_info = AuthInfo {
            auth_provider: Some(config),
            ..AuthInfo::default()
        };
        let layer = client
            .auth_layer()
            .map_err(|error| AuthProviderError::Oidc(error.to_string()))?;
        let headers = service_fn(|request: Request<Body>| async move {
            let header = request.headers().get(AUTHORIZATION).cloned();
            Ok::<_, BoxError>(Response::new(header))
        });
        Ok(Self(match layer {
            Some(layer) => BoxCloneSyncService::new(layer.layer(headers)),
            None => BoxCloneSyncService::new(headers),
        }))
    }

    /// The header. Requests a new ID token from the issuer if the last one expires within ten seconds.
    pub(super) async fn header(&self) -> Result<Option<HeaderValue>, AuthProviderError> {
        let header = self.0.clone().oneshot(Request::new(Body::empty())).await;
        header
            .map(Response::into_body)
            .map_err(|error| AuthProviderError::Oidc(error.to_string()))
    }
}
