//! `--manage-apiservice-ca`: the server's own CA. The replicas share it in a Secret, and write it into the `caBundle`
//! of the server's APIServices, so that the kube-apiserver verifies the server.
//!
//! A round runs every minute:
//!
//! 1. Read the APIServices that name this server's Service.
//! 2. Agree with the other replicas on the CAs: read the Secret, fill or repair it, and replace an old CA.
//! 3. Write the CAs into those APIServices, each only if it has not changed since step 1, and into the ConfigMap from
//!    which other clients, such as Prometheus, read them.
//! 4. Serve a certificate that the agreed CA has issued.
//!
//! With this order no replica reverts another's work. A replica that writes a bundle has read the Secret after the
//! APIService. So a bundle that is older than the Secret belongs to an APIService that has changed since, and the API
//! server refuses the write. The server uses a new certificate only when its CA is in the bundles. If the current
//! certificate is still trusted, the server waits one round more, because the kube-apiserver loads a new bundle with
//! some delay.
//!
//! The server needs these permissions only: get and patch on the apiservices `v1.metrics.k8s.io`,
//! `v1beta1.metrics.k8s.io` and `v1alpha1.kubevitals.io`, and with `--pod-metrics` on `v1beta2.custom.metrics.k8s.io`,
//! `v1beta1.custom.metrics.k8s.io` and `v1beta1.external.metrics.k8s.io`; get and update on the secret and the configmap
//! `vitals-server-ca` in the Service's namespace. The server does not create them: the permission to create a Secret
//! cannot be limited to one name.

mod apiservice;
mod authorities;
mod ca_configmap;
mod metrics;
mod problem_log;
mod secret;

use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use tokio::sync::watch;

pub(crate) use self::apiservice::with_timeout;
use self::apiservice::{ApiServices, OwnApiService};
use self::authorities::Authorities;
use self::ca_configmap::CaConfigMap;
pub use self::metrics::ManagedCaMetrics;
use self::problem_log::ProblemLog;
use self::secret::CaSecret;
use crate::clock::Clock;
use crate::tls::{CertResolver, Pair, Service, is_due};

/// The time between two rounds.
const ROUND: Duration = Duration::from_secs(60);

/// The time until the next round after a failure.
const RETRY: Duration = Duration::from_secs(5);

/// Manages the CA, the bundles and the serving certificate.
pub struct Manager {
    names: Vec<String>,
    secret: CaSecret,
    configmap: CaConfigMap,
    services: ApiServices,
    certificates: Arc<CertResolver>,
    clock: Arc<dyn Clock>,
    metrics: ManagedCaMetrics,
    problems: ProblemLog,
    /// The serving certificate and its CA; none until an agreed CA has issued one.
    serving: Option<(Pair, String)>,
    ready: watch::Sender<bool>,
    bundle: watch::Sender<Option<Arc<str>>>,
}

impl Manager {
    /// Makes a manager for the server behind `service`, which serves `certificates`. `pod_metrics`: whether it also
    /// serves the metrics of autoscalers.
    pub fn new(
        client: &Client,
        service: &Service,
        certificates: &Arc<CertResolver>,
        clock: Arc<dyn Clock>,
        pod_metrics: bool,
    ) -> Self {
        Self {
            names: service.names(),
            secret: CaSecret::new(client, service),
            configmap: CaConfigMap::new(client, service),
            services: ApiServices::new(client, service, pod_metrics),
            certificates: Arc::clone(certificates),
            clock,
            metrics: ManagedCaMetrics::default(),
            problems: ProblemLog::default(),
            serving: None,
            ready: watch::Sender::new(false),
            bundle: watch::Sender::new(None),
        }
    }

    /// The metrics.
    pub fn metrics(&self) -> &ManagedCaMetrics {
        &self.metrics
    }

    /// Becomes true when the server has a certificate of the agreed CA, and stays true.
    pub fn ready(&self) -> watch::Receiver<bool> {
        self.ready.subscribe()
    }

    /// All agreed CAs, PEM, with which replicas verify each other. None until there is one.
    pub fn bundle(&self) -> watch::Receiver<Option<Arc<str>>> {
        self.bundle.subscribe()
    }

    /// Runs a round every minute. Does not return.
    pub async fn run(mut self) {
        loop {
            let pause = if self.round().await {
                self.metrics.succeeded.inc();
                ROUND
            } else {
                self.metrics.failed.inc();
                RETRY
            };
            self.clock.sleep(pause).await;
        }
    }

    /// Runs one round. Returns whether everything is as it should be.
    async fn round(&mut self) -> bool {
        let found = self.services.read(&mut self.problems).await;
        let authorities = match self.secret.agree(self.clock.wall(), &self.metrics).await {
            Ok(authorities) => authorities,
            Err(error) => {
                self.problems.warn("the CA's Secret", error);
                return false;
            }
        };
        self.problems.resolve("the CA's Secret");
        self.bundle.send_if_modified(|bundle_now| {
            let changed = bundle_now.as_deref() != Some(authorities.bundle());
            if changed {
                *bundle_now = Some(authorities.bundle().into());
            }
            changed
        });
        let bundle = authorities.bundle();
        if self.configmap.write(bundle, &mut self.problems).await {
            self.metrics.published.inc();
        }
        self.metrics.expiry.set(authorities.current().not_after());
        let before = self.metrics.bundles_written.get();
        let written = match found {
            Ok(found) => self.write(&found, &authorities).await,
            Err(()) => false,
        };
        let changed = self.metrics.bundles_written.get() != before;
        // Clients load a new bundle with some delay: the trusted certificate stays for one more round.
        if written && changed && self.is_trusted(&authorities) {
            return true;
        }
        // All clients trust the CA now; or no client trusts the current certificate, which has expired or does not
        // exist.
        if written || self.has_no_valid_certificate() {
            return self.update_certificate(&authorities) && written;
        }
        false
    }

    /// Writes the bundle where it differs. Returns whether it is everywhere now.
    async fn write(&mut self, found: &[OwnApiService], authorities: &Authorities) -> bool {
        let mut everywhere = true;
        for service in found {
            match self.services.write(service, authorities.bundle()).await {
                Ok(true) => {
                    self.metrics.bundles_written.inc();
                    tracing::info!("wrote the server's CA into the APIService {}", service.name);
                    self.problems.resolve(service.name);
                }
                Ok(false) => self.problems.resolve(service.name),
                Err(error) => {
                    self.problems.warn(service.name, error);
                    everywhere = false;
                }
            }
        }
        everywhere
    }

    /// Whether there is no certificate of an agreed CA, or it has expired.
    fn has_no_valid_certificate(&self) -> bool {
        let now = self.clock.wall();
        self.serving
            .as_ref()
            .is_none_or(|(pair, _)| pair.not_after() <= now)
    }

    /// Whether the certificate is valid, and its CA is in the bundle.
    fn is_trusted(&self, authorities: &Authorities) -> bool {
        let serving = self.serving.as_ref();
        !self.has_no_valid_certificate()
            && serving.is_some_and(|(_, authority)| authorities.bundle().contains(authority))
    }

    /// Serves a certificate of the agreed CA, and issues a new one if it is time. Returns whether it is served now.
    fn update_certificate(&mut self, authorities: &Authorities) -> bool {
        let (now, current) = (self.clock.wall(), authorities.current());
        let good = self
            .serving
            .as_ref()
            .is_some_and(|(pair, authority)| authority == current.pem() && !is_due(pair, now));
        if good {
            return true;
        }
        match current.issue(self.names.clone(), now) {
            Ok(issued) => {
                self.certificates.set_serving(&issued.pair);
                tracing::info!(
                    until = issued.pair.not_after().to_rfc3339_seconds(),
                    "the server shows a new certificate, issued by the CA in the Secret {}",
                    secret::NAME
                );
                self.serving = Some((issued.pair, current.pem().to_owned()));
                self.ready.send_replace(true);
                self.problems.resolve("the serving certificate");
                true
            }
            Err(error) => {
                let message = format!("cannot issue a serving certificate: {error}");
                self.problems.warn("the serving certificate", message);
                false
            }
        }
    }
}
