//! Keeps what is shown as it should be: files that changed are read anew, certificates of our own are made anew
//! before they end, and those that end are spoken of. No connection notices.
//!
//! Files are looked at and compared, not watched: Kubernetes swaps a symbolic link two folders above them, others
//! rename or write in place, network file systems tell nothing, and a few kilobytes every few seconds are nothing.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;

use super::authority::{Authority, Issued, NAME, is_due};
use super::counts::Counts;
use super::folder;
use super::pair::{CertificateError, Contents, Files, Kind, Pair};
use super::shown::{Certificates, Named};
use super::{NamedPair, Settings};
use crate::clock::Clock;

/// How often files are looked at.
const LOOK: Duration = Duration::from_secs(5);

/// The most time before its end at which a certificate is spoken of.
const WARNING: Duration = Duration::from_secs(7 * 24 * 3600);

/// Keeps certificates as they should be.
#[derive(Debug)]
pub struct Keeper {
    clock: Arc<dyn Clock>,
    counts: Arc<Counts>,
    certificates: Arc<Certificates>,
    watched: Vec<Watched>,
    own: Option<Own>,
    told: Vec<(Timestamp, Stage)>,
}

/// A pair in files.
struct Watched {
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
enum Place {
    Serving,
    Named(usize),
}

/// A certificate that the server makes itself.
#[derive(Debug)]
struct Own {
    names: Vec<String>,
    authority: Option<Authority>,
    /// Where it is kept, when it is.
    files: Option<Files>,
}

/// How near its end a certificate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Good,
    Ending,
    Ended,
}

impl Keeper {
    /// Reads or makes everything that is shown.
    pub(super) fn start(
        settings: &Settings,
        clock: Arc<dyn Clock>,
        counts: Arc<Counts>,
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
                let own = own.insert(Own::new(settings, Some(folder::files(folder))));
                let (pair, one) = in_folder(own, folder, clock.wall())?;
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
        let mut keeper = Self {
            clock,
            counts,
            certificates: Arc::new(Certificates::new(serving, named)),
            watched,
            own,
            told: Vec::new(),
        };
        keeper.tell_ends();
        Ok(keeper)
    }

    /// What it keeps.
    pub(super) fn certificates(&self) -> &Arc<Certificates> {
        &self.certificates
    }

    /// Looks and keeps, for ever.
    pub async fn run(mut self) {
        loop {
            self.clock.sleep(LOOK).await;
            for watched in &mut self.watched {
                watched.look(&self.certificates, &self.counts).await;
            }
            self.renew().await;
            self.tell_ends();
        }
    }

    /// Makes our own certificate anew when it is due.
    async fn renew(&mut self) {
        let (Some(own), now) = (&mut self.own, self.clock.wall()) else {
            return;
        };
        let serving = self.certificates.serving();
        // A folder may hold somebody else's by now.
        if !serving.issuer.starts_with(NAME) || !is_due(&serving, now) {
            return;
        }
        let issued = match own.make(now) {
            Ok(issued) => issued,
            Err(error) => return tracing::error!(%error, "the serving certificate is not renewed"),
        };
        self.certificates.set_serving(&issued.pair);
        tracing::info!(
            until = issued.pair.not_after().to_rfc3339_seconds(),
            "the server made itself a new serving certificate"
        );
        let Some(files) = own.files.clone() else {
            return;
        };
        let written = tokio::task::spawn_blocking(move || write(&files, &issued)).await;
        let watched = self.watched.iter_mut();
        let mut serving = watched.filter(|one| matches!(one.place, Place::Serving));
        if let (Ok(Some(contents)), Some(watched)) = (written, serving.next()) {
            watched.held = contents;
        }
    }

    /// Says once of each certificate that it is about to end, and once that it has.
    fn tell_ends(&mut self) {
        let now = self.clock.wall();
        let pairs = self.certificates.pairs();
        self.told
            .resize(pairs.len(), (Timestamp::default(), Stage::Good));
        for ((kind, pair), told) in pairs.iter().zip(&mut self.told) {
            let (until, stage) = (pair.not_after(), Stage::of(pair, now));
            let news = if told.0 == until {
                stage > told.1
            } else {
                stage > Stage::Good
            };
            *told = (until, stage);
            if !news {
                continue;
            }
            let (kind, names) = (kind.name(), pair.names.join(", "));
            let until = until.to_rfc3339_seconds();
            if stage == Stage::Ended {
                tracing::error!(
                    kind,
                    names,
                    "a certificate that is shown has ended at {until}: who verifies it can no longer connect; \
                     replace its files, they are read without a restart"
                );
            } else {
                tracing::warn!(kind, names, "a certificate that is shown ends at {until}");
            }
        }
    }
}

impl Stage {
    /// A tenth of a certificate's life before its end, at most a week, it should have been replaced.
    fn of(pair: &Pair, now: Timestamp) -> Self {
        let life = pair.not_after().since(pair.not_before());
        let warning = i64::try_from(WARNING.as_nanos()).unwrap_or(i64::MAX);
        let left = pair.not_after().since(now);
        if left < 0 {
            Self::Ended
        } else if left < warning.min(life / 10) {
            Self::Ending
        } else {
            Self::Good
        }
    }
}

impl NamedPair {
    fn read(&self, index: usize) -> Result<(Named, Watched), CertificateError> {
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
    fn read(files: Files, place: Place) -> Result<(Pair, Self), CertificateError> {
        let held = files.read()?;
        let pair = files.pair(&held)?;
        Ok((pair, Self::of(files, place, held)))
    }

    fn of(files: Files, place: Place, held: Contents) -> Self {
        Self {
            files,
            place,
            held,
            complaint: None,
        }
    }

    /// Shows what is in the files, if it is new and good.
    async fn look(&mut self, certificates: &Certificates, counts: &Counts) {
        let files = self.files.clone();
        // Its end without a value is the runtime's.
        let Ok(read) = tokio::task::spawn_blocking(move || files.read()).await else {
            return;
        };
        let contents = match read {
            Ok(contents) if contents == self.held => {
                if self.complaint.take().is_some() {
                    tracing::info!(files = ?self.files, "a certificate's files are as they were again");
                }
                return;
            }
            Ok(contents) => contents,
            Err(error) => return self.complain(&error, counts),
        };
        match self.files.pair(&contents) {
            Ok(pair) => {
                match self.place {
                    Place::Serving => certificates.set_serving(&pair),
                    Place::Named(index) => certificates.set_named(index, &pair),
                }
                counts.reloaded(self.files.kind, true);
                (self.held, self.complaint) = (contents, None);
                tracing::info!(
                    certificate = %self.files.certificate.display(),
                    until = pair.not_after().to_rfc3339_seconds(),
                    "a certificate was replaced; new connections are shown it"
                );
            }
            Err(error) => self.complain(&error, counts),
        }
    }

    /// Says what is wrong, once for as long as it stays the same.
    fn complain(&mut self, error: &CertificateError, counts: &Counts) {
        counts.reloaded(self.files.kind, false);
        let complaint = error.to_string();
        if self.complaint.as_ref() != Some(&complaint) {
            tracing::warn!(
                "{complaint}; the one from before is still shown, and the files are read again soon"
            );
            self.complaint = Some(complaint);
        }
    }
}

impl Own {
    fn new(settings: &Settings, files: Option<Files>) -> Self {
        Self {
            names: settings.service.names(),
            authority: None,
            files,
        }
    }

    /// Issues a serving certificate, from a new authority when there is none that lives long enough.
    fn make(&mut self, now: Timestamp) -> Result<Issued, CertificateError> {
        let lives = |authority: &Authority| authority.outlives_what_it_issues(now);
        let authority = match self.authority.take().filter(lives) {
            Some(authority) => authority,
            None => Authority::make(now).map_err(CertificateError::Make)?,
        };
        let issued = authority.issue(self.names.clone(), now);
        self.authority = Some(authority);
        issued.map_err(CertificateError::Make)
    }
}

/// What is in the folder, or a new one that is put there. What an earlier run made and is due is made anew.
fn in_folder(
    own: &mut Own,
    folder: &Path,
    now: Timestamp,
) -> Result<(Pair, Option<Watched>), CertificateError> {
    let files = folder::files(folder);
    if files.certificate.exists() || files.key.exists() {
        let (pair, watched) = Watched::read(files.clone(), Place::Serving)?;
        if !pair.issuer.starts_with(NAME) || !is_due(&pair, now) {
            return Ok((pair, Some(watched)));
        }
    }
    let issued = own.make(now)?;
    let watched = write(&files, &issued).map(|held| Watched::of(files, Place::Serving, held));
    if watched.is_none() {
        own.files = None;
    }
    Ok((issued.pair, watched))
}

/// Writes our own pair into its folder, or says why it is in memory only.
fn write(files: &Files, issued: &Issued) -> Option<Contents> {
    match folder::write(files, issued) {
        Ok(contents) => Some(contents),
        Err(error) => {
            tracing::warn!(
                %error,
                "cannot write {} (--cert-dir); the server's certificate is in memory only",
                files.certificate.display()
            );
            None
        }
    }
}
