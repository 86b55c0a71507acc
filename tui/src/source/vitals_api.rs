//! The client for kubevitals.io, for commands that print and exit.

use kubevitals_proto::vitals::{History, NodeVitals, PodVitals};
use kubevitals_proto::why::{SUBRESOURCE, Why};
use serde::Deserialize as _;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::client::{JSON, escaped};
use super::discovery::{self, Served};
use super::json_items::JsonItems;
use super::metrics_api::segment;
use super::status::About;
use super::why::WhyResponse;
use super::{ApiClient, Error, Failure, vitals_path};
use crate::cli::HistorySubject;

/// Requests objects of kubevitals.io and their history.
#[derive(Debug, Clone)]
pub struct VitalsApi {
    client: ApiClient,
}

/// Whether a cluster serves kubevitals.io.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VitalsService {
    /// It does, or discovery is denied and the requests will show.
    Served,
    /// It is registered, but its server does not answer.
    Unavailable,
    /// It is not registered. Whether metrics.k8s.io is.
    Absent {
        /// Whether the cluster serves metrics.k8s.io.
        has_metrics: bool,
    },
}

/// Selects pods of a list.
#[derive(Debug, Clone, Copy, Default)]
pub struct PodQuery<'a> {
    /// The namespace; all if it is empty.
    pub namespace: &'a str,
    /// A label selector.
    pub labels: &'a str,
    /// Other parameters: the name and the value of each.
    pub parameters: &'a [(&'a str, &'a str)],
}

impl VitalsApi {
    /// A client on an API server.
    pub fn new(client: ApiClient) -> Self {
        Self { client }
    }

    /// Requests whether the cluster serves kubevitals.io.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub async fn service(&self) -> Result<VitalsService, Error> {
        Ok(match discovery::served(&self.client).await {
            Ok(Served { vitals: true, .. }) => VitalsService::Served,
            Ok(Served {
                vitals_stale: true, ..
            }) => VitalsService::Unavailable,
            Ok(served) => VitalsService::Absent {
                has_metrics: served.metrics.is_some(),
            },
            Err(Error::Server(Failure { code: 403, .. })) => VitalsService::Served,
            Err(error) => return Err(error),
        })
    }

    /// The history of a subject, with the name and the value of each parameter.
    ///
    /// # Errors
    /// The request failed, for example because the object does not exist.
    pub async fn history(
        &self,
        subject: &HistorySubject,
        parameters: &[(&str, &str)],
    ) -> Result<History, Error> {
        let mut workload = None;
        let object = match subject {
            HistorySubject::Pod(namespace, name) => pod_path(namespace, name)?,
            HistorySubject::Node(name) => node_path(name)?,
            HistorySubject::Namespace(namespace) => pod_path(namespace, "-")?,
            HistorySubject::Workload {
                namespace,
                kind,
                name,
            } => {
                workload = Some(format!("{kind}/{name}"));
                pod_path(namespace, "-")?
            }
            HistorySubject::Cluster => "/clustervitals/cluster".to_owned(),
        };
        let workload = workload.as_deref().map(|workload| ("workload", workload));
        let query = query(workload.iter().chain(parameters).copied());
        self.get(&format!("{object}/history{query}"), "history")
            .await
    }

    /// A pod.
    ///
    /// # Errors
    /// The request failed.
    pub async fn pod(&self, namespace: &str, name: &str) -> Result<PodVitals, Error> {
        self.get(&pod_path(namespace, name)?, "podvitals").await
    }

    /// Why a pod has a value of one of its own metrics, or has none. `series` selects series of it.
    ///
    /// # Errors
    /// The request failed.
    pub async fn why_metric(
        &self,
        (namespace, name): (&str, &str),
        metric: &str,
        series: Option<&str>,
    ) -> Result<WhyResponse, Error> {
        let selector = series.map(|series| ("metricLabelSelector", series));
        let parameters = std::iter::once(("metric", metric)).chain(selector);
        let path = format!(
            "{}/{SUBRESOURCE}{}",
            pod_path(namespace, name)?,
            query(parameters)
        );
        let json: Value = self.get(&path, "why").await?;
        let why = Why::deserialize(&json).map_err(Error::unreadable)?;
        Ok(WhyResponse { why, json })
    }

    /// A node.
    ///
    /// # Errors
    /// The request failed.
    pub async fn node(&self, name: &str) -> Result<NodeVitals, Error> {
        self.get(&node_path(name)?, "nodevitals").await
    }

    /// The selected pods, each converted while the list arrives.
    ///
    /// # Errors
    /// The request failed, or the response is not a list.
    pub async fn pods<T: Send>(
        &self,
        query: PodQuery<'_>,
        convert: impl Fn(PodVitals) -> T + Sync,
    ) -> Result<Vec<T>, Error> {
        let mut path = match query.namespace {
            "" => "/podvitals".to_owned(),
            namespace => {
                segment("namespace", namespace)?;
                format!("/namespaces/{}/podvitals", escaped(namespace))
            }
        };
        let labels = Some(("labelSelector", query.labels)).filter(|(_, labels)| !labels.is_empty());
        path.push_str(&self::query(labels.iter().chain(query.parameters).copied()));
        let mut reader = JsonItems::new(|object: &[u8]| {
            let pod = serde_json::from_slice(object).map_err(Error::unreadable)?;
            Ok(convert(pod))
        });
        let about = About::list("podvitals.kubevitals.io");
        self.client
            .read_list(&vitals_path(&path), JSON, about, &mut reader)
            .await?;
        Ok(reader.items)
    }

    async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        resource: &'static str,
    ) -> Result<T, Error> {
        let about = About { resource, name: "" };
        self.client.parsed(&vitals_path(path), JSON, about).await
    }
}

/// A query string; empty without parameters.
fn query<'a>(parameters: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (name, value) in parameters {
        text.push(if text.is_empty() { '?' } else { '&' });
        text.push_str(&format!("{name}={}", escaped(value)));
    }
    text
}

fn pod_path(namespace: &str, name: &str) -> Result<String, Error> {
    segment("namespace", namespace)?;
    segment("resource name", name)?;
    let (namespace, name) = (escaped(namespace), escaped(name));
    Ok(format!("/namespaces/{namespace}/podvitals/{name}"))
}

fn node_path(name: &str) -> Result<String, Error> {
    segment("resource name", name)?;
    Ok(format!("/nodevitals/{}", escaped(name)))
}
