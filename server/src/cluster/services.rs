//! Which pods a Service selects. Services are read when a metric of one is requested, not watched: most clusters never
//! ask.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1 as core;
use kube::api::ListParams;
use kube::{Api, Client};
use kubevitals_proto::labels::Labels;
use parking_lot::Mutex;
use tokio::time::timeout;

use super::Pod;
use crate::clock::{Age, Clock};
use crate::telemetry::chain;

/// How long a list is used again: two rounds of the HPA controller.
const FRESH_FOR: Duration = Duration::from_secs(30);

/// The longest time for a list.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The objects of one page.
const PAGE: u32 = 500;

/// The most Services of a namespace; the API server sends them by name.
const MAX: usize = 10_000;

/// The most namespaces whose Services are stored.
const MAX_NAMESPACES: usize = 100;

/// A Service, as far as it says which pods are its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The name.
    pub name: Arc<str>,
    /// The labels of the Service itself.
    pub labels: Labels,
    /// The labels that its pods have; none for a Service without a selector.
    pub selector: Labels,
}

impl Service {
    fn of(service: core::Service) -> Self {
        let selector = service.spec.and_then(|spec| spec.selector);
        Self {
            name: service.metadata.name.unwrap_or_default().into(),
            labels: service.metadata.labels.into_iter().flatten().collect(),
            selector: selector.into_iter().flatten().collect(),
        }
    }

    /// Whether a pod of the Service's namespace is one of its own.
    pub fn selects(&self, pod: &Pod) -> bool {
        let mut all = self.selector.iter();
        !self.selector.is_empty() && all.all(|(key, value)| pod.labels.get(key) == Some(value))
    }
}

/// The Services of a namespace, by name.
pub type NamespaceServices = Arc<Vec<Service>>;

/// The Services of a namespace cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot list services in namespace {namespace}: {cause}; grant the service account of vitals-server list on \
     services"
)]
pub struct ServicesError {
    namespace: String,
    cause: String,
}

/// A list, and when it was read; locked while it is read again, so that one request serves all that wait for it.
type Entry = Arc<tokio::sync::Mutex<Option<(Age, NamespaceServices)>>>;

/// Lists Services, and stores each list for a while.
pub struct Services {
    client: Client,
    clock: Arc<dyn Clock>,
    entries: Mutex<HashMap<String, Entry>>,
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Services").finish_non_exhaustive()
    }
}

impl Services {
    /// Reads with `client`.
    pub fn new(client: Client, clock: Arc<dyn Clock>) -> Self {
        Self {
            client,
            clock,
            entries: Mutex::default(),
        }
    }

    /// The Services of a namespace, at most half a minute old.
    ///
    /// # Errors
    /// The API server denies the list, or does not answer in time.
    pub async fn list(&self, namespace: &str) -> Result<NamespaceServices, ServicesError> {
        let entry = self.entry(namespace);
        let mut entry = entry.lock().await;
        let now = self.clock.elapsed();
        if let Some((read, services)) = &*entry
            && now.since(*read) < FRESH_FOR
        {
            return Ok(Arc::clone(services));
        }
        let error = |cause| ServicesError {
            namespace: namespace.to_owned(),
            cause,
        };
        let services = match timeout(TIMEOUT, pages(&self.client, namespace)).await {
            Ok(Ok(services)) => Arc::new(services),
            Ok(Err(cause)) => return Err(error(chain(&cause))),
            Err(_) => {
                let seconds = TIMEOUT.as_secs();
                return Err(error(format!("no complete response within {seconds} s")));
            }
        };
        *entry = Some((now, Arc::clone(&services)));
        Ok(services)
    }

    fn entry(&self, namespace: &str) -> Entry {
        let mut entries = self.entries.lock();
        if !entries.contains_key(namespace) && entries.len() >= MAX_NAMESPACES {
            // They are read again when they are needed.
            entries.clear();
        }
        Arc::clone(entries.entry(namespace.to_owned()).or_default())
    }
}

async fn pages(client: &Client, namespace: &str) -> kube::Result<Vec<Service>> {
    let api = Api::<core::Service>::namespaced(client.clone(), namespace);
    let mut services = Vec::new();
    let mut params = ListParams::default().limit(PAGE);
    loop {
        let page = api.list(&params).await?;
        services.extend(page.items.into_iter().map(Service::of));
        match page.metadata.continue_.filter(|it| !it.is_empty()) {
            Some(next) if services.len() < MAX => params = params.continue_token(&next),
            _ => return Ok(services),
        }
    }
}
