//! The certificate that the server makes itself, in memory or in a folder (`--cert-dir`) under the peer's file names.

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
use super::watched_pair::{Target, Watched};

/// Issues the server's own certificate.
#[derive(Debug)]
pub(super) struct SelfSigned {
    names: Vec<String>,
    authority: Option<Authority>,
    /// The files that persist it, if any.
    files: Option<Files>,
}

impl SelfSigned {
    pub(super) fn new(settings: &Settings, folder: Option<&PathBuf>) -> Self {
        Self {
            names: settings.service.names(),
            authority: None,
            files: folder.map(|folder| files(folder)),
        }
    }

    /// Issues a serving certificate. Makes a new authority if there is none that outlives it.
    pub(super) fn make(&mut self, now: Timestamp) -> Result<Issued, CertificateError> {
        let usable = |authority: &Authority| authority.outlives_what_it_issues(now);
        let authority = match self.authority.take().filter(usable) {
            Some(authority) => authority,
            None => Authority::make(now).map_err(CertificateError::Make)?,
        };
        let issued = authority.issue(self.names.clone(), now);
        self.authority = Some(authority);
        issued.map_err(CertificateError::Make)
    }

    /// Whether a pair has all names. IP addresses never change, and a pair does not list them.
    fn has_names(&self, pair: &Pair) -> bool {
        let mut names = self.names.iter();
        names.all(|name| pair.fields.names.contains(name) || name.parse::<IpAddr>().is_ok())
    }

    /// Reads the pair in the folder, or makes a new one and writes it there. A pair of an earlier run is replaced if it
    /// is due, for another Service, or unusable: a run that is killed while it writes leaves a key without its
    /// certificate.
    pub(super) fn in_folder(
        &mut self,
        now: Timestamp,
    ) -> Result<(Pair, Option<Watched>), CertificateError> {
        if let Some(files) = &self.files
            && (files.certificate.exists() || files.key.exists())
        {
            match Watched::read(files.clone(), Target::Serving) {
                Ok((pair, watched)) => {
                    let ours = pair.fields.issuer.starts_with(NAME);
                    if !ours || (self.has_names(&pair) && !is_due(&pair, now)) {
                        return Ok((pair, Some(watched)));
                    }
                }
                Err(error) if is_left_over(files) => {
                    tracing::warn!(
                        "{error}; an earlier run left it, and the server makes a new pair"
                    );
                }
                Err(error) => return Err(error),
            }
        }
        let issued = self.make(now)?;
        let pair = issued.pair.clone();
        let contents = self.files.as_ref().and_then(|files| put(files, &issued));
        if contents.is_none() {
            self.files = None;
        }
        let files = self.files.clone().zip(contents);
        let watched = files.map(|(files, contents)| Watched::of(files, Target::Serving, contents));
        Ok((pair, watched))
    }

    /// Writes a pair to the folder, if there is one. Returns the new contents of the files.
    pub(super) async fn write(&self, issued: Issued) -> Option<Contents> {
        let files = self.files.clone()?;
        let put = tokio::task::spawn_blocking(move || put(&files, &issued));
        put.await.ok().flatten()
    }
}

/// Whether the server issued this pair itself and has to renew it.
pub(super) fn is_due(pair: &Pair, now: Timestamp) -> bool {
    pair.fields.issuer.starts_with(NAME) && authority::is_due(pair, now)
}

/// Whether an unusable pair can only be the server's own: the certificate is missing, or the server issued it.
fn is_left_over(files: &Files) -> bool {
    let missing = matches!(files.certificate.try_exists(), Ok(false));
    missing || files.issuer().is_some_and(|name| name.starts_with(NAME))
}

/// Writes a pair to its folder, or logs why it is in memory only.
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

/// The files of a pair in a folder, with the peer's names.
fn files(folder: &Path) -> Files {
    Files {
        kind: Kind::Serving,
        certificate: folder.join("apiserver.crt"),
        key: folder.join("apiserver.key"),
    }
}

/// Writes a pair, each file atomically, and returns the new contents. The key comes first: a process that reads in
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
    // A file of an earlier run may have another mode.
    let _usually_none = fs::remove_file(&new);
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(mode).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)
}
