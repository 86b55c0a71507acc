//! Authenticates and authorizes requests.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use kube::Client;
use parking_lot::Mutex;
use rustls_pki_types::{CertificateDer, UnixTime};

use super::access::{Access, Decision};
use super::configmap;
use super::proxy::ProxyHeaders;
use super::review::ReviewError;
use super::tokens::{self, Tokens};
use super::trust::{CLIENT_KEY, PROXY_KEY, Trust, TrustError, TrustReloader};
use super::{AllowedPaths, Attributes, AuthMetrics, Refusal, Settings, Target, User};
use crate::clock::Clock;
use crate::tasks::Tasks;
use crate::telemetry::metrics::{Registry, collect};
use crate::telemetry::{LogThrottle, chain};
use crate::tls::ClientCertificates;

/// The shortest time between two log lines about the same failure.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Why authentication and authorization cannot start.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// A file or a flag cannot be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The client for an API server cannot be made.
    #[error("cannot make a client for {what}: {}", chain(cause.as_ref()))]
    Client {
        /// The flag that names the API server.
        what: &'static str,
        /// The cause.
        #[source]
        cause: Box<kube::Error>,
    },
    /// The system has no random bytes.
    #[error("the operating system has no random bytes")]
    Random,
}

/// Authenticates and authorizes requests.
pub struct Auth {
    reloader: Arc<TrustReloader>,
    tokens: Tokens,
    access: Access,
    always: AllowedPaths,
    metrics: AuthMetrics,
    certificate_log: Mutex<LogThrottle>,
    review_log: Mutex<LogThrottle>,
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth")
            .field("ready", &self.ready())
            .finish_non_exhaustive()
    }
}

impl Auth {
    /// Starts to watch the trust. `client` is for what the settings name no other API server for. `clock` measures
    /// the age of cached results.
    ///
    /// # Errors
    /// A file that cannot be used, or a client that cannot be made. An API server that does not answer is no error.
    pub fn start(
        settings: Settings,
        client: &Client,
        clock: &Arc<dyn Clock>,
        tasks: &mut Tasks,
    ) -> Result<Arc<Self>, AuthError> {
        let reloader = Arc::new(TrustReloader::new(&settings)?);
        let metrics = AuthMetrics {
            trust_changes: reloader.changes.clone(),
            trust_failures: reloader.failures.clone(),
            ..AuthMetrics::default()
        };
        let client_for = |config: Option<kube::Config>, what| match config {
            None => Ok(client.clone()),
            Some(config) => Client::try_from(config).map_err(|error| AuthError::Client {
                what,
                cause: Box::new(error),
            }),
        };
        let authentication = client_for(settings.authentication, "--authentication-kubeconfig")?;
        let authorization = client_for(settings.authorization, "--authorization-kubeconfig")?;
        if reloader.reads_configmap() {
            let follow = configmap::follow(authentication.clone(), Arc::clone(&reloader));
            tasks.spawn("watch of the authentication configuration", follow);
        }
        if reloader.has_files() {
            tasks.spawn(
                "reload of CA files",
                configmap::poll_files(Arc::clone(&reloader)),
            );
        }
        let (allowed, denied) = (settings.allowed_lifetime, settings.denied_lifetime);
        Ok(Arc::new(Self {
            reloader,
            tokens: Tokens::new(
                authentication,
                settings.token_lifetime,
                Arc::clone(clock),
                metrics.tokens.clone(),
            )
            .map_err(|_| AuthError::Random)?,
            access: Access::new(
                authorization,
                allowed,
                denied,
                Arc::clone(clock),
                metrics.access.clone(),
            )
            .map_err(|_| AuthError::Random)?,
            always: settings.always_allow,
            metrics,
            certificate_log: Mutex::new(LogThrottle::new(LOG_INTERVAL)),
            review_log: Mutex::new(LogThrottle::new(LOG_INTERVAL)),
        }))
    }

    /// Whether the trust has been loaded. Until then every request with a client certificate is refused, and so is
    /// every request through the kube-apiserver.
    pub fn ready(&self) -> bool {
        !self.reloader.current().pending
    }

    /// Completes when the trust has been loaded.
    pub async fn until_ready(&self) {
        self.reloader.until_ready().await;
    }

    /// The metrics.
    pub fn metrics(&self) -> &AuthMetrics {
        &self.metrics
    }

    /// Registers its metrics.
    pub fn register(self: &Arc<Self>, registry: &mut Registry) {
        self.metrics.register(registry);
        collect(registry, Arc::clone(self), |auth, families| {
            let caches = [
                ("tokenreviews", auth.tokens.cache.cached()),
                ("subjectaccessreviews", auth.access.cache.cached()),
            ];
            families.gauges(
                "kubevitals_review_cache_entries",
                "Results in the cache of reviews, by resource",
                ["resource"],
                caches.map(|(resource, cached)| ([resource], cached.entries)),
            )?;
            families.gauges(
                "kubevitals_review_cache_bytes",
                "Approximate memory of the cache of reviews, by resource",
                ["resource"],
                caches.map(|(resource, cached)| ([resource], cached.bytes)),
            )
        });
    }

    /// Identifies the user, in the order of k8s.io/apiserver: front proxy, client certificate, bearer token,
    /// anonymous. Always removes the headers that carry an identity.
    ///
    /// # Errors
    /// The credentials are invalid or cannot be verified now, or the client requests impersonation.
    pub async fn authenticate(&self, parts: &mut Parts) -> Result<Arc<User>, Refusal> {
        let trust = self.reloader.current();
        let identified = self.identify(&trust, parts).await;
        let identified = identified.and_then(|identified| {
            if requests_impersonation(&parts.headers) {
                Err(Refusal::Impersonation)
            } else {
                Ok(identified)
            }
        });
        let none = ProxyHeaders::default();
        let headers = trust.proxy.as_ref().map_or(&none, |proxy| &proxy.headers);
        headers.strip(&mut parts.headers);
        parts.headers.remove(AUTHORIZATION);
        let result = match &identified {
            Ok((_, how)) => how,
            Err(Refusal::NotReady) => "not-ready",
            Err(Refusal::ReviewFailed(_)) => "failed",
            Err(_) => "refused",
        };
        self.metrics.authenticated.inc([result]);
        identified.map(|(user, _)| user)
    }

    /// Returns the user, and how the user was identified, as in the metrics.
    async fn identify(
        &self,
        trust: &Trust,
        parts: &Parts,
    ) -> Result<(Arc<User>, &'static str), Refusal> {
        let certificates = parts.extensions.get::<ClientCertificates>();
        let mut refused = false;
        if let Some(ClientCertificates(chain)) = certificates {
            if trust.pending {
                return Err(Refusal::NotReady);
            }
            match identify_certificate(trust, chain, parts) {
                Ok(Some((user, how))) => return Ok((Arc::new(user.authenticated()), how)),
                Ok(None) => {}
                Err(why) => {
                    refused = true;
                    self.log_refused_certificate(&why);
                }
            }
        }
        if let Some(token) = tokens::bearer(&parts.headers) {
            let user = self.tokens.user(&token).await;
            let user = user.map_err(|error| self.review_failed("whose token this is", &error))?;
            match user {
                Some(user) => return Ok((user, "token")),
                None => refused = true,
            }
        }
        // A client with invalid credentials is not anonymous.
        if refused {
            return Err(Refusal::Unauthorized);
        }
        Ok((Arc::new(User::anonymous()), "anonymous"))
    }

    /// Whether `user` may do what `attributes` say.
    ///
    /// # Errors
    /// The user is not allowed, or the review failed.
    pub async fn authorize(&self, user: &User, attributes: &Attributes) -> Result<(), Refusal> {
        let always = attributes.target == Target::Path && self.always.allow(&attributes.path);
        if always || user.is_master() {
            self.metrics.authorized.inc(["always-allowed"]);
            return Ok(());
        }
        let (label, result) = match self.access.decide(user, attributes).await {
            Ok(Decision::Allowed) => ("allowed", Ok(())),
            Ok(Decision::Denied(reason)) => {
                let refusal = Refusal::forbidden(user, attributes, &reason);
                ("denied", Err(refusal))
            }
            Err(error) => {
                let refusal = self.review_failed("whether this is allowed", &error);
                ("failed", Err(refusal))
            }
        };
        self.metrics.authorized.inc([label]);
        result
    }

    fn log_refused_certificate(&self, why: &str) {
        if let Some(unreported) = self.certificate_log.lock().allow() {
            tracing::warn!(
                why,
                unreported,
                "a client certificate is not valid; if it is the kube-apiserver's, compare its front-proxy \
                 certificate with requestheader-client-ca-file and requestheader-allowed-names in the configmap \
                 kube-system/extension-apiserver-authentication",
            );
        }
    }

    fn review_failed(&self, what: &str, error: &ReviewError) -> Refusal {
        if let Some(unreported) = self.review_log.lock().allow() {
            tracing::warn!(
                %error,
                unreported,
                "cannot ask the API server {what}: requests are refused until it answers; check that \
                 it does, and that this account is bound to the cluster role system:auth-delegator",
            );
        }
        Refusal::review_failed(what, error)
    }
}

/// Whether a client requests impersonation. The kube-apiserver authorizes impersonation and removes the headers
/// before it forwards a request, so they come only from a client that is connected directly. To ignore them would
/// apply the wrong user's permissions. To support them would need reviews for each user, group and extra value, and
/// no client needs it: `kubectl --as` talks to the kube-apiserver.
fn requests_impersonation(headers: &HeaderMap) -> bool {
    const HEADERS: [&str; 3] = ["impersonate-user", "impersonate-group", "impersonate-uid"];
    headers.keys().any(|name| {
        HEADERS.contains(&name.as_str()) || name.as_str().starts_with("impersonate-extra-")
    })
}

/// Identifies the user of certificates, and how, as in the metrics: the user that a front proxy names, else the
/// subject. None if no CA is loaded, or if a front proxy names no user.
fn identify_certificate(
    trust: &Trust,
    chain: &[CertificateDer<'_>],
    parts: &Parts,
) -> Result<Option<(User, &'static str)>, String> {
    let now = UnixTime::now();
    let mut why = Vec::new();
    if let Some(proxy) = &trust.proxy {
        match proxy.authenticate(chain, &parts.headers, now) {
            Ok(Some(user)) => return Ok(Some((user, "front-proxy"))),
            Ok(None) => {}
            Err(error) => why.push(format!("as a front proxy's: {error}")),
        }
    }
    if let Some(cas) = &trust.client {
        match cas.verify(chain, now) {
            Ok(subject) if !subject.common_name.is_empty() => {
                let user = User {
                    name: subject.common_name,
                    groups: subject.organizations,
                    ..User::default()
                };
                return Ok(Some((user, "client-certificate")));
            }
            Ok(_) => why.push("as a client's: the certificate has no common name".to_owned()),
            Err(error) => why.push(format!("as a client's: {error}")),
        }
    }
    if why.is_empty() {
        return Ok(None);
    }
    // A CA that is not loaded is often the reason.
    if trust.proxy.is_none() {
        why.push(format!("as a front proxy's: no {PROXY_KEY} is loaded"));
    }
    if trust.client.is_none() {
        why.push(format!("as a client's: no {CLIENT_KEY} is loaded"));
    }
    Err(why.join("; "))
}
