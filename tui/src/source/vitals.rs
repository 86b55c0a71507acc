//! kubevitals.io: a vitals-server tells everything, and remembers it.

use std::time::Duration;

use kube::Api;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{
    ClusterVitals, GROUP, History, Incident, NodeVitals, PodVitals, VERSION,
};
use tokio::sync::mpsc;

use super::choose::first_line;
use super::client::escaped;
use super::kubernetes::Kubernetes;
use super::reduced::{Reduced, reduced};
use super::told::{Told, ToldCluster};
use super::watch::{self, GivenUp, follow};
use super::{Error, vitals_path};
use crate::model::row::{ClusterRow, IncidentRow, NodeRow, PodRow};
use crate::model::{Ask, Batch, Detail, Extent, Field, Key, Message, Part, Past, Sort, Subject};

/// Above so many pods, the server chooses which of them are told of.
const MANY: u64 = 20_000;

/// How many of very many are told of.
const CHOSEN: u64 = 1_000;

/// How often those are asked for anew, and the cluster as a whole.
const POLL: Duration = Duration::from_secs(5);

/// How many steps of the past are asked for at first, for sparklines.
const TREND: u32 = 120;

/// A step of a history is not shorter than this, in seconds: there are no readings between.
const LEAST_STEP: i64 = 15;

/// A cluster with a vitals-server.
pub(super) struct Vitals {
    pub(super) kubernetes: Kubernetes,
}

impl Vitals {
    /// Tells of everything, for ever.
    pub(super) async fn run(self, asks: mpsc::Receiver<Ask>) {
        let (order, ordered) = tokio::sync::watch::channel(Sort {
            field: Field::Cpu,
            descending: true,
        });
        tokio::join!(
            self.cluster(),
            self.nodes(),
            self.pods(ordered),
            self.incidents(),
            self.kubernetes.hpas(),
            self.kubernetes.workloads(),
            self.kubernetes.namespaces(),
            self.answer(asks, order),
        );
    }

    async fn get<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        resource: &'static str,
    ) -> Result<T, Error> {
        self.kubernetes.metrics.parsed(path, resource, "").await
    }

    async fn cluster(&self) {
        loop {
            let teller = &self.kubernetes.teller;
            match self
                .get::<ClusterVitals>(&vitals_path("/clustervitals/cluster"), "clustervitals")
                .await
            {
                Ok(cluster) => {
                    teller.up().await;
                    teller
                        .tell(Message::Cluster(ClusterRow::from_vitals(&cluster)))
                        .await;
                }
                Err(error) => self.failed(Part::Cluster, &error).await,
            }
            teller.sleep(POLL).await;
        }
    }

    async fn failed(&self, part: Part, error: &Error) {
        let teller = &self.kubernetes.teller;
        let why = first_line(&error.to_string());
        match error {
            Error::Refused(_) | Error::Unreachable(_) => teller.lost(why, None).await,
            _ => teller.trouble(part, why).await,
        }
    }

    async fn nodes(&self) {
        let kubernetes = &self.kubernetes;
        let teller = &kubernetes.teller;
        loop {
            let api = Api::<ToldCluster<NodeVitals>>::all(kubernetes.client.kube());
            let row = |told: ToldCluster<NodeVitals>| {
                Some(NodeRow::from_vitals(&told.told, &teller.names))
            };
            let past = self.trends("/nodevitals", false);
            let (gone, ()) = tokio::join!(
                follow(
                    teller,
                    api,
                    watch::Lists::Streamed,
                    Part::Nodes,
                    row,
                    Message::Nodes
                ),
                past
            );
            kubernetes.given_up(Part::Nodes, gone).await;
        }
    }

    /// All pods, or the first of very many.
    async fn pods(&self, ordered: tokio::sync::watch::Receiver<Sort>) {
        let kubernetes = &self.kubernetes;
        let teller = &kubernetes.teller;
        let mut only = kubernetes.only;
        loop {
            if !only && let Some(total) = self.very_many().await {
                self.top(total, ordered.clone()).await;
                continue;
            }
            teller.tell(Message::Extent(None)).await;
            let client = kubernetes.client.kube();
            let api = if only {
                Api::namespaced(client, &kubernetes.namespace)
            } else {
                Api::all(client)
            };
            let row = |told: Told<PodVitals>| Some(PodRow::from_vitals(&told.told, &teller.names));
            let path = if only {
                format!("/namespaces/{}/podvitals", kubernetes.namespace)
            } else {
                "/podvitals".to_owned()
            };
            let past = self.trends(&path, true);
            let (gone, ()) = tokio::join!(
                follow(
                    teller,
                    api,
                    watch::Lists::Streamed,
                    Part::Pods,
                    row,
                    Message::Pods
                ),
                past
            );
            match gone {
                GivenUp::Forbidden(_) if !only => {
                    only = true;
                    let why = format!(
                        "you may not list those of all namespaces; here are those of {}",
                        kubernetes.namespace
                    );
                    teller.trouble(Part::Pods, why).await;
                }
                gone => kubernetes.given_up(Part::Pods, gone).await,
            }
        }
    }

    /// How many pods there are, if that is too many to be told of all.
    async fn very_many(&self) -> Option<u64> {
        let cluster = self
            .get::<ClusterVitals>(&vitals_path("/clustervitals/cluster"), "clustervitals")
            .await;
        cluster
            .ok()
            .map(|cluster| cluster.pods.total)
            .filter(|total| *total > MANY)
    }

    /// Tells of the pods that come first, as long as there are very many.
    async fn top(&self, mut total: u64, mut ordered: tokio::sync::watch::Receiver<Sort>) {
        let teller = &self.kubernetes.teller;
        let mut rounds = 0_u32;
        loop {
            let sort = *ordered.borrow_and_update();
            let (by, word) = sort_by(sort.field);
            let path = vitals_path(&format!("/podvitals?sortBy={by}&limit={CHOSEN}"));
            match self.list::<PodRow>(&path, "podvitals").await {
                Ok((rows, trends)) => {
                    teller.up().await;
                    teller
                        .tell(Message::Extent(Some(Extent { total, by: word })))
                        .await;
                    teller.tell(Message::Pods(Batch::All(rows))).await;
                    teller.tell(Message::Trends(trends)).await;
                }
                Err(error) => self.failed(Part::Pods, &error).await,
            }
            tokio::select! {
                () = teller.sleep(POLL) => {}
                _ = ordered.changed() => {}
            }
            rounds += 1;
            if rounds.is_multiple_of(12) {
                match self.very_many().await {
                    Some(now) => total = now,
                    None => return,
                }
            }
        }
    }

    async fn list<R: Reduced>(
        &self,
        path: &str,
        resource: &'static str,
    ) -> Result<super::reduced::Rows<R>, Error> {
        let body = self.kubernetes.metrics.body(path, resource).await?;
        reduced(&body, &self.kubernetes.teller.names)
    }

    /// Tells once what the server remembers of everything, for sparklines; the dashboard goes on from there.
    async fn trends(&self, path: &str, pods: bool) {
        let path = vitals_path(&format!("{path}?trend={TREND}"));
        let trends = if pods {
            self.list::<PodRow>(&path, "podvitals")
                .await
                .map(|(_, trends)| trends)
        } else {
            self.list::<NodeRow>(&path, "nodevitals")
                .await
                .map(|(_, trends)| trends)
        };
        // Without, sparklines grow from now on.
        if let Ok(trends) = trends {
            self.kubernetes.teller.tell(Message::Trends(trends)).await;
        }
    }

    async fn incidents(&self) {
        let kubernetes = &self.kubernetes;
        let teller = &kubernetes.teller;
        loop {
            let client = kubernetes.client.kube();
            let api = if kubernetes.only {
                Api::namespaced(client, &kubernetes.namespace)
            } else {
                Api::all(client)
            };
            let row = |told: Told<Incident>| Some(IncidentRow::new(told.told));
            let gone = follow(
                teller,
                api,
                watch::Lists::Streamed,
                Part::Incidents,
                row,
                Message::Incidents,
            )
            .await;
            kubernetes.given_up(Part::Incidents, gone).await;
        }
    }

    /// Answers what the dashboard asks.
    async fn answer(&self, mut asks: mpsc::Receiver<Ask>, order: tokio::sync::watch::Sender<Sort>) {
        while let Some(ask) = asks.recv().await {
            match ask {
                Ask::Past(at) => self.past(at).await,
                Ask::History {
                    subject,
                    since,
                    until,
                    steps,
                } => self.history(subject, since, until, steps).await,
                Ask::Detail(key, at) => self.detail(key, at).await,
                Ask::Order(sort) => {
                    let _ = order.send(sort);
                }
                // Everything is told of as it is.
                Ask::Namespace(_) => {}
            }
        }
    }

    async fn past(&self, at: Timestamp) {
        let time = at.to_rfc3339_seconds();
        let kubernetes = &self.kubernetes;
        let pods = if kubernetes.only {
            format!("/namespaces/{}/podvitals?at={time}", kubernetes.namespace)
        } else {
            format!("/podvitals?at={time}")
        };
        let nodes = vitals_path(&format!("/nodevitals?at={time}"));
        let cluster = vitals_path(&format!("/clustervitals/cluster?at={time}"));
        let pods = vitals_path(&pods);
        let (pods, nodes, cluster) = tokio::join!(
            self.list::<PodRow>(&pods, "podvitals"),
            self.list::<NodeRow>(&nodes, "nodevitals"),
            self.get::<ClusterVitals>(&cluster, "clustervitals")
        );
        let message = match (pods, nodes) {
            (Ok((pods, _)), Ok((nodes, _))) => Message::Past(Box::new(Past {
                at,
                pods,
                nodes,
                incidents: None,
                cluster: cluster
                    .ok()
                    .map(|cluster| ClusterRow::from_vitals(&cluster)),
            })),
            (Err(error), _) | (_, Err(error)) => {
                Message::NoPast(at, first_line(&error.to_string()))
            }
        };
        kubernetes.teller.tell(message).await;
    }

    async fn history(&self, subject: Subject, since: Timestamp, until: Timestamp, steps: u32) {
        let of = match &subject {
            Subject::Cluster => "/clustervitals/cluster".to_owned(),
            Subject::Node(name) => format!("/nodevitals/{}", escaped(name)),
            Subject::Pod(key) => format!(
                "/namespaces/{}/podvitals/{}",
                escaped(&key.namespace),
                escaped(&key.name)
            ),
        };
        let span = until.since(since) / 1_000_000_000;
        let step = (span / i64::from(steps.max(1))).max(LEAST_STEP);
        let path = format!(
            "{of}/history?since={}&until={}&step={step}s",
            since.to_rfc3339_seconds(),
            until.to_rfc3339_seconds()
        );
        match self.get::<History>(&vitals_path(&path), "history").await {
            Ok(history) => {
                let teller = &self.kubernetes.teller;
                teller
                    .tell(Message::History(subject, Box::new(history)))
                    .await;
            }
            // What is gone has no past any more; that is no trouble.
            Err(Error::Server(failure)) if failure.code == 404 => {}
            Err(error) => self.failed(Part::History, &error).await,
        }
    }

    async fn detail(&self, key: Key, at: Option<Timestamp>) {
        let query = at.map_or(String::new(), |at| {
            format!("?at={}", at.to_rfc3339_seconds())
        });
        let path = format!(
            "/namespaces/{}/podvitals/{}{query}",
            escaped(&key.namespace),
            escaped(&key.name)
        );
        let path = vitals_path(&path);
        let (pod, beside) = tokio::join!(
            self.get::<PodVitals>(&path, "podvitals"),
            self.kubernetes.detail(&key)
        );
        let mut detail = match (pod, beside) {
            (Ok(mut pod), beside) => {
                let beside = beside.unwrap_or_default();
                if at.is_some() {
                    // How they were then nobody remembers; what they ask has not changed.
                    pod.probes = beside.pod.probes;
                }
                Detail { pod, ..beside }
            }
            (Err(_), Some(beside)) => beside,
            (Err(_), None) => return,
        };
        detail.pod.trend = None;
        self.kubernetes
            .teller
            .tell(Message::Detail(key, Box::new(detail)))
            .await;
    }
}

/// The server's word for an order, and ours. What it cannot order by is ordered by CPU.
fn sort_by(field: Field) -> (&'static str, &'static str) {
    match field {
        Field::Memory => ("memory", "memory"),
        Field::Restarts | Field::Recent => ("restarts", "restarts"),
        Field::CpuOfLimit => ("cpuOfLimit", "CPU of limit"),
        Field::MemoryOfLimit => ("memoryOfLimit", "memory of limit"),
        Field::CpuOfRequest => ("cpuOfRequest", "CPU of request"),
        Field::MemoryOfRequest => ("memoryOfRequest", "memory of request"),
        Field::Name | Field::Namespace => ("name", "name"),
        _ => ("cpu", "CPU"),
    }
}

/// The group and version, for messages.
pub(super) fn group_version() -> String {
    format!("{GROUP}/{VERSION}")
}
