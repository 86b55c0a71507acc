//! Watches kube-system/extension-apiserver-authentication, and polls the files that flags name.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client};

use super::trust::{CLIENT_KEY, TrustReloader};
use crate::telemetry::{LogThrottle, chain};

const NAMESPACE: &str = "kube-system";
const NAME: &str = "extension-apiserver-authentication";

/// The duration of a watch: shorter than the time after which a silent connection is closed.
const WATCH_SECONDS: u32 = 120;

/// The shortest time between two log lines about the same failure.
const LOG_INTERVAL: Duration = Duration::from_secs(600);

/// The time between two reads of the files.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// Watches the configmap. Does not return. A failed watch leaves the current trust in place.
pub(super) async fn follow(client: Client, reloader: Arc<TrustReloader>) {
    let api = Api::<ConfigMap>::namespaced(client, NAMESPACE);
    let config = watcher::Config::default()
        .fields(&format!("metadata.name={NAME}"))
        .timeout(WATCH_SECONDS);
    let mut events = pin!(watcher::watcher(api, config).default_backoff());
    let mut log_limit = LogThrottle::new(LOG_INTERVAL);
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
                    "there is no configmap {NAMESPACE}/{NAME}, which has the CAs of client certificates: until \
                     there is one, requests with a client certificate are refused; every API server creates one; else set \
                     --client-ca-file and --requestheader-client-ca-file",
                );
            }
            Ok(Event::InitDone) => {}
            Ok(Event::Delete(_)) => tracing::warn!(
                "the configmap {NAMESPACE}/{NAME} was deleted; its CAs stay in use until the server restarts"
            ),
            // The watch has expired, as happens after a disconnection.
            Err(watcher::Error::WatchError(status)) if status.code == 410 => {}
            Err(error) => {
                if let Some(unreported) = log_limit.allow() {
                    tracing::warn!(
                        error = %chain(&error),
                        unreported,
                        "cannot read the configmap {NAMESPACE}/{NAME}, which has the CAs of client certificates; the server \
                         retries; check that the API server answers and that this account is bound to a \
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
            tracing::info!("reloaded the CAs of the configmap {NAMESPACE}/{NAME}");
            for key in reloader.missing() {
                let (refused, flag) = match key {
                    CLIENT_KEY => ("users' client certificates are refused", "--client-ca-file"),
                    _ => (
                        "all requests through the kube-apiserver are refused",
                        "--requestheader-client-ca-file",
                    ),
                };
                tracing::warn!(
                    key,
                    "the configmap {NAMESPACE}/{NAME} lacks a CA: {refused}; check that the kube-apiserver runs with \
                     {flag}, or set the flag of this server",
                );
            }
        }
        Ok(false) => {}
        Err(error) => tracing::warn!(
            error,
            "the configmap {NAMESPACE}/{NAME} cannot be used completely; the last good values stay in use",
        ),
    }
}

/// Polls the files. Does not return.
pub(super) async fn poll_files(reloader: Arc<TrustReloader>) {
    let mut log_limit = LogThrottle::new(LOG_INTERVAL);
    loop {
        tokio::time::sleep(POLL_INTERVAL).await;
        // The files are small: a read takes a fraction of a millisecond.
        for result in reloader.read_files() {
            match result {
                Ok(true) => tracing::info!("reloaded a CA file that has changed"),
                Ok(false) => {}
                Err(error) => {
                    if let Some(unreported) = log_limit.allow() {
                        tracing::warn!(%error, unreported, "cannot reload a CA file; the last good one stays in use, and the server retries");
                    }
                }
            }
        }
    }
}
