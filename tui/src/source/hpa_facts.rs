//! What the page of a HorizontalPodAutoscaler shows: its conditions and events, who serves the APIs of its metrics, and
//! why a pod has no value of one.

use kubevitals_proto::backoff::random;
use kubevitals_proto::objects::{WireCondition, WireEvent, lenient};
use serde::Deserialize;
use tokio::sync::mpsc;

use super::client::{JSON, escaped};
use super::facts::Reading;
use super::hpa::WireHpa;
use super::message_sender::MessageSender;
use super::status::About;
use super::{ApiClient, Error, Failure, PodQuery, VitalsApi};
use crate::clock::Clock;
use crate::model::row::{HpaRow, MetricKind};
use crate::model::{Event, HpaFacts, Key, MetricApi, MetricFacts, MetricServer};

/// The largest number of events that are read.
const MAX_EVENTS: usize = 50;

/// The most metrics of an HPA, the first ones, that are explained.
const MAX_EXPLAINED: usize = 10;

/// The versions of the APIs of metrics, in the order in which the controller prefers them.
const VERSIONS: [(&str, &[&str]); 3] = [
    ("metrics.k8s.io", &["v1", "v1beta1"]),
    ("custom.metrics.k8s.io", &["v1beta2", "v1beta1"]),
    ("external.metrics.k8s.io", &["v1beta1"]),
];

#[derive(Deserialize, Default)]
#[serde(default)]
struct ApiService {
    #[serde(deserialize_with = "lenient")]
    spec: Option<Spec>,
    #[serde(deserialize_with = "lenient")]
    status: Option<Status>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Spec {
    #[serde(deserialize_with = "lenient")]
    service: Option<Service>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Service {
    #[serde(deserialize_with = "lenient")]
    namespace: String,
    #[serde(deserialize_with = "lenient")]
    name: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    #[serde(deserialize_with = "lenient")]
    conditions: Vec<Option<WireCondition>>,
}

#[derive(Deserialize)]
struct Events {
    #[serde(default, deserialize_with = "lenient")]
    items: Vec<Option<WireEvent>>,
}

/// Requests an HPA and what its page shows, and what of it could not be read. `has_vitals` is whether the cluster serves
/// kubevitals.io.
///
/// # Errors
/// The HPA cannot be read.
pub async fn read_hpa(
    client: ApiClient,
    clock: Clock,
    has_vitals: bool,
    key: &Key,
) -> Result<(HpaRow, HpaFacts, Vec<String>), Error> {
    // Nobody reads the messages.
    let sender = MessageSender::new(mpsc::channel(1).0, clock, random);
    let vitals = has_vitals.then(|| VitalsApi::new(client.clone()));
    let mut reading = Reading::new(&sender, &client, vitals.as_ref());
    match reading.hpa(key).await {
        Some((row, facts)) => Ok((row, facts, reading.missing)),
        None => Err(reading
            .failure
            .unwrap_or_else(|| Error::unreadable("it is no HorizontalPodAutoscaler"))),
    }
}

impl<'a> Reading<'a> {
    /// An HPA and all about its metrics.
    pub(super) async fn hpa(&mut self, key: &Key) -> Option<(HpaRow, HpaFacts)> {
        let (namespace, name) = (escaped(&key.namespace), escaped(&key.name));
        let path =
            format!("/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers/{name}");
        let hpa = self.get::<WireHpa>(&path, "horizontalpodautoscalers", &key.name);
        let hpa = hpa.await?;
        let (conditions, selectors) = (hpa.conditions(), hpa.selectors());
        let row = hpa.row(self.sender.names())?;
        let mut apis = Vec::new();
        for (group, versions) in VERSIONS {
            if row.metrics.iter().any(|it| it.kind.group() == group) {
                let server = self.server(group, versions).await;
                apis.push(MetricApi { group, server });
            }
        }
        let has_own = row.metrics.iter().any(|it| it.kind == MetricKind::Pods);
        let pod = if has_own {
            self.pod_of(&row).await
        } else {
            None
        };
        let mut selectors = selectors.into_iter();
        let mut metrics = Vec::new();
        for metric in &row.metrics {
            let selector = match metric.kind {
                MetricKind::Pods => selectors.next(),
                _ => None,
            };
            let why = match (&pod, selector) {
                (Some((vitals, pod)), Some(selector)) if metrics.len() < MAX_EXPLAINED => {
                    let series = Some(&*selector).filter(|selector| !selector.is_empty());
                    let of_pod = (&*key.namespace, pod.as_str());
                    let why = vitals.why_metric(of_pod, &metric.name, series).await;
                    why.ok().map(|response| (pod.clone(), response.why))
                }
                _ => None,
            };
            metrics.push(MetricFacts {
                metric: metric.clone(),
                why,
            });
        }
        let facts = HpaFacts {
            conditions,
            metrics,
            apis,
            events: self.events_of(key).await,
        };
        Some((row, facts))
    }

    /// Who serves an API group. A user without permission for APIServices does not learn it.
    async fn server(&self, group: &str, versions: &[&str]) -> MetricServer {
        for version in versions {
            let name = format!("{version}.{group}");
            let path = format!("/apis/apiregistration.k8s.io/v1/apiservices/{name}");
            let about = About {
                resource: "apiservices",
                name: &name,
            };
            match self.client.parsed::<ApiService>(&path, JSON, about).await {
                Ok(service) => return service.server(),
                Err(Error::Server(Failure { code: 404, .. })) => {}
                Err(_) => return MetricServer::Unknown,
            }
        }
        MetricServer::Nobody
    }

    /// A pod of the target, and the client that explains its metrics.
    async fn pod_of(&self, hpa: &HpaRow) -> Option<(&'a VitalsApi, String)> {
        let vitals = self.vitals?;
        let workload = format!("{}/{}", hpa.target_kind, hpa.target);
        let parameters = [("workload", &*workload), ("sortBy", "cpu"), ("limit", "1")];
        let query = PodQuery {
            namespace: &hpa.namespace,
            labels: "",
            parameters: &parameters,
        };
        let pods = vitals.pods(query, |pod| pod.metadata.name).await.ok()?;
        Some((vitals, pods.into_iter().next()?))
    }

    /// The events of an HPA, newest first.
    async fn events_of(&mut self, key: &Key) -> Vec<Event> {
        let fields = format!(
            "involvedObject.kind=HorizontalPodAutoscaler,involvedObject.name={}",
            key.name
        );
        let path = format!(
            "/api/v1/namespaces/{}/events?limit={MAX_EVENTS}&fieldSelector={}",
            escaped(&key.namespace),
            escaped(&fields)
        );
        let events = self.get::<Events>(&path, "events", "").await;
        let events = events.into_iter().flat_map(|events| events.items).flatten();
        let events = events.filter_map(|event| event.convert(self.sender.names()));
        let mut events: Vec<Event> = events.map(Into::into).collect();
        events.sort_by_key(|event| std::cmp::Reverse(event.last));
        events
    }
}

impl ApiService {
    fn server(self) -> MetricServer {
        let service = self.spec.and_then(|spec| spec.service);
        let name = match service {
            Some(Service { namespace, name }) => format!("{namespace}/{name}"),
            None => "the kube-apiserver".to_owned(),
        };
        let conditions = self.status.map(|status| status.conditions);
        let mut conditions = conditions.into_iter().flatten().flatten();
        let available = conditions.find(|condition| condition.kind == "Available");
        match available {
            Some(condition) if condition.status == "False" => {
                MetricServer::Unavailable(name, condition.message)
            }
            _ => MetricServer::Available(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_service_says_who_serves_a_group() {
        let of = |json: &str| serde_json::from_str::<ApiService>(json).unwrap().server();
        let ours = r#""spec":{"service":{"namespace":"kube-system","name":"vitals-server"}}"#;
        for (json, expected) in [
            (
                format!("{{{ours}}}"),
                MetricServer::Available("kube-system/vitals-server".to_owned()),
            ),
            (
                format!(
                    r#"{{{ours},"status":{{"conditions":[null,{{"type":"Available","status":"False","message":"no endpoints"}}]}}}}"#
                ),
                MetricServer::Unavailable(
                    "kube-system/vitals-server".to_owned(),
                    "no endpoints".to_owned(),
                ),
            ),
            (
                r#"{"spec":7,"status":[]}"#.to_owned(),
                MetricServer::Available("the kube-apiserver".to_owned()),
            ),
        ] {
            assert_eq!(of(&json), expected, "{json}");
        }
    }
}
