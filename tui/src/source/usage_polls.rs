//! Polls the usage of nodes and pods from metrics.k8s.io.

use std::time::Duration;

use futures::future::OptionFuture;
use kubevitals_proto::metrics::Version;
use kubevitals_proto::time::Timestamp;
use tokio::time::{Instant, sleep_until};

use super::attempts::Attempts;
use super::discovery::{self, Served};
use super::fault::Retry;
use super::kubernetes::{Kubernetes, is_denied};
use super::usage::Usage;
use super::{Error, Failure, PodUsage, Selection};
use crate::model::{
    Amounts, FaultKind, Message, Name, Names, Part, PodReading, Reading, Readings, SourceKind,
};

/// The time between two requests: metrics-server has new values every 15 s, or every minute by default.
const POLL: Duration = Duration::from_secs(10);

/// The time between two requests while there is no usage yet.
const POLL_FIRST: Duration = Duration::from_secs(2);

/// The number of failures in a row after which the source counts as one without usage.
const GONE_AFTER: u32 = 2;

/// One polled list.
struct Poll {
    attempts: Attempts,
    /// The number of failures in a row, and the kind of the last one.
    failures: u32,
    failure: Option<FaultKind>,
}

/// The polls of nodes and pods.
pub(super) struct UsagePolls<'a> {
    kubernetes: &'a Kubernetes,
    nodes: Poll,
    pods: Poll,
    version: Option<Version>,
    /// When the pods of all namespaces, which were denied, may be requested again.
    all_due: Instant,
    all_retry: Retry,
    /// The kind and the description that were sent last.
    named: Option<(SourceKind, String)>,
    no_better: String,
}

impl Poll {
    fn new(kubernetes: &Kubernetes, part: Part) -> Self {
        Self {
            attempts: Attempts::new(&kubernetes.sender, part),
            failures: 0,
            failure: None,
        }
    }

    /// Applies a result and returns the readings if it succeeded. `has_rows`: whether there are rows to show usage on.
    async fn apply<T>(&mut self, result: Result<Vec<T>, Error>, has_rows: bool) -> Option<Vec<T>> {
        match result {
            Ok(found) => {
                let wait = if found.is_empty() || !has_rows {
                    POLL_FIRST
                } else {
                    POLL
                };
                (self.failures, self.failure) = (0, None);
                self.attempts.again_after(wait);
                Some(found)
            }
            Err(error) => {
                self.fail(&error).await;
                None
            }
        }
    }

    async fn fail(&mut self, error: &Error) {
        self.failures += 1;
        self.failure = Some(error.fault().kind);
        self.attempts.failed(error).await;
    }
}

impl<'a> UsagePolls<'a> {
    /// Polls of a cluster that serves `served`. `no_better` is why the source is not kubevitals.io; empty if that needs
    /// no mention.
    pub(super) fn new(kubernetes: &'a Kubernetes, served: &Served, no_better: &str) -> Self {
        let mut pods = Poll::new(kubernetes, Part::Usage);
        pods.failure = match served.metrics {
            Some(_) => None,
            None if served.metrics_stale => Some(FaultKind::Unavailable),
            None => Some(FaultKind::NotFound),
        };
        Self {
            kubernetes,
            nodes: Poll::new(kubernetes, Part::NodeUsage),
            pods,
            version: served.metrics,
            all_due: Instant::now(),
            all_retry: Retry::new(kubernetes.sender.random),
            named: None,
            no_better: no_better.to_owned(),
        }
    }

    /// Sends the kind of source before the first request.
    pub(super) async fn announce(&mut self) {
        let kind = self
            .version
            .map_or(SourceKind::None, |_| SourceKind::Metrics);
        self.name(kind).await;
    }

    /// Polls for ever.
    pub(super) async fn run(mut self) {
        if self.polls().next().is_none() {
            return;
        }
        loop {
            self.request_due().await;
            let due = self.polls().map(|poll| poll.attempts.due()).min();
            let Some(due) = due else { return };
            tokio::select! {
                () = sleep_until(due) => {}
                () = self.kubernetes.sender.reconnected() => {
                    self.nodes.attempts.again_after(Duration::ZERO);
                    self.pods.attempts.again_after(Duration::ZERO);
                }
            }
        }
    }

    /// The polls of the parts that are read.
    fn polls(&self) -> impl Iterator<Item = &Poll> {
        let polls = [(Part::NodeUsage, &self.nodes), (Part::Usage, &self.pods)];
        let subset = &self.kubernetes.subset;
        let is_read = |part| subset.has(SourceKind::Metrics, part);
        polls
            .into_iter()
            .filter_map(move |(part, poll)| is_read(part).then_some(poll))
    }

    /// How often in a row every poll has failed.
    fn failures(&self) -> u32 {
        let failures = self.polls().map(|poll| poll.failures);
        failures.min().unwrap_or_default()
    }

    /// Requests the usage that is due and sends it.
    async fn request_due(&mut self) {
        self.nodes.attempts.begin();
        self.pods.attempts.begin();
        let version = match self.version().await {
            Ok(version) => version,
            Err(error) => {
                self.nodes.fail(&error).await;
                self.pods.fail(&error).await;
                return self.rename().await;
            }
        };
        let has = |part| self.kubernetes.subset.has(SourceKind::Metrics, part);
        let nodes_due = has(Part::NodeUsage) && self.nodes.attempts.is_due();
        let pods_due = has(Part::Usage) && self.pods.attempts.is_due();
        let wide = !self.kubernetes.only && Instant::now() >= self.all_due;
        let nodes = OptionFuture::from(nodes_due.then(|| self.node_readings(version)));
        let pods = OptionFuture::from(pods_due.then(|| self.pods_of(version, wide)));
        let (nodes, pods) = tokio::join!(nodes, pods);
        let has_rows = |part| self.kubernetes.sender.has_sent(part);
        let mut readings = Readings::default();
        if let Some(nodes) = nodes {
            readings.nodes = self.nodes.apply(nodes, has_rows(Part::Nodes)).await;
        }
        if let Some((pods, denied)) = pods {
            if let Some(error) = denied {
                let wait = self.all_retry.delay(&error);
                self.all_due = Instant::now() + self.kubernetes.sender.real(wait);
            } else if wide && pods.is_ok() {
                self.all_retry.reset();
            }
            readings.pods = self.pods.apply(pods, has_rows(Part::Pods)).await;
        }
        if readings.nodes.is_some() || readings.pods.is_some() {
            self.kubernetes.sender.send(Message::Usage(readings)).await;
        }
        // A client that waits for the usage then knows the source of it.
        self.rename().await;
        if nodes_due && self.nodes.failures == 0 {
            self.nodes.attempts.succeeded().await;
        }
        if pods_due && self.pods.failures == 0 {
            self.pods.attempts.succeeded().await;
        }
    }

    /// The usage of all pods, or, if that is denied, of the pods of one namespace, with the denial.
    async fn pods_of(
        &self,
        version: Version,
        wide: bool,
    ) -> (Result<Vec<PodReading>, Error>, Option<Error>) {
        let mut denied = None;
        if wide {
            match self.pod_readings(version, "").await {
                Err(error) if is_denied(&error) && self.kubernetes.subset.is_everything() => {
                    denied = Some(error);
                }
                result => return (result, None),
            }
        }
        let own = self.pod_readings(version, &self.kubernetes.namespace).await;
        (own, denied)
    }

    /// The usage of all nodes, sorted.
    async fn node_readings(&self, version: Version) -> Result<Vec<Reading>, Error> {
        let Kubernetes {
            metrics, sender, ..
        } = self.kubernetes;
        let nodes = metrics.nodes(version, Selection::default()).await?;
        let nodes = nodes.iter();
        let mut nodes: Vec<_> = nodes
            .map(|node| reading(sender.names(), &node.name, node.timestamp, node.usage))
            .collect();
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(nodes)
    }

    /// The usage of the pods of a namespace, sorted; an empty namespace stands for all.
    async fn pod_readings(
        &self,
        version: Version,
        namespace: &str,
    ) -> Result<Vec<PodReading>, Error> {
        let Kubernetes {
            metrics, sender, ..
        } = self.kubernetes;
        let names = sender.names();
        let convert = |pod: PodUsage| PodReading {
            namespace: names.intern(&pod.namespace),
            name: Name::from(pod.name),
            at: pod.timestamp,
            containers: pod
                .containers
                .iter()
                .map(|container| reading(names, &container.name, pod.timestamp, container.usage))
                .collect(),
        };
        let all = Selection::default();
        let mut pods = metrics.pods_as(version, namespace, all, convert).await?;
        // metrics-server lists pods in any order.
        pods.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
        Ok(pods)
    }

    /// The served version. Discovery runs again when both polls fail.
    async fn version(&mut self) -> Result<Version, Error> {
        let fails = self.failures() > 0;
        if let Some(version) = self.version.filter(|_| !fails) {
            return Ok(version);
        }
        let served = match discovery::served(&self.kubernetes.client).await {
            Ok(served) => served,
            // Without permission for discovery, the most common version is tried.
            Err(error) if error.fault().kind.is_refusal() => Served {
                metrics: Some(Version::V1beta1),
                ..Served::default()
            },
            Err(error) => return Err(error),
        };
        self.version = served.metrics;
        self.version.ok_or_else(|| {
            let (code, message) = if served.metrics_stale {
                (503, "metrics.k8s.io does not answer")
            } else {
                (404, "the cluster has no metrics.k8s.io")
            };
            Error::Server(Failure {
                code,
                message: message.to_owned(),
                ..Failure::default()
            })
        })
    }

    /// Updates the kind of source after a result.
    async fn rename(&mut self) {
        let failures = self.failures();
        if failures == 0 {
            self.name(SourceKind::Metrics).await;
        } else if failures >= GONE_AFTER {
            self.name(SourceKind::None).await;
        }
    }

    async fn name(&mut self, kind: SourceKind) {
        let mut why = match (kind, self.version, self.pods.failure) {
            (SourceKind::Metrics, Some(version), _) => {
                format!("metrics.k8s.io/{}", version.as_str())
            }
            (_, _, Some(FaultKind::NotFound)) => "the cluster has no metrics.k8s.io".to_owned(),
            (_, _, Some(FaultKind::Forbidden)) => "metrics.k8s.io is forbidden".to_owned(),
            _ => "metrics.k8s.io does not answer".to_owned(),
        };
        if !self.no_better.is_empty() {
            why.push_str(&format!("; {}", self.no_better));
        }
        let named = Some((kind, why.clone()));
        if self.named != named {
            self.named = named;
            let source = Message::Source(kind, why);
            self.kubernetes.sender.send(source).await;
        }
    }
}

/// Converts the usage of a node or container.
fn reading(names: &Names, name: &str, at: Timestamp, usage: Usage) -> Reading {
    Reading {
        name: names.intern(name),
        at,
        usage: Amounts {
            cpu: usage.cpu.into(),
            memory: usage.memory.into(),
        },
        swap: Some(usage.swap).filter(|swap| !swap.is_zero()).into(),
    }
}
