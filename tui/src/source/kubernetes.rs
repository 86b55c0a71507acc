//! Any cluster: slim watches of what there is, and metrics.k8s.io for what it uses.

use std::fmt::Debug;
use std::time::Duration;

use kube::Api;
use kube::api::ListParams;
use kube::core::NamespaceResourceScope;
use kubevitals_proto::metrics::Version;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;

use super::client::escaped;
use super::slim::{
    DaemonSet, Deployment, SlimEvent, SlimHpa, SlimNode, SlimPod, StatefulSet, detail,
};
use super::teller::Teller;
use super::usage::Usage;
use super::watch::{GivenUp, Lists, follow};
use super::words::{explained, first_line, is_forbidden, may_not};
use super::{ApiClient, Error, MetricsApi, Selection};
use crate::model::row::Replicas;
use crate::model::{
    Amounts, Ask, Batch, Change, Detail, Key, Message, Name, Part, PodReading, Reading, Readings,
};

/// How often metrics are asked for: metrics-server has new ones every 15 s, or every minute as it is usually set up.
const POLL: Duration = Duration::from_secs(10);

/// How soon they are asked for again while there are none yet.
const POLL_FIRST: Duration = Duration::from_secs(2);

/// How soon something is tried again that is forbidden: rights may be given.
const FORBIDDEN_AGAIN: Duration = Duration::from_secs(60);

/// A cluster that is asked.
#[derive(Clone)]
pub(super) struct Kubernetes {
    pub(super) teller: Teller,
    pub(super) client: ApiClient,
    pub(super) metrics: MetricsApi,
    /// The version of metrics.k8s.io, if there is one.
    pub(super) version: Option<Version>,
    /// The namespace of the kubeconfig or the flag.
    pub(super) namespace: Name,
    /// Whether only that is asked for.
    pub(super) only: bool,
}

impl Kubernetes {
    /// Tells of everything, for ever.
    pub(super) async fn run(self, asks: &mut mpsc::Receiver<Ask>) {
        tokio::join!(
            self.nodes(),
            self.pods(),
            self.usage(),
            self.hpas(),
            self.workloads(),
            self.namespaces(),
            self.answer(asks),
        );
    }

    async fn nodes(&self) {
        loop {
            let api = Api::<SlimNode>::all(self.client.kube());
            let names = &self.teller.names;
            let gone = follow(
                &self.teller,
                api,
                Lists::Paged,
                Part::Nodes,
                |node| node.row(names),
                Message::Nodes,
            )
            .await;
            self.given_up(Part::Nodes, gone).await;
        }
    }

    /// Tells of a kind for ever: of all there are, or those of one namespace where only that may be seen.
    pub(super) async fn tell_of<K, R>(
        &self,
        (lists, part): (Lists, Part),
        row: impl Fn(K) -> Option<R>,
        message: impl Fn(Batch<R>) -> Message,
    ) where
        K: kube::Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + Debug
            + DeserializeOwned
            + Send
            + 'static,
    {
        let mut only = self.only;
        loop {
            let client = self.client.kube();
            let api = if only {
                Api::<K>::namespaced(client, &self.namespace)
            } else {
                Api::all(client)
            };
            match follow(&self.teller, api, lists, part, &row, &message).await {
                GivenUp::Forbidden(_) if !only => {
                    only = true;
                    if part == Part::Pods {
                        self.only_own_pods().await;
                    }
                }
                gone => self.given_up(part, gone).await,
            }
        }
    }

    /// Says that only the pods of one namespace may be seen.
    pub(super) async fn only_own_pods(&self) {
        let why = format!(
            "you may not list those of all namespaces; here are those of {}",
            self.namespace
        );
        self.teller.trouble(Part::OtherPods, why).await;
    }

    async fn pods(&self) {
        let row = |pod: SlimPod| pod.row(&self.teller.names, self.teller.now());
        self.tell_of((Lists::Paged, Part::Pods), row, Message::Pods)
            .await;
    }

    pub(super) async fn hpas(&self) {
        let row = |hpa: SlimHpa| hpa.row(&self.teller.names);
        self.tell_of((Lists::Paged, Part::Hpas), row, Message::Hpas)
            .await;
    }

    pub(super) async fn workloads(&self) {
        tokio::join!(
            self.workload::<Deployment>("Deployment", Part::Deployments),
            self.workload::<StatefulSet>("StatefulSet", Part::StatefulSets),
            self.workload::<DaemonSet>("DaemonSet", Part::DaemonSets),
        );
    }

    async fn workload<K>(&self, kind: &'static str, part: Part)
    where
        K: kube::Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + Debug
            + DeserializeOwned
            + Send
            + 'static,
        for<'a> Replicas: From<&'a K>,
    {
        let kind = Name::from(kind);
        let names = &self.teller.names;
        let row = |workload: K| {
            let meta = workload.meta();
            let namespace = names.intern(meta.namespace.as_deref()?);
            let key = Key::new(&namespace, &names.intern(meta.name.as_deref()?)).part(&kind);
            Some((key, Replicas::from(&workload)))
        };
        let message = |batch: Batch<(Key, Replicas)>| {
            Message::Replicas(match batch {
                Batch::All(all) => all
                    .into_iter()
                    .map(|(key, replicas)| (key, Some(replicas)))
                    .collect(),
                Batch::Some(changes) => changes
                    .into_iter()
                    .map(|change| match change {
                        Change::Put((key, replicas)) => (key, Some(replicas)),
                        Change::Gone(key) => (key.part(&kind), None),
                    })
                    .collect(),
            })
        };
        self.tell_of((Lists::Paged, part), row, message).await;
    }

    /// Namespaces, for those that have no pods. Who may not see them has those of the pods.
    pub(super) async fn namespaces(&self) {
        let api: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(self.client.kube());
        loop {
            if let Ok(list) = api.list_metadata(&ListParams::default()).await {
                let names = list
                    .items
                    .into_iter()
                    .filter_map(|namespace| namespace.metadata.name);
                self.teller
                    .tell(Message::Namespaces(names.map(Name::from).collect()))
                    .await;
                self.teller.fine(Part::Namespaces).await;
            }
            self.teller.sleep(FORBIDDEN_AGAIN).await;
        }
    }

    /// Says that a part cannot be had, and waits until it may be.
    pub(super) async fn given_up(&self, part: Part, gone: GivenUp) {
        let why = match gone {
            GivenUp::Forbidden(why) => may_not(&why).unwrap_or(why),
            GivenUp::Missing => "the cluster does not serve them".to_owned(),
        };
        self.teller.trouble(part, why).await;
        self.teller.sleep(FORBIDDEN_AGAIN).await;
    }

    async fn usage(&self) {
        let Some(version) = self.version else { return };
        let mut only = self.only;
        loop {
            let all = Selection::default();
            let namespace = if only { &*self.namespace } else { "" };
            let (nodes, pods) = tokio::join!(
                self.metrics.nodes(version, all),
                self.metrics.pods(version, namespace, all)
            );
            if pods.as_ref().is_err_and(is_forbidden) && !only {
                only = true;
                continue;
            }
            let mut wait = POLL;
            match (nodes, pods) {
                (Err(error @ (Error::Refused(_) | Error::Unreachable(_))), _) => {
                    let again = self.teller.after(POLL);
                    self.teller
                        .lost(first_line(&error.to_string()), Some(again))
                        .await;
                }
                (nodes, pods) => {
                    let wrong = [nodes.as_ref().err(), pods.as_ref().err()]
                        .into_iter()
                        .flatten()
                        .next();
                    let wrong = wrong.map(explained);
                    let readings =
                        self.readings(nodes.unwrap_or_default(), pods.unwrap_or_default());
                    if readings.nodes.is_empty() && readings.pods.is_empty() {
                        wait = POLL_FIRST;
                    }
                    if wrong.is_none() || !readings.nodes.is_empty() || !readings.pods.is_empty() {
                        self.teller.up().await;
                        self.teller.tell(Message::Usage(readings)).await;
                    }
                    for part in [Part::Usage, Part::NodeUsage] {
                        match &wrong {
                            Some(why) => self.teller.trouble(part, why.clone()).await,
                            None => self.teller.fine(part).await,
                        }
                    }
                }
            }
            self.teller.sleep(wait).await;
        }
    }

    fn readings(&self, nodes: Vec<super::NodeUsage>, pods: Vec<super::PodUsage>) -> Readings {
        let names = &self.teller.names;
        let reading = |name: &str, at, usage: Usage| Reading {
            name: names.intern(name),
            at,
            usage: Amounts {
                cpu: usage.cpu.into(),
                memory: usage.memory.into(),
            },
            swap: Some(usage.swap).filter(|swap| !swap.is_zero()).into(),
        };
        Readings {
            nodes: nodes
                .iter()
                .map(|node| reading(&node.name, node.measured, node.usage))
                .collect(),
            pods: pods
                .iter()
                .map(|pod| PodReading {
                    namespace: names.intern(&pod.namespace),
                    name: Name::from(pod.name.as_str()),
                    at: pod.measured,
                    containers: pod
                        .containers
                        .iter()
                        .map(|container| reading(&container.name, pod.measured, container.usage))
                        .collect(),
                })
                .collect(),
        }
    }

    /// Answers what the dashboard asks.
    async fn answer(&self, asks: &mut mpsc::Receiver<Ask>) {
        while let Some(ask) = asks.recv().await {
            match ask {
                Ask::Detail(key, _) => {
                    if let Some(detail) = self.detail(&key).await {
                        self.teller
                            .tell(Message::Detail(key, Box::new(detail)))
                            .await;
                    }
                }
                Ask::Past(at, _) => {
                    let why = "only vitals-server remembers the past".to_owned();
                    self.teller.tell(Message::NoPast(at, why)).await;
                }
                // Everything is told of as it is.
                Ask::Look(_) | Ask::History { .. } => {}
            }
        }
    }

    /// All there is to know of a pod from itself and its events; nothing if it is not there.
    pub(super) async fn detail(&self, key: &Key) -> Option<Detail> {
        let path = format!(
            "/api/v1/namespaces/{}/pods/{}",
            escaped(&key.namespace),
            escaped(&key.name)
        );
        let fields = format!("involvedObject.kind=Pod,involvedObject.name={}", key.name);
        let events = format!(
            "/api/v1/namespaces/{}/events?limit=200&fieldSelector={}",
            escaped(&key.namespace),
            escaped(&fields)
        );
        let (pod, events) = tokio::join!(
            self.metrics.parsed::<SlimPod>(&path, "pods", &key.name),
            self.metrics.parsed::<Events>(&events, "events", "")
        );
        let mut found = detail(&pod.ok()?);
        match events {
            Ok(events) => {
                found.events = events.items.into_iter().map(Into::into).collect();
                found
                    .events
                    .sort_by_key(|event| std::cmp::Reverse(event.last));
                self.teller.fine(Part::Events).await;
            }
            Err(error) => self.teller.trouble(Part::Events, explained(&error)).await,
        }
        Some(found)
    }
}

#[derive(serde::Deserialize)]
struct Events {
    #[serde(default)]
    items: Vec<SlimEvent>,
}
