//! A pair in files: read when they have changed, kept as it was when they are of no use.

use super::NamedPair;
use super::cert_resolver::{Certificates, Named};
use super::error::CertificateError;
use super::metrics::TlsMetrics;
use super::pair::{Contents, Files, Kind, Pair};

/// A pair in files.
pub(super) struct Watched {
    files: Files,
    place: Place,
    /// What was in them when they were last good.
    held: Contents,
    /// What was last said of them, while they are not.
    complaint: Option<String>,
}

impl std::fmt::Debug for Watched {
    // Keys are not for logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.files.fmt(f)
    }
}

/// Where a pair is shown.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    Serving,
    Named(usize),
}

impl NamedPair {
    pub(super) fn read(&self, index: usize) -> Result<(Named, Watched), CertificateError> {
        let files = Files {
            kind: Kind::Sni,
            certificate: self.certificate.clone(),
            key: self.key.clone(),
        };
        let (pair, watched) = Watched::read(files, Place::Named(index))?;
        let patterns = self.patterns.clone();
        Ok((Named { pair, patterns }, watched))
    }
}

impl Watched {
    pub(super) fn read(files: Files, place: Place) -> Result<(Pair, Self), CertificateError> {
        let held = files.read()?;
        let pair = files.pair(&held)?;
        Ok((pair, Self::of(files, place, held)))
    }

    pub(super) fn of(files: Files, place: Place, held: Contents) -> Self {
        Self {
            files,
            place,
            held,
            complaint: None,
        }
    }

    /// Whether it is the one for all.
    pub(super) fn is_serving(&self) -> bool {
        matches!(self.place, Place::Serving)
    }

    /// This is in the files now, and is shown already.
    pub(super) fn hold(&mut self, contents: Contents) {
        self.held = contents;
    }

    /// Shows what is in the files, if it is new and good.
    pub(super) async fn look(&mut self, certificates: &Certificates, metrics: &TlsMetrics) {
        let files = self.files.clone();
        // Its end without a value is the runtime's.
        let Ok(read) = tokio::task::spawn_blocking(move || files.read()).await else {
            return;
        };
        let contents = match read {
            Ok(contents) if contents == self.held => {
                if self.complaint.take().is_some() {
                    tracing::info!(
                        certificate = %self.files.certificate.display(),
                        "the certificate's files are as they were before"
                    );
                }
                return;
            }
            Ok(contents) => contents,
            Err(error) => return self.complain(&error, metrics),
        };
        match self.files.pair(&contents) {
            Ok(pair) => {
                match self.place {
                    Place::Serving => certificates.set_serving(&pair),
                    Place::Named(index) => certificates.set_named(index, &pair),
                }
                metrics.reloads(self.files.kind).succeeded.inc();
                (self.held, self.complaint) = (contents, None);
                tracing::info!(
                    certificate = %self.files.certificate.display(),
                    until = pair.not_after().to_rfc3339_seconds(),
                    "a certificate was replaced; new connections are shown it"
                );
            }
            Err(error) => self.complain(&error, metrics),
        }
    }

    /// Says what is wrong, once for as long as it stays the same.
    fn complain(&mut self, error: &CertificateError, metrics: &TlsMetrics) {
        metrics.reloads(self.files.kind).failed.inc();
        let complaint = error.to_string();
        if self.complaint.as_ref() != Some(&complaint) {
            tracing::warn!(
                "{complaint}; the one from before is still shown, and the files are read again soon"
            );
            self.complaint = Some(complaint);
        }
    }
}
