//! The connection to an API server.

use std::path::Path;
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};

use super::credential;
use super::error::ConfigError;

/// The longest time without data from the API server. A watch gets data at least every two minutes, because it
/// starts again then.
const READ_TIMEOUT: Duration = Duration::from_secs(150);

/// Reads a kubeconfig.
pub(super) async fn from_file(path: &Path) -> Result<kube::Config, ConfigError> {
    from_kubeconfig(path, Kubeconfig::read_from(path)).await
}

/// Makes the configuration of a kubeconfig, which is named by `path` in errors.
pub(super) async fn from_kubeconfig(
    path: &Path,
    kubeconfig: Result<Kubeconfig, KubeconfigError>,
) -> Result<kube::Config, ConfigError> {
    let failed = |cause| ConfigError::Kubeconfig {
        path: path.to_owned(),
        cause: Box::new(cause),
    };
    let kubeconfig = kubeconfig.map_err(failed)?;
    if let Some(lack) = credential::of_kubeconfig(&kubeconfig) {
        anonymous(&format!("kubeconfig {}: {lack}", path.display()));
    }
    kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .map_err(failed)
}

/// The configuration of a pod for the API server of its cluster.
pub(super) fn in_cluster() -> Result<kube::Config, ConfigError> {
    let kube =
        kube::Config::incluster().map_err(|error| ConfigError::NotInCluster(Box::new(error)))?;
    if let Some(file) = &kube.auth_info.token_file
        && let Some(lack) = credential::of_file(Path::new(file))
    {
        anonymous(&format!("the service account's {lack}"));
    }
    Ok(kube)
}

fn anonymous(lack: &str) {
    tracing::warn!(
        "{lack}: requests to the API server are anonymous (system:anonymous), and most are denied; configure a token \
         or a client certificate"
    );
}

/// Adds a read timeout, which kube leaves out: without it, a list without a response or a dead connection would stop
/// all updates from the cluster.
///
/// Turns off kube's retries, which are silent and last up to a quarter of an hour while the API server is overloaded.
/// Watches, reviews and other requests retry by themselves, and log it.
pub(super) fn bounded(mut kube: kube::Config) -> kube::Config {
    kube.read_timeout = Some(READ_TIMEOUT);
    kube.reset_reader_on_write = true;
    kube.default_retry = false;
    kube
}
