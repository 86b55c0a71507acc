//! The source for every cluster: watches of the API server. Usage comes from metrics.k8s.io.

use std::sync::Arc;
use std::time::Duration;

use futures::future::OptionFuture;
use kubevitals_proto::objects::{Job, WireEvent, WireJob, WireNode, WirePod, WireWorkload};
use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};

use super::attempts::Attempts;
use super::client::{JSON, escaped};
use super::detail::detail;
use super::facts::FactPages;
use super::hpa::WireHpa;
use super::item::{Collection, Item};
use super::json_items::JsonItems;
use super::message_sender::MessageSender;
use super::metrics_api::METADATA_LIST;
use super::pods::PodList;
use super::reduced::{Reduced, Rows, reduced};
use super::status::About;
use super::subset::{Subset, only_if};
use super::watch::Watch;
use super::{ApiClient, Error, MetricsApi};
use crate::model::row::{NodeRow, PodRow, Replicas};
use crate::model::{
    Batch, Change, Detail, Event, Fault, FaultKind, Key, Message, Name, Part, SourceKind,
    SourceRequest,
};

/// The time between two lists of namespaces.
const NAMESPACES: Duration = Duration::from_secs(60);

const NODES: Collection = Collection::paged("/api/v1/nodes", Part::Nodes);
const PODS: Collection = Collection::paged("/api/v1/pods", Part::Pods);
const JOBS: Collection = Collection::paged("/apis/batch/v1/jobs", Part::Jobs);
const DEPLOYMENTS: Collection = Collection::paged("/apis/apps/v1/deployments", Part::Deployments);
const STATEFUL_SETS: Collection =
    Collection::paged("/apis/apps/v1/statefulsets", Part::StatefulSets);
const DAEMON_SETS: Collection = Collection::paged("/apis/apps/v1/daemonsets", Part::DaemonSets);
const HPAS: Collection =
    Collection::paged("/apis/autoscaling/v2/horizontalpodautoscalers", Part::Hpas);

/// A cluster and the means to read it.
#[derive(Clone)]
pub(super) struct Kubernetes {
    pub(super) sender: MessageSender,
    pub(super) client: ApiClient,
    pub(super) metrics: MetricsApi,
    /// The namespace of the kubeconfig or the flag.
    pub(super) namespace: Name,
    /// Whether only this namespace is listed.
    pub(super) only: bool,
    /// What is read.
    pub(super) subset: Arc<Subset>,
    /// Whether volumes are on the screen. Commands read what they print at once.
    pub(super) volumes_on_screen: Arc<watch::Sender<bool>>,
}

impl Kubernetes {
    /// Sends everything except usage, for ever.
    pub(super) async fn run(&self, requests: &mut mpsc::Receiver<SourceRequest>) {
        let has = |part| self.subset.has(SourceKind::Metrics, part);
        tokio::join!(
            only_if(has(Part::Nodes), self.nodes()),
            only_if(has(Part::Pods), self.pods()),
            only_if(has(Part::Jobs), self.jobs()),
            self.beside_vitals(SourceKind::Metrics),
            self.serve(requests),
        );
    }

    /// Sends the kinds that no vitals-server serves, for ever. Both sources use it.
    pub(super) async fn beside_vitals(&self, kind: SourceKind) {
        let has = |part| self.subset.has(kind, part);
        tokio::join!(
            only_if(has(Part::Hpas), self.hpas()),
            only_if(
                has(Part::Deployments),
                self.workload("Deployment", DEPLOYMENTS)
            ),
            only_if(
                has(Part::StatefulSets),
                self.workload("StatefulSet", STATEFUL_SETS)
            ),
            only_if(
                has(Part::DaemonSets),
                self.workload("DaemonSet", DAEMON_SETS)
            ),
            only_if(has(Part::Namespaces), self.namespaces()),
            only_if(has(Part::Claims), self.volumes(kind)),
        );
    }

    /// Requests a list of kubevitals.io as rows.
    ///
    /// # Errors
    /// The request failed, or the response is not a list.
    pub(super) async fn list<R: Reduced>(&self, path: &str) -> Result<Rows<R>, Error> {
        let names = self.sender.names();
        let stat = self.subset.stat();
        let mut reader = JsonItems::new(|object: &[u8]| reduced::<R>(object, names, stat));
        let about = About::list(R::RESOURCE);
        self.client
            .read_list(path, JSON, about, &mut reader)
            .await?;
        let (rows, histories): (Vec<R>, Vec<_>) = reader.items.into_iter().unzip();
        Ok((rows, histories.into_iter().flatten().collect()))
    }

    /// A watch of a cluster-wide kind, or of all namespaces.
    pub(super) fn watch(&self, collection: Collection) -> Watch<'_> {
        Watch {
            sender: &self.sender,
            client: &self.client,
            collection,
            namespace: None,
            query: self.subset.query(collection.part),
            has_other: false,
        }
    }

    async fn nodes(&self) {
        let pools = &self.sender.pools;
        let row = |node: WireNode| Some(NodeRow::from_object(&node.convert(pools)?, &pools.names));
        self.watch(NODES).follow(&row, &Message::Nodes).await;
    }

    /// Sends one kind for ever: of all namespaces, or of one namespace while the list of all is forbidden.
    pub(super) async fn send_rows<K, R>(
        &self,
        collection: Collection,
        row: &(dyn Fn(K) -> Option<R> + Sync),
        message: &(dyn Fn(Batch<R>) -> Message + Sync),
    ) where
        K: Item,
        R: Send,
    {
        let of_one = Watch {
            namespace: Some(&self.namespace),
            ..self.watch(collection)
        };
        if self.only {
            self.send_only(collection, true).await;
            of_one.follow(row, message).await;
            return;
        }
        let of_all = Watch {
            // A command says that all namespaces are denied, and prints nothing instead of one.
            has_other: self.subset.is_everything(),
            ..self.watch(collection)
        };
        loop {
            self.send_only(collection, false).await;
            let denied = of_all.follow(row, message).await;
            self.send_only(collection, true).await;
            tokio::select! {
                _ = of_one.follow(row, message) => {}
                () = self.until_allowed(collection, denied) => {}
            }
        }
    }

    /// Reports whether only the pods of one namespace are listed.
    async fn send_only(&self, collection: Collection, is_only: bool) {
        if collection.part == Part::Pods {
            let only = is_only.then(|| Name::clone(&self.namespace));
            self.sender.send(Message::Only(only)).await;
        }
    }

    /// Waits until a list that was denied is allowed.
    async fn until_allowed(&self, collection: Collection, denied: Error) {
        let part = (collection.part == Part::Pods).then_some(Part::OtherPods);
        let mut attempts = Attempts::new(&self.sender, part);
        let path = format!("{}?limit=1", collection.path(None));
        let mut error = denied;
        loop {
            attempts.failed_wait(&error).await;
            let list = self.client.get(&path, METADATA_LIST, About::default());
            match list.await {
                Ok(_) => return attempts.succeeded().await,
                Err(again) => error = again,
            }
        }
    }

    async fn pods(&self) {
        let pools = &self.sender.pools;
        let row = |pod: WirePod| {
            let pod = pod.convert(pools)?;
            Some(PodRow::from_object(&pod, &pools.names, self.sender.now()))
        };
        self.send_rows(PODS, &row, &Message::Pods).await;
    }

    async fn hpas(&self) {
        let row = |hpa: WireHpa| hpa.row(self.sender.names());
        self.send_rows(HPAS, &row, &Message::rows).await;
    }

    async fn workload(&self, kind: &'static str, collection: Collection) {
        let kind = Name::from(kind);
        let names = self.sender.names();
        let row = |workload: WireWorkload| {
            let namespace = names.intern(workload.namespace());
            let key = Key::new(&namespace, &names.intern(workload.name())).part(&kind);
            let replicas = Replicas {
                desired: workload.desired(),
                ready: workload.ready(),
            };
            Some((key, replicas))
        };
        let message = |batch: Batch<(Key, Replicas)>| {
            let changes = match batch {
                Batch::All(all) => all.into_iter().map(Change::Put).collect(),
                Batch::Some(changes) => changes,
            };
            let changes = changes.into_iter().map(|change| match change {
                Change::Put((key, replicas)) => (key, Some(replicas)),
                Change::Gone(key) => (key.part(&kind), None),
            });
            Message::Replicas(changes.collect())
        };
        self.send_rows(collection, &row, &message).await;
    }

    /// Jobs, which lead from pods to CronJobs.
    async fn jobs(&self) {
        let row = |job: WireJob| {
            let pools = &self.sender.pools;
            let Job { key, cron_job } = job.convert(pools)?;
            let name = pools.names.intern(&key.name);
            Some((Key::new(&key.namespace, &name), cron_job))
        };
        self.send_rows(JOBS, &row, &Message::Jobs).await;
    }

    /// The names of namespaces, for those without pods. Without permission, the dashboard shows the namespaces of the
    /// pods.
    async fn namespaces(&self) {
        let mut attempts = Attempts::new(&self.sender, Part::Namespaces);
        loop {
            attempts.begin();
            let about = About::list("namespaces");
            let list = self
                .client
                .parsed::<PodList>("/api/v1/namespaces", METADATA_LIST, about);
            match list.await {
                Ok(list) => {
                    let names = list.items.into_iter();
                    let names = names.map(|namespace| Name::from(namespace.metadata.name));
                    self.sender.send(Message::Namespaces(names.collect())).await;
                    attempts.succeeded().await;
                    self.sender.sleep(NAMESPACES).await;
                }
                Err(error) => attempts.failed_wait(&error).await,
            }
        }
    }

    /// Serves the dashboard's requests.
    async fn serve(&self, requests: &mut mpsc::Receiver<SourceRequest>) {
        let facts = FactPages::new(&self.sender, &self.client, None);
        let pages = Pages::new(self);
        while let Some(request) = requests.recv().await {
            let message = match request {
                SourceRequest::Detail(key, _) => match pages.detail(&key).await {
                    Some(Ok(detail)) => Message::Detail(key, Box::new(detail)),
                    Some(Err(why)) => Message::NoDetail(key, why),
                    None => continue,
                },
                SourceRequest::Before(at, _) => Message::NoBefore(at),
                SourceRequest::Facts(scope) => facts.facts(scope).await,
                SourceRequest::Past(at, _) => {
                    Message::NoPast(at, "only vitals-server remembers the past".to_owned())
                }
                SourceRequest::Volumes(on_screen) => {
                    self.volumes_on_screen.send_replace(on_screen);
                    continue;
                }
                // This source sends everything and has no history.
                SourceRequest::Interest(_)
                | SourceRequest::Nodes(_)
                | SourceRequest::History { .. }
                | SourceRequest::OwnMetrics { .. } => continue,
            };
            self.sender.send(message).await;
        }
    }
}

/// The pages of pods, from the API server. The dashboard requests the open page again and again; after failures a
/// back-off applies.
pub(super) struct Pages<'a> {
    kubernetes: &'a Kubernetes,
    state: Mutex<Page>,
}

struct Page {
    key: Option<Key>,
    /// Why the last request for the pod failed.
    why: Option<Fault>,
    /// The last events. They stay while requests for them fail.
    last: Vec<Event>,
    pod: Attempts,
    events: Attempts,
}

impl<'a> Pages<'a> {
    pub(super) fn new(kubernetes: &'a Kubernetes) -> Self {
        Self {
            kubernetes,
            state: Mutex::new(Page::new(&kubernetes.sender, None)),
        }
    }

    /// The detail of a pod from its object and its events, or the failure. None while the back-off lasts and no failure
    /// is stored.
    pub(super) async fn detail(&self, key: &Key) -> Option<Result<Detail, Fault>> {
        let fresh = || Page::new(&self.kubernetes.sender, Some(key.clone()));
        let mut page = std::mem::replace(&mut *self.state.lock(), fresh());
        if page.key.as_ref() != Some(key) {
            page = fresh();
        }
        let found = page.request(self.kubernetes, key).await;
        *self.state.lock() = page;
        found
    }
}

impl Page {
    fn new(sender: &MessageSender, key: Option<Key>) -> Self {
        Self {
            key,
            why: None,
            last: Vec::new(),
            pod: Attempts::new(sender, None),
            events: Attempts::new(sender, Part::Events),
        }
    }

    async fn request(
        &mut self,
        kubernetes: &Kubernetes,
        key: &Key,
    ) -> Option<Result<Detail, Fault>> {
        if !self.pod.is_due() {
            // A page that is opened again gets the stored failure at once.
            return self.why.clone().map(Err);
        }
        let (metrics, name) = (&kubernetes.metrics, &key.name);
        let namespace = format!("/api/v1/namespaces/{}", escaped(&key.namespace));
        let path = format!("{namespace}/pods/{}", escaped(name));
        let fields = format!("involvedObject.kind=Pod,involvedObject.name={name}");
        let fields = escaped(&fields);
        let events = format!("{namespace}/events?fieldSelector={fields}");
        let events = async {
            let (mut all, names) = (Vec::new(), kubernetes.sender.names());
            let take = |page: Vec<WireEvent>| {
                let page = page.into_iter().filter_map(|event| event.convert(names));
                all.extend(page.map(Event::from));
            };
            let read = kubernetes.client.read_pages(&events, "events", take);
            read.await.map(|_| all)
        };
        self.events.begin();
        let (pod, events) = tokio::join!(
            metrics.parsed::<WirePod>(&path, "pods", name),
            OptionFuture::from(self.events.is_due().then_some(events))
        );
        let pod = match pod {
            Ok(pod) => pod,
            Err(error) => {
                self.pod.failed(&error).await;
                self.events.failed(&error).await;
                self.why = Some(error.fault());
                return self.why.clone().map(Err);
            }
        };
        self.pod.succeeded().await;
        self.why = None;
        let sender = &kubernetes.sender;
        let mut found = detail(pod, &sender.pools, sender.now());
        match events {
            Some(Ok(events)) => {
                self.last = events;
                self.last.sort_by_key(|event| std::cmp::Reverse(event.last));
                self.events.succeeded().await;
            }
            Some(Err(error)) => self.events.failed(&error).await,
            None => {}
        }
        found.events.clone_from(&self.last);
        Some(Ok(found))
    }
}

/// Whether the API server denied the request.
pub(super) fn is_denied(error: &Error) -> bool {
    error.fault().kind == FaultKind::Forbidden
}
