//! A certificate and key in files, which are reloaded when they change. While they are unusable, the old pair stays.

use super::NamedPair;
use super::cert_resolver::{CertResolver, Named};
use super::error::CertificateError;
use super::metrics::TlsMetrics;
use super::pair::{Contents, Files, Kind, Pair};

/// A pair in files.
pub(super) struct Watched {
    files: Files,
    target: Target,
    /// The last usable contents of the files.
    contents: Contents,
    /// The last warning, while the files are unusable.
    warning: Option<String>,
}

impl std::fmt::Debug for Watched {
    // Leaves out the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.files.fmt(f)
    }
}

/// Which pair of the resolver the files replace.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
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
        let (pair, watched) = Watched::read(files, Target::Named(index))?;
        let patterns = self.patterns.clone();
        Ok((Named { pair, patterns }, watched))
    }
}

impl Watched {
    pub(super) fn read(files: Files, target: Target) -> Result<(Pair, Self), CertificateError> {
        let contents = files.read()?;
        let pair = files.pair(&contents)?;
        Ok((pair, Self::of(files, target, contents)))
    }

    pub(super) fn of(files: Files, target: Target, contents: Contents) -> Self {
        Self {
            files,
            target,
            contents,
            warning: None,
        }
    }

    /// Whether this is the pair for all clients.
    pub(super) fn is_serving(&self) -> bool {
        matches!(self.target, Target::Serving)
    }

    /// Sets the contents of the files; the resolver has the pair already.
    pub(super) fn set_contents(&mut self, contents: Contents) {
        self.contents = contents;
    }

    /// Reads the files, and serves their pair if it is new and usable.
    pub(super) async fn reload(&mut self, certificates: &CertResolver, metrics: &TlsMetrics) {
        let files = self.files.clone();
        // The task fails only when the runtime ends.
        let Ok(read) = tokio::task::spawn_blocking(move || files.read()).await else {
            return;
        };
        let contents = match read {
            Ok(contents) if contents == self.contents => {
                if self.warning.take().is_some() {
                    tracing::info!(
                        certificate = %self.files.certificate.display(),
                        "the files of the served certificate are back"
                    );
                }
                return;
            }
            Ok(contents) => contents,
            Err(error) => return self.warn(&error, metrics),
        };
        match self.files.pair(&contents) {
            Ok(pair) => {
                match self.target {
                    Target::Serving => certificates.set_serving(&pair),
                    Target::Named(index) => certificates.set_named(index, &pair),
                }
                metrics.reloads(self.files.kind).succeeded.inc();
                (self.contents, self.warning) = (contents, None);
                tracing::info!(
                    certificate = %self.files.certificate.display(),
                    until = pair.not_after().to_rfc3339_seconds(),
                    "reloaded a certificate; new connections use it"
                );
            }
            Err(error) => self.warn(&error, metrics),
        }
    }

    /// Logs why the files are unusable, once for each reason.
    fn warn(&mut self, error: &CertificateError, metrics: &TlsMetrics) {
        metrics.reloads(self.files.kind).failed.inc();
        let warning = error.to_string();
        if self.warning.as_ref() != Some(&warning) {
            tracing::warn!(
                "{warning}; the server still serves the old certificate and reads the files again soon"
            );
            self.warning = Some(warning);
        }
    }
}
