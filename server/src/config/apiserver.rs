//! How an API server is reached.

use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};

use super::credential;
use super::error::ConfigError;

/// An API server that says nothing for this long is gone; a watch says something at least every two minutes,
/// because it is begun anew then.
const LONGEST_SILENCE: Duration = Duration::from_secs(150);

/// What a kubeconfig's file says.
pub(super) async fn from_file(path: &PathBuf) -> Result<kube::Config, ConfigError> {
    let wrong = |cause| ConfigError::Kubeconfig {
        path: path.clone(),
        cause: Box::new(cause),
    };
    let kubeconfig = Kubeconfig::read_from(path).map_err(wrong)?;
    if let Some(lack) = credential::of_kubeconfig(&kubeconfig) {
        anonymous(&format!("kubeconfig {}: {lack}", path.display()));
    }
    kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .map_err(wrong)
}

/// What a pod is given to reach the API server of its cluster.
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
        "{lack}: requests to the API server are anonymous (system:anonymous), and most are denied; give a token or a \
         client certificate"
    );
}

/// Gives the API server's client what kube leaves out: a bound on silence. Without it a list that is never
/// answered, or a connection that died without a word, would freeze what is known of the cluster for good.
///
/// And takes from it what it has too much: to ask again, silently and for up to a quarter of an hour a time, while
/// the API server is overloaded. Watches, reviews and rounds each have a way of their own to ask again, and say so.
pub(super) fn bounded(mut kube: kube::Config) -> kube::Config {
    kube.read_timeout = Some(LONGEST_SILENCE);
    kube.reset_reader_on_write = true;
    kube.default_retry = false;
    kube
}
