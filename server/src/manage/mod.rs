//! `--manage-apiservice-ca`: the server's own CA, shared by its replicas in a Secret, and written into the
//! `caBundle` of the server's APIServices, so that the kube-apiserver verifies what it connects to.
//!
//! Every minute a round:
//!
//! 1. read the APIServices that name this server's Service;
//! 2. agree with the other replicas on the CAs: read the Secret, fill or repair it, move a change-over on;
//! 3. write the CAs into those APIServices, each only if it is as it was read in 1, and into the ConfigMap from which
//!    others, such as Prometheus, take them;
//! 4. show a serving certificate that the agreed CA has issued.
//!
//! In this order no replica undoes another's work. Whoever writes a bundle has read the Secret after the APIService,
//! and has changed the Secret, if at all, before that: a bundle that is older than the Secret can only meet an
//! APIService that has changed since, which refuses it. And a certificate is shown only after its CA is in the
//! bundles, a round after where the one before is still believed: the kube-apiserver takes a bundle over in its own time.
//!
//! It may do this, and nothing else: get, patch apiservices `v1.metrics.k8s.io`, `v1beta1.metrics.k8s.io` and `v1alpha1.kubevitals.io`; in the
//! Service's namespace get, update secret and configmap `vitals-server-ca`. It never creates them: whoever may create a
//! Secret may create any.

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
use crate::tls::{Certificates, Pair, Service, is_due};

/// Between two rounds.
const ROUND: Duration = Duration::from_secs(60);

/// Until the next round after one that failed.
const RETRY: Duration = Duration::from_secs(5);

/// Keeps the CA, the bundles and the serving certificate.
pub struct Manager {
    names: Vec<String>,
    secret: CaSecret,
    configmap: CaConfigMap,
    services: ApiServices,
    certificates: Arc<Certificates>,
    clock: Arc<dyn Clock>,
    metrics: ManagedCaMetrics,
    problems: ProblemLog,
    /// The certificate that is shown, and its CA; none until the first that an agreed CA has issued.
    serving: Option<(Pair, String)>,
    ready: watch::Sender<bool>,
    bundle: watch::Sender<Option<Arc<str>>>,
}

impl Manager {
    /// For the server behind `service`, which shows `certificates`.
    pub fn new(
        client: &Client,
        service: &Service,
        certificates: &Arc<Certificates>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            names: service.names(),
            secret: CaSecret::new(client, service),
            configmap: CaConfigMap::new(client, service),
            services: ApiServices::new(client, service),
            certificates: Arc::clone(certificates),
            clock,
            metrics: ManagedCaMetrics::default(),
            problems: ProblemLog::default(),
            serving: None,
            ready: watch::Sender::new(false),
            bundle: watch::Sender::new(None),
        }
    }

    /// Its metrics.
    pub fn metrics(&self) -> &ManagedCaMetrics {
        &self.metrics
    }

    /// True as soon as a certificate is shown that the agreed CA has issued, and for ever from then on.
    pub fn ready(&self) -> watch::Receiver<bool> {
        self.ready.subscribe()
    }

    /// Every CA that was agreed on last, PEM: by these other replicas are verified. Nothing until there is one.
    pub fn bundle(&self) -> watch::Receiver<Option<Arc<str>>> {
        self.bundle.subscribe()
    }

    /// Does round after round, for ever.
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

    /// One round; whether all is as it should be.
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
        // Who verifies takes a new bundle over in his own time: what he believes already is shown for another round.
        if written && changed && self.is_trusted(&authorities) {
            return true;
        }
        // Who verifies has the CA now; or nobody does yet, or the old certificate is of no use any more.
        if written || self.has_no_valid_certificate() {
            return self.update_certificate(&authorities) && written;
        }
        false
    }

    /// Writes the bundle where it is not; whether it is everywhere now.
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

    /// Whether what is shown is no CA's that was agreed on, or has ended.
    fn has_no_valid_certificate(&self) -> bool {
        let now = self.clock.wall();
        self.serving
            .as_ref()
            .is_none_or(|(pair, _)| pair.not_after() <= now)
    }

    /// Whether what is shown is of use, and of a CA that is in the bundle.
    fn is_trusted(&self, authorities: &Authorities) -> bool {
        let serving = self.serving.as_ref();
        !self.has_no_valid_certificate()
            && serving.is_some_and(|(_, authority)| authorities.bundle().contains(authority))
    }

    /// Shows a certificate of the agreed CA, a new one if it is time; whether that is shown now.
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
