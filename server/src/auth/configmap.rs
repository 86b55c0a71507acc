//! The watch of kube-system/extension-apiserver-authentication, and the look at the files that flags name.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client};

use super::trust::{CLIENT_KEY, TrustReloader};
use crate::telemetry::{Quiet, chain};

const NAMESPACE: &str = "kube-system";
const NAME: &str = "extension-apiserver-authentication";

/// A watch is begun anew after this long, sooner than a silent connection is given up.
const WATCH_SECONDS: u32 = 120;

/// At most one line in this time about the same trouble.
const LOG_INTERVAL: Duration = Duration::from_secs(600);

/// How often files are looked at.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// Follows the configmap for ever. A watch that breaks leaves what is known in place.
pub(super) async fn follow(client: Client, reloader: Arc<TrustReloader>) {
    let api = Api::<ConfigMap>::namespaced(client, NAMESPACE);
    let config = watcher::Config::default()
        .fields(&format!("metadata.name={NAME}"))
        .timeout(WATCH_SECONDS);
    let mut events = pin!(watcher::watcher(api, config).default_backoff());
    let mut log_limit = Quiet::new(LOG_INTERVAL);
    let mut listed = false;
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => listed = false,
            Ok(Event::InitApply(map) | Event::Apply(map)) => {
                listed = true;
                apply(&reloader, &map);
            }
            Ok(Event::InitDone) if !listed => {
                tracing::warn!(
                    "there is no configmap {NAMESPACE}/{NAME}, by which the API server says whom to believe: until \
                     there is one, requests with a client certificate are refused; an API server has one, or give \
                     --client-ca-file and --requestheader-client-ca-file",
                );
            }
            Ok(Event::InitDone) => {}
            Ok(Event::Delete(_)) => tracing::warn!(
                "the configmap {NAMESPACE}/{NAME} was deleted; whom it said to believe is believed on"
            ),
            // A watch that has expired, as each does that was cut off for a while.
            Err(watcher::Error::WatchError(status)) if status.code == 410 => {}
            Err(error) => {
                if let Some(unreported) = log_limit.speak() {
                    tracing::warn!(
                        error = %chain(&error),
                        unreported,
                        "cannot read the configmap {NAMESPACE}/{NAME}, by which the API server says whom to believe; \
                         it is tried again; check that the API server answers and that this account is bound to a \
                         role in {NAMESPACE} that may list and watch it: deploy/base/rbac.yaml's vitals-server, or \
                         extension-apiserver-authentication-reader, which every cluster has",
                    );
                }
            }
        }
    }
}

fn apply(reloader: &TrustReloader, map: &ConfigMap) {
    match reloader.read_configmap(map) {
        Ok(true) => {
            tracing::info!("took over the CAs of the configmap {NAMESPACE}/{NAME}");
            for key in reloader.missing() {
                let (refused, flag) = match key {
                    CLIENT_KEY => ("users' client certificates are refused", "--client-ca-file"),
                    _ => (
                        "all that comes through the kube-apiserver is refused",
                        "--requestheader-client-ca-file",
                    ),
                };
                tracing::warn!(
                    key,
                    "the configmap {NAMESPACE}/{NAME} lacks a CA: {refused}; check that the kube-apiserver runs with \
                     {flag}, or give it to this server",
                );
            }
        }
        Ok(false) => {}
        Err(error) => tracing::warn!(
            error,
            "the configmap {NAMESPACE}/{NAME} cannot be used whole; what was last good stays",
        ),
    }
}

/// Looks at the files for ever.
pub(super) async fn poll_files(reloader: Arc<TrustReloader>) {
    let mut log_limit = Quiet::new(LOG_INTERVAL);
    loop {
        tokio::time::sleep(POLL_INTERVAL).await;
        // Small files, read in a fraction of a millisecond.
        for result in reloader.read_files() {
            match result {
                Ok(true) => tracing::info!("took over a CA file that has changed"),
                Ok(false) => {}
                Err(error) => {
                    if let Some(unreported) = log_limit.speak() {
                        tracing::warn!(%error, unreported, "what was last good stays; it is read again");
                    }
                }
            }
        }
    }
}
