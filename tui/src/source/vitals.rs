//! The source for clusters with a vitals-server: kubevitals.io has everything, with history.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{
    Availability, ClusterVitals, GROUP, History, Incident, NodeVitals, PodVitals, VERSION,
};
use tokio::sync::{Mutex, mpsc, watch};

use super::attempts::Attempts;
use super::client::{JSON, escaped};
use super::facts::FactPages;
use super::item::{Collection, at_query, pod_vitals_path, span_query};
use super::json_items::JsonItems;
use super::kubernetes::{Kubernetes, Pages, is_denied};
use super::own_metrics::OwnMetricsPages;
use super::pod_selection::{POLL, PodSelection};
use super::reduced::Reduced;
use super::selection_limits::SelectionLimits;
use super::status::About;
use super::subset::only_if;
use super::{Error, VitalsApi, vitals_path};
use crate::model::row::{AvailabilityCells, ClusterRow, IncidentRow, NodeRow, PodRow};
use crate::model::{
    Detail, FaultKind, Interest, Key, Message, Names, Part, SourceKind, SourceRequest, Subject,
};

/// The largest number of requests in flight.
const MAX_IN_FLIGHT: usize = 16;

/// The steps of the history that sparklines start with.
const TREND: u32 = 120;

/// The number of rows, those with the highest usage, that get this history. The sparklines of others start empty.
const TRENDS: u32 = 1_000;

/// How often the request for this history is tried.
const TRIES: u32 = 3;

/// How often availability is read.
const AVAILABILITY_POLL: Duration = Duration::from_secs(60);

const NODES: Collection =
    Collection::streamed("/apis/kubevitals.io/v1alpha1/nodevitals", Part::Nodes);
const PODS: Collection = Collection::streamed("/apis/kubevitals.io/v1alpha1/podvitals", Part::Pods);
const INCIDENTS: Collection =
    Collection::streamed("/apis/kubevitals.io/v1alpha1/incidents", Part::Incidents);

/// What is on the screen, as far as it decides what the source sends.
struct OnScreen {
    /// The pods to send, if there are too many to send all.
    interest: watch::Sender<Interest>,
    /// Whether nodes are on the screen.
    nodes: watch::Sender<bool>,
}

/// A cluster with a vitals-server.
pub(super) struct Vitals {
    pub(super) kubernetes: Kubernetes,
    pub(super) selection: PodSelection,
    /// Whether the server selects the pods at present.
    pub(super) selects: AtomicBool,
}

impl Vitals {
    /// A source on this cluster. The server selects pods above the limits.
    pub(super) fn new(kubernetes: Kubernetes, limits: SelectionLimits) -> Self {
        // Without the cluster's totals, all pods are sent.
        let has_total = kubernetes.subset.has(SourceKind::Vitals, Part::Cluster);
        let total = if has_total { None } else { Some(0) };
        Self {
            selection: PodSelection {
                kubernetes: kubernetes.clone(),
                limits,
                total: watch::Sender::new(total),
            },
            kubernetes,
            selects: AtomicBool::new(false),
        }
    }

    /// Sends messages about everything, for ever.
    pub(super) async fn run(self, requests: &mut mpsc::Receiver<SourceRequest>) {
        let on_screen = OnScreen {
            interest: watch::Sender::default(),
            nodes: watch::Sender::new(true),
        };
        let has = |part| self.has(part);
        tokio::join!(
            only_if(has(Part::Cluster), self.cluster()),
            only_if(has(Part::Nodes), self.nodes(on_screen.nodes.subscribe())),
            only_if(has(Part::Pods), self.pods(on_screen.interest.subscribe())),
            only_if(has(Part::Incidents), self.incidents()),
            only_if(has(Part::Availability), self.availability()),
            self.kubernetes.beside_vitals(SourceKind::Vitals),
            self.serve(requests, &on_screen),
        );
    }

    /// Whether the current state of a part is read.
    fn has(&self, part: Part) -> bool {
        self.kubernetes.subset.has(SourceKind::Vitals, part)
    }

    pub(super) async fn get<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        resource: &'static str,
    ) -> Result<T, Error> {
        self.kubernetes.metrics.parsed(path, resource, "").await
    }

    async fn cluster(&self) {
        let sender = &self.kubernetes.sender;
        let path = vitals_path("/clustervitals/cluster");
        let mut attempts = Attempts::new(sender, Part::Cluster);
        loop {
            attempts.begin();
            match self.get::<ClusterVitals>(&path, "clustervitals").await {
                Ok(cluster) => {
                    self.selection.total.send_replace(Some(cluster.pods.total));
                    let row = ClusterRow::from_vitals(&cluster);
                    sender.send(Message::Cluster(row)).await;
                    attempts.succeeded().await;
                    sender.sleep(POLL).await;
                }
                Err(error) => {
                    // Without permission the total is unknown: the source requests all pods that it may list. A busy
                    // server is not requested to list all pods of a cluster that may be large.
                    if !error.fault().kind.is_overload() {
                        self.selection
                            .total
                            .send_if_modified(|total| total.replace(total.unwrap_or(0)).is_none());
                    }
                    attempts.failed_wait(&error).await;
                }
            }
        }
    }

    /// The availability of all workloads, from time to time: it changes every second, and slowly.
    async fn availability(&self) {
        let kubernetes = &self.kubernetes;
        let sender = &kubernetes.sender;
        let span = kubernetes.subset.availability_span();
        let namespace = match kubernetes.only {
            true => format!("/namespaces/{}", escaped(&kubernetes.namespace)),
            false => String::new(),
        };
        let path = vitals_path(&format!("{namespace}/availabilities?span={span}"));
        let mut attempts = Attempts::new(sender, Part::Availability);
        loop {
            attempts.begin();
            let names = sender.names();
            let mut reader = JsonItems::new(|object: &[u8]| {
                let object = serde_json::from_slice(object).map_err(Error::unreadable)?;
                Ok(row_of_availability(&object, names))
            });
            let about = About::list("availabilities.kubevitals.io");
            let read = kubernetes.client.read_list(&path, JSON, about, &mut reader);
            match read.await {
                Ok(_) => {
                    sender.send(Message::Availability(reader.items)).await;
                    attempts.succeeded().await;
                    sender.sleep(AVAILABILITY_POLL).await;
                }
                Err(error) => attempts.failed_wait(&error).await,
            }
        }
    }

    /// Nodes. Those of a large cluster change hundreds of times a second, so once they have been listed, the source
    /// follows them only while they are on the screen.
    async fn nodes(&self, mut on_screen: watch::Receiver<bool>) {
        let names = self.kubernetes.sender.names();
        let row = |node: NodeVitals| Some(NodeRow::from_vitals(&node, names));
        let watch = self.kubernetes.watch(NODES);
        let mut are_new = true;
        loop {
            let past = async {
                if !are_new {
                    // The history fills the gap before the first readings, so these come first.
                    self.kubernetes.sender.sleep(POLL).await;
                }
                self.trends::<NodeRow>("/nodevitals").await;
            };
            tokio::select! {
                _ = async { tokio::join!(watch.follow(&row, &Message::Nodes), past) } => {}
                () = self.until_nodes_are_hidden(&mut on_screen) => {}
            }
            are_new = false;
            let _ = on_screen.wait_for(|on_screen| *on_screen).await;
        }
    }

    /// Waits until a large cluster's nodes, which have been listed, are not on the screen.
    async fn until_nodes_are_hidden(&self, on_screen: &mut watch::Receiver<bool>) {
        let sender = &self.kubernetes.sender;
        while *on_screen.borrow_and_update()
            || !sender.has_succeeded(Part::Nodes)
            || !self.selection.is_needed()
        {
            tokio::select! {
                _ = on_screen.changed() => {}
                () = sender.sleep(POLL) => {}
            }
        }
    }

    /// All pods, or a selection if there are too many.
    async fn pods(&self, interests: watch::Receiver<Interest>) {
        let kubernetes = &self.kubernetes;
        let only = kubernetes.only;
        let mut totals = self.selection.total.subscribe();
        // The total decides between a selection and all pods.
        let _ = totals.wait_for(Option::is_some).await;
        loop {
            if !only && self.selection.is_needed() {
                self.selects.store(true, Ordering::Relaxed);
                self.selection.run(interests.clone()).await;
                self.selects.store(false, Ordering::Relaxed);
                continue;
            }
            kubernetes.sender.send(Message::Extent(None)).await;
            tokio::select! {
                () = self.all_pods() => {}
                _ = totals.wait_for(|total| !only && self.selection.limits.is_exceeded(*total)) => {}
            }
        }
    }

    async fn all_pods(&self) {
        let names = self.kubernetes.sender.names();
        let row = |pod: PodVitals| Some(PodRow::from_vitals(&pod, names));
        let own = format!("/namespaces/{}/podvitals", self.kubernetes.namespace);
        let all = if self.kubernetes.only {
            own.as_str()
        } else {
            "/podvitals"
        };
        let past = async {
            if !self.trends::<PodRow>(all).await {
                self.trends::<PodRow>(&own).await;
            }
        };
        let pods = self.kubernetes.send_rows(PODS, &row, &Message::Pods);
        tokio::join!(pods, past);
    }

    /// Sends the recent history of all rows once, for sparklines; the dashboard continues it. After some failures the
    /// sparklines start empty. Returns false if the request is denied.
    async fn trends<R: Reduced>(&self, path: &str) -> bool {
        if !self.has(Part::History) {
            return true;
        }
        let path = vitals_path(&format!("{path}?trend={TREND}&sortBy=cpu&limit={TRENDS}"));
        for _ in 0..TRIES {
            let sender = &self.kubernetes.sender;
            match self.kubernetes.list::<R>(&path).await {
                Ok((_, trends)) => {
                    sender.send(Message::Trends(trends)).await;
                    return true;
                }
                Err(error) if is_denied(&error) => return false,
                Err(_) => sender.sleep(POLL).await,
            }
        }
        true
    }

    async fn incidents(&self) {
        let row = |incident: Incident| Some(IncidentRow::new(incident));
        self.kubernetes
            .send_rows(INCIDENTS, &row, &Message::Incidents)
            .await;
    }

    /// Serves the dashboard's requests, several at once, because one can take long.
    async fn serve(&self, requests: &mut mpsc::Receiver<SourceRequest>, on_screen: &OnScreen) {
        let pages = Pages::new(&self.kubernetes);
        let vitals = VitalsApi::new(self.kubernetes.client.clone());
        let facts = FactPages::new(
            &self.kubernetes.sender,
            &self.kubernetes.client,
            Some(vitals),
        );
        let own_metrics = OwnMetricsPages::new(&self.kubernetes.sender);
        let history = Mutex::new(Attempts::new(&self.kubernetes.sender, Part::History));
        let mut in_flight = FuturesUnordered::new();
        loop {
            tokio::select! {
                request = requests.recv(), if in_flight.len() < MAX_IN_FLIGHT => match request {
                    Some(SourceRequest::Interest(interest)) => {
                        // An equal interest is no change: requests in flight for it continue.
                        on_screen.interest.send_if_modified(|current| std::mem::replace(current, *interest) != *current);
                    }
                    Some(SourceRequest::Nodes(are_shown)) => {
                        on_screen.nodes.send_replace(are_shown);
                    }
                    Some(SourceRequest::Volumes(are_shown)) => {
                        self.kubernetes.volumes_on_screen.send_replace(are_shown);
                    }
                    Some(request) => in_flight.push(self.serve_one(request, (&pages, &facts, &own_metrics), &history)),
                    None => break,
                },
                Some(()) = in_flight.next() => {}
            }
        }
        while in_flight.next().await.is_some() {}
    }

    async fn serve_one(
        &self,
        request: SourceRequest,
        (pages, facts, own_metrics): (&Pages<'_>, &FactPages<'_>, &OwnMetricsPages),
        history: &Mutex<Attempts>,
    ) {
        match request {
            SourceRequest::Past(at, interest) => {
                let message = match self.past(at, *interest).await {
                    Ok(past) => Message::Past(Box::new(past)),
                    Err(error) => Message::NoPast(at, error.fault().text),
                };
                self.kubernetes.sender.send(message).await;
            }
            SourceRequest::Before(at, interest) => {
                let past = self.past(at, *interest).await;
                let message = past.map_or(Message::NoBefore(at), |past| {
                    Message::Before(Box::new(past))
                });
                self.kubernetes.sender.send(message).await;
            }
            SourceRequest::History {
                subject,
                since,
                until,
                steps,
            } => {
                // One at a time, so that the back-off after a failure applies to the next.
                let mut attempts = history.lock().await;
                if attempts.is_due() {
                    let span = (since, until);
                    self.history(subject, span, steps, &mut attempts).await;
                }
            }
            SourceRequest::Detail(key, at) => self.detail(key, at, pages).await,
            SourceRequest::OwnMetrics {
                pod,
                since,
                until,
                steps,
            } => {
                let span = (since, until);
                own_metrics
                    .request(&self.kubernetes, pod, span, steps)
                    .await;
            }
            SourceRequest::Facts(scope) => {
                let message = facts.facts(scope).await;
                self.kubernetes.sender.send(message).await;
            }
            // They change later messages and have no response.
            SourceRequest::Interest(_) | SourceRequest::Nodes(_) | SourceRequest::Volumes(_) => {}
        }
    }

    async fn history(
        &self,
        subject: Subject,
        (since, until): (Timestamp, Timestamp),
        steps: u32,
        attempts: &mut Attempts,
    ) {
        let of = match &subject {
            Subject::Cluster => vitals_path("/clustervitals/cluster"),
            Subject::Node(name) => vitals_path(&format!("/nodevitals/{}", escaped(name))),
            Subject::Pod(key) => pod_vitals_path(key, ""),
        };
        let path = format!("{of}/history?{}", span_query((since, until), steps));
        match self.get::<History>(&path, "history").await {
            Ok(history) => {
                let message = Message::History(subject, Box::new(history));
                self.kubernetes.sender.send(message).await;
                attempts.succeeded().await;
            }
            // A deleted object has no history; that is not a failure.
            Err(error) if error.fault().kind == FaultKind::NotFound => {}
            Err(error) => attempts.failed(&error).await,
        }
    }

    async fn detail(&self, key: Key, at: Option<Timestamp>, pages: &Pages<'_>) {
        let sender = &self.kubernetes.sender;
        let path = pod_vitals_path(&key, &at_query(at));
        let (pod, beside) = tokio::join!(
            self.get::<PodVitals>(&path, "podvitals"),
            pages.detail(&key)
        );
        let mut detail = match (pod, beside) {
            (Ok(mut pod), beside) => {
                let beside = beside.and_then(Result::ok).unwrap_or_default();
                if at.is_some() {
                    // The server does not store past probe statuses; the probes' actions have not changed.
                    pod.probes = beside.pod.probes;
                }
                Detail { pod, ..beside }
            }
            (Err(_), Some(Ok(beside))) => beside,
            (Err(_), Some(Err(why))) => return sender.send(Message::NoDetail(key, why)).await,
            (Err(_), None) => return,
        };
        detail.pod.trend = None;
        sender.send(Message::Detail(key, Box::new(detail))).await;
    }
}

/// The key of a workload, and its availability.
fn row_of_availability(object: &Availability, names: &Names) -> (Key, AvailabilityCells) {
    let workload = &object.workload;
    let namespace = names.intern(&object.metadata.namespace);
    let key = Key::new(&namespace, &names.intern(&workload.name));
    let key = key.part(&names.intern(&workload.kind));
    (key, AvailabilityCells::of(object))
}

/// The group and version, for messages.
pub(super) fn group_version() -> String {
    format!("{GROUP}/{VERSION}")
}
