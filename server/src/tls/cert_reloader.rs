//! Reloads certificates from changed files, renews the server's own before they expire, and warns of those that
//! expire. Connections do not notice.
//!
//! The reloader reads and compares the files instead of watching them: Kubernetes swaps a symbolic link two folders
//! above them, other tools rename or write in place, and network file systems send no notifications. Reading a few
//! kilobytes every few seconds costs nothing.

use std::sync::Arc;
use std::time::Duration;

use super::Settings;
use super::cert_resolver::CertResolver;
use super::error::CertificateError;
use super::expiry_warning::ExpiryWarnings;
use super::metrics::TlsMetrics;
use super::pair::{Files, Kind};
use super::self_signed::{self, SelfSigned};
use super::watched_pair::{Target, Watched};
use crate::clock::Clock;
use crate::telemetry::LogThrottle;

/// The time between two reads of the files.
const RELOAD_INTERVAL: Duration = Duration::from_secs(5);

/// The shortest time between two logs of the same failure.
const LOG_INTERVAL: Duration = Duration::from_secs(3600);

/// Keeps the served certificates up to date.
#[derive(Debug)]
pub struct CertReloader {
    clock: Arc<dyn Clock>,
    metrics: TlsMetrics,
    certificates: Arc<CertResolver>,
    watched: Vec<Watched>,
    own: Option<SelfSigned>,
    expiry_warnings: ExpiryWarnings,
    throttle: LogThrottle,
}

impl CertReloader {
    /// Reads or makes all certificates.
    pub(super) fn start(
        settings: &Settings,
        clock: Arc<dyn Clock>,
        metrics: TlsMetrics,
    ) -> Result<Self, CertificateError> {
        let mut watched = Vec::new();
        let mut own = None;
        let serving = match (&settings.certificate, &settings.folder) {
            (Some((certificate, key)), _) => {
                let files = Files {
                    kind: Kind::Serving,
                    certificate: certificate.clone(),
                    key: key.clone(),
                };
                let (pair, one) = Watched::read(files, Target::Serving)?;
                watched.push(one);
                pair
            }
            // `manage` renews what the managed CA issues.
            (None, _) if settings.manage => {
                SelfSigned::new(settings, None).make(clock.wall())?.pair
            }
            (None, folder) => {
                let own = own.insert(SelfSigned::new(settings, folder.as_ref()));
                let (pair, one) = own.in_folder(clock.wall())?;
                watched.extend(one);
                pair
            }
        };
        let mut named = Vec::new();
        for (index, one) in settings.named.iter().enumerate() {
            let (pair, one) = one.read(index)?;
            watched.push(one);
            named.push(pair);
        }
        Ok(Self {
            clock,
            metrics,
            certificates: Arc::new(CertResolver::new(serving, named)),
            watched,
            own,
            expiry_warnings: ExpiryWarnings::default(),
            throttle: LogThrottle::new(LOG_INTERVAL),
        })
    }

    /// The served certificates.
    pub(super) fn certificates(&self) -> &Arc<CertResolver> {
        &self.certificates
    }

    /// Reloads, renews and warns. Does not return.
    pub async fn run(mut self) {
        loop {
            self.expiry_warnings
                .warn(&self.certificates.pairs(), self.clock.wall());
            self.clock.sleep(RELOAD_INTERVAL).await;
            for watched in &mut self.watched {
                watched.reload(&self.certificates, &self.metrics).await;
            }
            self.renew().await;
        }
    }

    /// Renews the server's own certificate when it is due.
    async fn renew(&mut self) {
        let (Some(own), now) = (&mut self.own, self.clock.wall()) else {
            return;
        };
        // Another program may have put its own certificate into the folder.
        if !self_signed::is_due(&self.certificates.serving(), now) {
            return;
        }
        let issued = match own.make(now) {
            Ok(issued) => issued,
            Err(error) => {
                if let Some(unreported) = self.throttle.allow() {
                    tracing::error!(%error, unreported, "cannot renew the server's certificate");
                }
                return;
            }
        };
        self.certificates.set_serving(&issued.pair);
        tracing::info!(
            until = issued.pair.not_after().to_rfc3339_seconds(),
            "renewed the server's own certificate"
        );
        let written = own.write(issued).await;
        let mut watched = self.watched.iter_mut().filter(|one| one.is_serving());
        if let (Some(contents), Some(watched)) = (written, watched.next()) {
            watched.set_contents(contents);
        }
    }
}
