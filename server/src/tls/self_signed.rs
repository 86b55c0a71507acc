//! A certificate that the server makes itself, in memory or in a folder (`--cert-dir`) under the peer's names.

use std::fs;
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use kubevitals_proto::time::Timestamp;

use super::Settings;
use super::authority::{self, Authority, Issued, NAME};
use super::error::CertificateError;
use super::pair::{Contents, Files, Kind, Pair};
use super::watched_pair::{Place, Watched};

/// A certificate that the server makes itself.
#[derive(Debug)]
pub(super) struct Own {
    names: Vec<String>,
    authority: Option<Authority>,
    /// Where it is kept, when it is.
    files: Option<Files>,
}

impl Own {
    pub(super) fn new(settings: &Settings, folder: Option<&PathBuf>) -> Self {
        Self {
            names: settings.service.names(),
            authority: None,
            files: folder.map(|folder| files(folder)),
        }
    }

    /// Issues a serving certificate, from a new authority when there is none that lives long enough.
    pub(super) fn make(&mut self, now: Timestamp) -> Result<Issued, CertificateError> {
        let lives = |authority: &Authority| authority.outlives_what_it_issues(now);
        let authority = match self.authority.take().filter(lives) {
            Some(authority) => authority,
            None => Authority::make(now).map_err(CertificateError::Make)?,
        };
        let issued = authority.issue(self.names.clone(), now);
        self.authority = Some(authority);
        issued.map_err(CertificateError::Make)
    }

    /// Whether a pair has all the names; IP addresses, which never change, are not among a pair's.
    fn is_named_by(&self, pair: &Pair) -> bool {
        let mut names = self.names.iter();
        names.all(|name| pair.names.contains(name) || name.parse::<IpAddr>().is_ok())
    }

    /// What is in the folder, or a new one that is put there. What an earlier run made is made anew when it is due,
    /// for another Service, or of no use: a run that is killed while it writes leaves a key without its certificate.
    pub(super) fn in_folder(
        &mut self,
        now: Timestamp,
    ) -> Result<(Pair, Option<Watched>), CertificateError> {
        if let Some(files) = &self.files
            && (files.certificate.exists() || files.key.exists())
        {
            match Watched::read(files.clone(), Place::Serving) {
                Ok((pair, watched)) => {
                    let ours = pair.issuer.starts_with(NAME);
                    if !ours || (self.is_named_by(&pair) && !is_due(&pair, now)) {
                        return Ok((pair, Some(watched)));
                    }
                }
                Err(error) if is_left_over(files) => {
                    tracing::warn!("{error}; an earlier run left it so, and a new pair is made");
                }
                Err(error) => return Err(error),
            }
        }
        let issued = self.make(now)?;
        let pair = issued.pair.clone();
        let held = self.files.as_ref().and_then(|files| put(files, &issued));
        if held.is_none() {
            self.files = None;
        }
        let files = self.files.clone().zip(held);
        let watched = files.map(|(files, held)| Watched::of(files, Place::Serving, held));
        Ok((pair, watched))
    }

    /// Writes it into its folder, if it has one; what is in the files then.
    pub(super) async fn write(&self, issued: Issued) -> Option<Contents> {
        let files = self.files.clone()?;
        let put = tokio::task::spawn_blocking(move || put(&files, &issued));
        put.await.ok().flatten()
    }
}

/// Whether a pair is one of our own and due to be made anew.
pub(super) fn is_due(pair: &Pair, now: Timestamp) -> bool {
    pair.issuer.starts_with(NAME) && authority::is_due(pair, now)
}

/// Whether a pair that is of no use is nobody's but ours: it has no certificate, or one of our own.
fn is_left_over(files: &Files) -> bool {
    let absent = matches!(files.certificate.try_exists(), Ok(false));
    absent || files.issuer().is_some_and(|name| name.starts_with(NAME))
}

/// Writes a pair into its folder, or says why it is in memory only.
fn put(files: &Files, issued: &Issued) -> Option<Contents> {
    match write(files, issued) {
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

/// The pair in a folder, as the peer names it.
fn files(folder: &Path) -> Files {
    Files {
        kind: Kind::Serving,
        certificate: folder.join("apiserver.crt"),
        key: folder.join("apiserver.key"),
    }
}

/// Writes a pair, each file whole or not at all; what is in the files afterwards. The key goes first: who reads in
/// between finds a key that does not match, and reads again.
fn write(files: &Files, issued: &Issued) -> io::Result<Contents> {
    let contents = Contents {
        certificate: issued.chain_pem.clone().into_bytes(),
        key: issued.key_pem.clone().into_bytes(),
    };
    if let Some(folder) = files.certificate.parent() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(folder)?;
    }
    replace(&files.key, &contents.key, 0o600)?;
    replace(&files.certificate, &contents.certificate, 0o644)?;
    Ok(contents)
}

fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    // One that a former run left may have another mode.
    let _usually_none = fs::remove_file(&new);
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(mode).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)
}
