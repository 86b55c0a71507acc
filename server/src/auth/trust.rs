//! The trust: the CAs and names that front proxies and client certificates are verified against.
//!
//! Flags name files, which are read again when they change. The configmap
//! kube-system/extension-apiserver-authentication, which the kube-apiserver maintains, has what the flags leave open.
//! Both rotate CAs while the server runs. A change that cannot be used leaves the last good value in place.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use k8s_openapi::api::core::v1::ConfigMap;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::certificate::ClientCas;
use super::proxy::{FrontProxy, ProxyHeaders};
use super::settings::{Lookup, ProxySettings, Settings};
use crate::telemetry::metrics::Counter;

/// The trust at one time.
#[derive(Debug, Clone, Default)]
pub(super) struct Trust {
    /// The front proxies; none if there are none.
    pub(super) proxy: Option<FrontProxy>,
    /// The CAs of clients; none if there are none.
    pub(super) client: Option<ClientCas>,
    /// The configmap is required and has not been read yet: certificates cannot be verified.
    pub(super) pending: bool,
}

/// The texts that were read last, to notice changes.
#[derive(Debug, Default)]
struct LastRead {
    client: Option<Vec<u8>>,
    proxy: Option<Vec<u8>>,
    map: Option<std::collections::BTreeMap<String, String>>,
}

/// Holds the current trust, and reloads it.
#[derive(Debug)]
pub(super) struct TrustReloader {
    client_ca: Option<PathBuf>,
    proxy: Option<ProxySettings>,
    lookup: Lookup,
    last: Mutex<LastRead>,
    current: watch::Sender<Arc<Trust>>,
    /// Reloads that succeeded.
    pub(super) changes: Counter,
    /// Reloads that failed.
    pub(super) failures: Counter,
}

/// A CA file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {path:?} as {flag}: {cause}")]
pub struct TrustError {
    /// The flag that names the file.
    flag: &'static str,
    path: PathBuf,
    #[source]
    cause: Box<dyn Error + Send + Sync>,
}

const CLIENT_CA: &str = "--client-ca-file";
const PROXY_CA: &str = "--requestheader-client-ca-file";

/// The configmap's key for the CA of client certificates.
pub(super) const CLIENT_KEY: &str = "client-ca-file";
/// The configmap's key for the CA of front proxies.
pub(super) const PROXY_KEY: &str = "requestheader-client-ca-file";

impl TrustReloader {
    /// Reads the files that the flags name.
    ///
    /// # Errors
    /// A file cannot be used: at the start there is no last good value.
    pub(super) fn new(settings: &Settings) -> Result<Self, TrustError> {
        let reloader = Self {
            client_ca: settings.client_ca.clone(),
            proxy: settings.front_proxy.clone(),
            lookup: settings.lookup,
            last: Mutex::default(),
            current: watch::Sender::default(),
            changes: Counter::default(),
            failures: Counter::default(),
        };
        let pending = reloader.reads_configmap() && reloader.lookup == Lookup::Required;
        reloader.change(|trust| trust.pending = pending);
        for result in reloader.read_files() {
            result?;
        }
        Ok(reloader)
    }

    fn count<T, E>(&self, result: &Result<T, E>) {
        if result.is_ok() {
            self.changes.inc();
        } else {
            self.failures.inc();
        }
    }

    /// The current trust.
    pub(super) fn current(&self) -> Arc<Trust> {
        Arc::clone(&self.current.borrow())
    }

    /// Whether the configmap is read.
    pub(super) fn reads_configmap(&self) -> bool {
        self.lookup != Lookup::Skipped && (self.client_ca.is_none() || self.proxy.is_none())
    }

    /// The keys that the configmap must have, because no flag replaces them, and that have had no usable value yet.
    pub(super) fn missing(&self) -> Vec<&'static str> {
        let trust = self.current();
        let missing = [
            (trust.client.is_none(), CLIENT_KEY),
            (trust.proxy.is_none(), PROXY_KEY),
        ];
        let missing = missing.into_iter().filter(|(lacks, _)| *lacks);
        missing.map(|(_, key)| key).collect()
    }

    /// Whether there are files to read again.
    pub(super) fn has_files(&self) -> bool {
        self.client_ca.is_some() || self.proxy.is_some()
    }

    /// Reads the files that have changed. Returns for each file whether a change is used now.
    pub(super) fn read_files(&self) -> Vec<Result<bool, TrustError>> {
        let mut last = self.last.lock();
        let client = self.client_ca.as_ref().map(|path| {
            read(CLIENT_CA, path, &mut last.client, |cas| {
                self.change(|trust| trust.client = Some(cas));
            })
        });
        let proxy = self.proxy.as_ref().map(|settings| {
            read(PROXY_CA, &settings.ca, &mut last.proxy, |cas| {
                let proxy = FrontProxy {
                    cas,
                    allowed_names: settings.allowed_names.clone(),
                    headers: settings.headers.clone(),
                };
                self.change(|trust| trust.proxy = Some(proxy));
            })
        });
        let results: Vec<_> = client.into_iter().chain(proxy).collect();
        for result in results.iter().filter(|result| !matches!(result, Ok(false))) {
            self.count(result);
        }
        results
    }

    /// Reads the configmap. Returns whether anything has changed.
    ///
    /// # Errors
    /// What cannot be used. The last good value stays.
    pub(super) fn read_configmap(&self, map: &ConfigMap) -> Result<bool, String> {
        let data = map.data.clone().unwrap_or_default();
        let mut last = self.last.lock();
        if last.map.as_ref() == Some(&data) {
            return Ok(false);
        }
        // Each change is reported once, whether it can be used or not.
        let client = (self.client_ca.is_none())
            .then(|| read_cas(&data, CLIENT_KEY))
            .transpose();
        let proxy = (self.proxy.is_none())
            .then(|| front_proxy(&data))
            .transpose();
        last.map = Some(data);
        let mut errors = Vec::new();
        self.change(|trust| {
            match client {
                Ok(Some(client)) => trust.client = client,
                Ok(None) => {}
                Err(error) => errors.push(error),
            }
            match proxy {
                Ok(Some(proxy)) => trust.proxy = proxy,
                Ok(None) => {}
                Err(error) => errors.push(error),
            }
            // Without a usable value no certificate is trusted, but requests are no longer refused as "not ready".
            trust.pending = false;
        });
        let result = if errors.is_empty() {
            Ok(true)
        } else {
            Err(errors.join("; "))
        };
        self.count(&result);
        result
    }

    fn change(&self, change: impl FnOnce(&mut Trust)) {
        self.current
            .send_modify(|trust| change(Arc::make_mut(trust)));
    }

    /// Completes when certificates can be verified, and from then on.
    pub(super) async fn until_ready(&self) {
        let mut trust = self.current.subscribe();
        // The sender lives as long as `self`.
        let _ready = trust.wait_for(|trust| !trust.pending).await;
    }
}

/// Reads the CAs in a file and uses them if it has changed since `last`. Returns whether it has.
fn read(
    flag: &'static str,
    path: &Path,
    last: &mut Option<Vec<u8>>,
    apply: impl FnOnce(ClientCas),
) -> Result<bool, TrustError> {
    let failed = |cause: Box<dyn Error + Send + Sync>| TrustError {
        flag,
        path: path.to_owned(),
        cause,
    };
    let text = std::fs::read(path).map_err(|error| failed(error.into()))?;
    if last.as_ref() == Some(&text) {
        return Ok(false);
    }
    apply(ClientCas::from_pem(&text).map_err(|error| failed(error.into()))?);
    *last = Some(text);
    Ok(true)
}

type Data = std::collections::BTreeMap<String, String>;

/// Reads the CAs of a key; none if the key is absent.
fn read_cas(data: &Data, key: &str) -> Result<Option<ClientCas>, String> {
    data.get(key)
        .map(|pem| ClientCas::from_pem(pem.as_bytes()).map_err(|error| format!("{key}: {error}")))
        .transpose()
}

/// Parses the strings of a key as k8s.io/apiserver does with `encoding/json`: an absent key, an empty value, `null`
/// and `[]` are the same, and a `null` among the strings is an empty string. White space alone is not valid JSON.
fn strings(data: &Data, key: &str) -> Result<Vec<String>, String> {
    let Some(text) = data.get(key).filter(|text| !text.is_empty()) else {
        return Ok(Vec::new());
    };
    let strings: Option<Vec<Option<String>>> = serde_json::from_str(text)
        .map_err(|error| format!("{key} is not a JSON array of strings: {error}"))?;
    let strings = strings.into_iter().flatten();
    Ok(strings.map(Option::unwrap_or_default).collect())
}

fn front_proxy(data: &Data) -> Result<Option<FrontProxy>, String> {
    let Some(cas) = read_cas(data, PROXY_KEY)? else {
        return Ok(None);
    };
    let list = |key: &str| strings(data, key);
    let headers = ProxyHeaders::new(
        &list("requestheader-username-headers")?,
        &list("requestheader-uid-headers")?,
        &list("requestheader-group-headers")?,
        &list("requestheader-extra-headers-prefix")?,
    )?;
    Ok(Some(FrontProxy {
        cas,
        allowed_names: list("requestheader-allowed-names")?,
        headers,
    }))
}

#[cfg(test)]
mod tests;
