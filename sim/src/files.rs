//! The files a cluster leaves for the programs that use it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::SimError;
use crate::identity::{Identities, SERVER_ACCOUNT, UserInfo};

/// The cluster's folder of files; removed when it ends.
#[derive(Debug)]
pub(crate) struct Files(PathBuf);

impl Files {
    pub(crate) fn new() -> Result<Self, SimError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("kubevitals-sim-{}-{n}", std::process::id()));
        match std::fs::create_dir_all(&path) {
            Ok(()) => Ok(Self(path)),
            Err(source) => Err(SimError::Write { path, source }),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.0.join("ca.crt")
    }

    pub(crate) fn token(&self) -> PathBuf {
        self.0.join("token")
    }

    /// Writes a new token of the server's account; readers see the old one or the new one, never half of one.
    pub(crate) fn write_token(&self, identities: &Identities) -> Result<(), SimError> {
        let (namespace, name) = SERVER_ACCOUNT;
        let token = identities.mint_token(UserInfo::service_account(namespace, name));
        let next = self.0.join("token.next");
        write(&next, &token)?;
        let path = self.token();
        std::fs::rename(&next, &path).map_err(|source| SimError::Write { path, source })
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // Whatever is left is in the system's folder for such things.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Writes a file.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), SimError> {
    std::fs::write(path, text).map_err(|source| SimError::Write {
        path: path.to_owned(),
        source,
    })
}
