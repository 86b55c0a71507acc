//! The files a cluster leaves for the programs that use it.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::SimError;
use crate::identity::{Identities, SERVER_ACCOUNT, UserInfo};

/// The cluster's folder of files; removed when it ends.
#[derive(Debug)]
pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn new() -> Result<Self, SimError> {
        let folder = tempfile::Builder::new().prefix("kubevitals-sim-").tempdir();
        folder.map(Self).map_err(|source| SimError::Write {
            path: std::env::temp_dir(),
            source,
        })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.folder().join("ca.crt")
    }

    pub(crate) fn token(&self) -> PathBuf {
        self.folder().join("token")
    }

    /// Writes a new token of the server's account; readers see the old one or the new one, never half of one.
    pub(crate) fn write_token(&self, identities: &Identities) -> Result<(), SimError> {
        let (namespace, name) = SERVER_ACCOUNT;
        let token = identities.mint_token(UserInfo::service_account(namespace, name));
        let next = self.folder().join("token.next");
        write(&next, &token)?;
        let path = self.token();
        std::fs::rename(&next, &path).map_err(|source| SimError::Write { path, source })
    }
}

/// Writes a file.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), SimError> {
    std::fs::write(path, text).map_err(|source| SimError::Write {
        path: path.to_owned(),
        source,
    })
}
