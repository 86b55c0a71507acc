//! Keeps what is shown as it should be: files that changed are read anew, certificates of our own are made anew
//! before they end, and those that end are spoken of. No connection notices.
//!
//! Files are looked at and compared, not watched: Kubernetes swaps a symbolic link two folders above them, others
//! rename or write in place, network file systems tell nothing, and a few kilobytes every few seconds are nothing.

use std::sync::Arc;
use std::time::Duration;

use super::Settings;
use super::cert_resolver::Certificates;
use super::error::CertificateError;
use super::expiry_warning::Ends;
use super::metrics::TlsMetrics;
use super::pair::{Files, Kind};
use super::self_signed::{self, Own};
use super::watched_pair::{Place, Watched};
use crate::clock::Clock;
use crate::telemetry::LogThrottle;

/// How often files are looked at.
const LOOK: Duration = Duration::from_secs(5);

/// How often trouble that lasts is told.
const COMPLAIN: Duration = Duration::from_secs(3600);

/// Keeps certificates as they should be.
#[derive(Debug)]
pub struct Keeper {
    clock: Arc<dyn Clock>,
    metrics: TlsMetrics,
    certificates: Arc<Certificates>,
    watched: Vec<Watched>,
    own: Option<Own>,
    ends: Ends,
    complaints: LogThrottle,
}

impl Keeper {
    /// Reads or makes everything that is shown.
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
                let (pair, one) = Watched::read(files, Place::Serving)?;
                watched.push(one);
                pair
            }
            // Whoever keeps the CA in a Secret renews what it issues.
            (None, _) if settings.manage => Own::new(settings, None).make(clock.wall())?.pair,
            (None, None) => {
                own.insert(Own::new(settings, None))
                    .make(clock.wall())?
                    .pair
            }
            (None, Some(folder)) => {
                let own = own.insert(Own::new(settings, Some(folder)));
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
            certificates: Arc::new(Certificates::new(serving, named)),
            watched,
            own,
            ends: Ends::default(),
            complaints: LogThrottle::new(COMPLAIN),
        })
    }

    /// What it keeps.
    pub(super) fn certificates(&self) -> &Arc<Certificates> {
        &self.certificates
    }

    /// Looks and keeps, for ever.
    pub async fn run(mut self) {
        loop {
            self.ends
                .tell(&self.certificates.pairs(), self.clock.wall());
            self.clock.sleep(LOOK).await;
            for watched in &mut self.watched {
                watched.look(&self.certificates, &self.metrics).await;
            }
            self.renew().await;
        }
    }

    /// Makes our own certificate anew when it is due.
    async fn renew(&mut self) {
        let (Some(own), now) = (&mut self.own, self.clock.wall()) else {
            return;
        };
        // A folder may hold somebody else's by now.
        if !self_signed::is_due(&self.certificates.serving(), now) {
            return;
        }
        let issued = match own.make(now) {
            Ok(issued) => issued,
            Err(error) => {
                if let Some(unreported) = self.complaints.allow() {
                    tracing::error!(%error, unreported, "the server's certificate is not made anew");
                }
                return;
            }
        };
        self.certificates.set_serving(&issued.pair);
        tracing::info!(
            until = issued.pair.not_after().to_rfc3339_seconds(),
            "the server made itself a new serving certificate"
        );
        let written = own.write(issued).await;
        let mut watched = self.watched.iter_mut().filter(|one| one.is_serving());
        if let (Some(contents), Some(watched)) = (written, watched.next()) {
            watched.hold(contents);
        }
    }
}
