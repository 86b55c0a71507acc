//! Starts the simulated cluster and the server of the demo.

use std::path::{Path, PathBuf};

use super::Args;
use crate::batch::Error;

/// A cluster and a server that run in this process.
pub(super) struct Running {
    kubeconfig: PathBuf,
}

/// Starts both; returns when the server can be asked.
pub(super) async fn start(_args: &Args) -> Result<Running, Error> {
    Err(Error::Usage(
        "the simulated cluster is not part of this build yet".to_owned(),
    ))
}

impl Running {
    /// A kubeconfig that leads to the cluster.
    pub(super) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Ends both.
    pub(super) async fn stop(self) {}
}
