//! The source for every cluster: watches of the API server. Usage comes from metrics.k8s.io.

use std::time::Duration;

use kubevitals_proto::objects::{
    Job, WireEvent, WireJob, WireNode, WirePod, WireWorkload, lenient,
};
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::attempts::Attempts;
use super::client::escaped;
use super::detail::detail;
use super::hpa::WireHpa;
use super::item::{Collection, Item};
use super::message_sender::MessageSender;
use super::metrics_api::METADATA_LIST;
use super::pods::PodList;
use super::reduced::{Reduced, Rows, reduced};
use super::status::About;
use super::watch::{Lists, Watch};
use super::{ApiClient, Error, MetricsApi};
use crate::model::row::{NodeRow, PodRow, Replicas};
use crate::model::{
    Batch, Change, Detail, Event, Fault, FaultKind, Key, Message, Name, Part, SourceRequest,
};

/// The time between two lists of namespaces.
const NAMESPACES: Duration = Duration::from_secs(60);

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
}

impl Kubernetes {
    /// Sends everything except usage, for ever.
    pub(super) async fn run(&self, requests: &mut mpsc::Receiver<SourceRequest>) {
        tokio::join!(
            self.nodes(),
            self.pods(),
            self.jobs(),
            self.beside_vitals(),
            self.answer(requests),
        );
    }

    /// Sends the kinds that no vitals-server serves, for ever. Both sources use it.
    pub(super) async fn beside_vitals(&self) {
        tokio::join!(self.hpas(), self.workloads(), self.namespaces());
    }

    /// Requests a list of kubevitals.io as rows.
    ///
    /// # Errors
    /// The request failed, or the response is not a list.
    pub(super) async fn list<R: Reduced>(
        &self,
        path: &str,
        resource: &'static str,
    ) -> Result<Rows<R>, Error> {
        let body = self.metrics.body(path, resource).await?;
        reduced(&body, self.sender.names())
    }

    /// A watch of a cluster-wide kind, or of all namespaces.
    pub(super) fn watch(&self, collection: Collection, lists: Lists, part: Part) -> Watch<'_> {
        Watch {
            sender: &self.sender,
            client: &self.client,
            collection,
            lists,
            part,
            namespace: None,
            has_other: false,
        }
    }

    async fn nodes(&self) {
        let pools = &self.sender.pools;
        let row = |node: WireNode| Some(NodeRow::from_object(&node.convert(pools)?, &pools.names));
        let watch = self.watch(Collection("/api/v1/nodes"), Lists::Paged, Part::Nodes);
        watch.follow(&row, &Message::Nodes).await;
    }

    /// Sends one kind for ever: of all namespaces, or of one namespace while the list of all is forbidden.
    pub(super) async fn send_rows<K, R>(
        &self,
        collection: Collection,
        lists: Lists,
        part: Part,
        row: &(dyn Fn(K) -> Option<R> + Sync),
        message: &(dyn Fn(Batch<R>) -> Message + Sync),
    ) where
        K: Item,
        R: Send,
    {
        let of_one = Watch {
            namespace: Some(&self.namespace),
            ..self.watch(collection, lists, part)
        };
        if self.only {
            self.send_only(part, true).await;
            of_one.follow(row, message).await;
            return;
        }
        let of_all = Watch {
            has_other: true,
            ..self.watch(collection, lists, part)
        };
        let path = collection.path(None);
        loop {
            self.send_only(part, false).await;
            let denied = of_all.follow(row, message).await;
            self.send_only(part, true).await;
            tokio::select! {
                _ = of_one.follow(row, message) => {}
                () = self.until_allowed(part, &path, denied) => {}
            }
        }
    }

    /// Reports whether only the pods of one namespace are listed.
    async fn send_only(&self, part: Part, is_only: bool) {
        if part == Part::Pods {
            let only = is_only.then(|| Name::clone(&self.namespace));
            self.sender.send(Message::Only(only)).await;
        }
    }

    /// Waits until a list that was denied is allowed.
    async fn until_allowed(&self, part: Part, path: &str, denied: Error) {
        let mut attempts = if part == Part::Pods {
            Attempts::new(&self.sender, Part::OtherPods)
        } else {
            Attempts::silent(&self.sender)
        };
        let path = format!("{path}?limit=1");
        let mut error = denied;
        loop {
            attempts.failed_wait(&error).await;
            match self
                .client
                .get(&path, METADATA_LIST, About::default())
                .await
            {
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
        self.send_rows(
            Collection("/api/v1/pods"),
            Lists::Paged,
            Part::Pods,
            &row,
            &Message::Pods,
        )
        .await;
    }

    async fn hpas(&self) {
        let row = |hpa: WireHpa| hpa.row(self.sender.names());
        let collection = Collection("/apis/autoscaling/v2/horizontalpodautoscalers");
        self.send_rows(collection, Lists::Paged, Part::Hpas, &row, &Message::rows)
            .await;
    }

    async fn workloads(&self) {
        tokio::join!(
            self.workload(
                "Deployment",
                Collection("/apis/apps/v1/deployments"),
                Part::Deployments
            ),
            self.workload(
                "StatefulSet",
                Collection("/apis/apps/v1/statefulsets"),
                Part::StatefulSets
            ),
            self.workload(
                "DaemonSet",
                Collection("/apis/apps/v1/daemonsets"),
                Part::DaemonSets
            ),
        );
    }

    async fn workload(&self, kind: &'static str, collection: Collection, part: Part) {
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
        self.send_rows(collection, Lists::Paged, part, &row, &message)
            .await;
    }

    /// Jobs, which lead from pods to CronJobs.
    async fn jobs(&self) {
        let row = |job: WireJob| {
            let Job { key, cron_job } = job.convert(&self.sender.pools)?;
            Some((Key::new(&key.namespace, &key.name), cron_job))
        };
        let collection = Collection("/apis/batch/v1/jobs");
        self.send_rows(collection, Lists::Paged, Part::Jobs, &row, &Message::Jobs)
            .await;
    }

    /// The names of namespaces, for those without pods. Without permission, the dashboard shows the namespaces of the
    /// pods.
    async fn namespaces(&self) {
        let mut attempts = Attempts::new(&self.sender, Part::Namespaces);
        loop {
            attempts.begin();
            let about = About {
                resource: "namespaces",
                name: "",
            };
            let list = self
                .client
                .parsed::<PodList>("/api/v1/namespaces", METADATA_LIST, about)
                .await;
            match list {
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
    async fn answer(&self, requests: &mut mpsc::Receiver<SourceRequest>) {
        let pages = Pages::new(self);
        while let Some(request) = requests.recv().await {
            match request {
                SourceRequest::Detail(key, _) => match pages.detail(&key).await {
                    Some(Ok(detail)) => {
                        self.sender
                            .send(Message::Detail(key, Box::new(detail)))
                            .await;
                    }
                    Some(Err(why)) => self.sender.send(Message::NoDetail(key, why)).await,
                    None => {}
                },
                SourceRequest::Past(at, _) => {
                    let why = "only vitals-server remembers the past".to_owned();
                    self.sender.send(Message::NoPast(at, why)).await;
                }
                // This source sends everything and has no history.
                SourceRequest::Interest(_) | SourceRequest::History { .. } => {}
            }
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

#[derive(serde::Deserialize)]
struct Events {
    #[serde(default, deserialize_with = "lenient")]
    items: Vec<Option<WireEvent>>,
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
        let mut page = {
            let mut state = self.state.lock();
            let fresh = Page::new(&self.kubernetes.sender, Some(key.clone()));
            let page = std::mem::replace(&mut *state, fresh);
            if page.key.as_ref() == Some(key) {
                page
            } else {
                Page::new(&self.kubernetes.sender, Some(key.clone()))
            }
        };
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
            pod: Attempts::silent(sender),
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
        let Key {
            namespace, name, ..
        } = key;
        let path = format!(
            "/api/v1/namespaces/{}/pods/{}",
            escaped(namespace),
            escaped(name)
        );
        let fields = format!("involvedObject.kind=Pod,involvedObject.name={name}");
        let events = format!(
            "/api/v1/namespaces/{}/events?limit=200&fieldSelector={}",
            escaped(namespace),
            escaped(&fields)
        );
        self.events.begin();
        let (pod, events) = tokio::join!(
            kubernetes.metrics.parsed::<WirePod>(&path, "pods", name),
            async {
                if !self.events.is_due() {
                    return None;
                }
                let metrics = &kubernetes.metrics;
                Some(metrics.parsed::<Events>(&events, "events", "").await)
            }
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
                let events = events.items.into_iter().flatten();
                let events = events.filter_map(|event| event.convert(kubernetes.sender.names()));
                self.last = events.map(Into::into).collect();
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
