//! The results of one node's last scrapes: sorted, immutable and small.

use std::num::NonZeroU16;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::metrics::encode::{Container, UsageRef, containers_len};
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};

use super::rate::{Lack, NoRate, Usage};
use crate::clock::Age;
use crate::cluster::PodKey;

/// Why a node, a pod or a container has no rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Absent {
    /// The last scrape did not contain all of it.
    Incomplete {
        /// The container; none for the node itself.
        container: Option<Arc<str>>,
        /// What is missing.
        lack: Lack,
    },
    /// It is complete, but has no rate yet.
    NoRate {
        /// The container; none for the node itself.
        container: Option<Arc<str>>,
        /// The reason.
        why: NoRate,
    },
    /// The last sample is stale.
    Stale,
    /// The kubelet did not report it, or the node was never scraped.
    NotReported,
}

impl Absent {
    /// The container that is the reason, if it is one.
    pub fn container(&self) -> Option<&str> {
        match self {
            Self::Incomplete { container, .. } | Self::NoRate { container, .. } => {
                container.as_deref()
            }
            Self::Stale | Self::NotReported => None,
        }
    }

    /// Whether a container has no rate because it is new or has restarted.
    pub(super) fn is_new_run(&self) -> bool {
        let why = match self {
            Self::NoRate { why, .. } => why,
            _ => return false,
        };
        matches!(why, NoRate::FirstPoint | NoRate::Restarted)
    }

    /// The reason in one word, for metrics and the API.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Incomplete { lack, .. } => match lack {
                Lack::NoCpu => "no_cpu",
                Lack::ZeroCpu => "zero_cpu",
                Lack::NoMemory => "no_memory",
                Lack::ZeroMemory => "zero_memory",
                Lack::BadLine => "bad_line",
                Lack::Duplicate => "duplicate",
            },
            Self::NoRate { why, .. } => match why {
                NoRate::FirstPoint => "first_point",
                NoRate::Restarted => "restarted",
                NoRate::WentBackwards => "went_backwards",
                NoRate::Impossible => "impossible",
                NoRate::ClockStepped => "clock_stepped",
            },
            Self::Stale => "stale",
            Self::NotReported => "not_reported",
        }
    }
}

/// The time after which rates are stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// While scrapes fail: the time since the last successful scrape. 2.5 resolutions.
    pub unseen: Duration,
    /// While the kubelet repeats a sample, as cAdvisor does for idle containers: the time since the sample first
    /// arrived. 5 resolutions.
    pub unchanged: Duration,
}

impl Retention {
    /// The retention for a resolution.
    pub fn of(resolution: Duration) -> Self {
        Self {
            unseen: resolution * 5 / 2,
            unchanged: resolution * 5,
        }
    }

    /// Whether a sample that arrived at `arrived`, on a node with its last successful scrape at `scraped`, is fresh at
    /// `now`.
    pub fn is_fresh(&self, arrived: Age, scraped: Age, now: Age) -> bool {
        now.since(arrived) <= self.unchanged && now.since(scraped) <= self.unseen
    }
}

/// One node and its pods as of the node's last successful scrape.
#[derive(Debug, PartialEq, Eq)]
pub struct Latest {
    /// The time of the scrape's response.
    pub scraped: Age,
    /// The node itself.
    pub node: Result<NodeLatest, Absent>,
    /// Its pods, sorted by namespace and name.
    pub pods: Box<[PodLatest]>,
    /// The containers of all pods that have rates; each pod names its part.
    pub containers: Box<[ContainerLatest]>,
    /// The containers of all pods without rates, in the order of the pods.
    pub incomplete: Box<[ContainerState]>,
    /// The usage of pods without rates whose containers have just started; none on most nodes.
    pub provisional: Option<Box<Provisional>>,
}

/// The usage of pods that have no rates yet, because a container has just started. CPU is the mean since the start.
/// Only people may see it: metrics-server has no usage of these pods.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Provisional {
    /// By the index of the pod.
    pods: Vec<(usize, PodRates)>,
    containers: Vec<ContainerLatest>,
}

impl Provisional {
    /// Adds a pod with all its containers. Pods come in order.
    pub(super) fn add(
        &mut self,
        pod: usize,
        (usage, arrived): &(Usage, Age),
        containers: Vec<ContainerLatest>,
    ) {
        let first = self.containers.len();
        if let Some(rates) = PodRates::new(usage, *arrived, first, &containers) {
            self.pods.push((pod, rates));
            self.containers.extend(containers);
        }
    }

    /// Whether no pod has such usage.
    pub(super) fn is_empty(&self) -> bool {
        self.pods.is_empty()
    }
}

/// The node's own usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeLatest {
    /// The usage.
    pub usage: Usage,
    /// The arrival of its newest sample.
    pub arrived: Age,
}

/// A pod.
#[derive(Debug, PartialEq, Eq)]
pub struct PodLatest {
    /// Its namespace and name.
    pub key: PodKey,
    /// Its rates, or why it has none.
    pub rates: Result<PodRates, Absent>,
    /// Swap in use by the pod as a whole; zero where the kubelet reports none.
    pub swap: Bytes,
}

/// The rates of a pod all of whose containers have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PodRates {
    /// The earliest time of its containers' rates, as in metrics-server.
    pub at: Timestamp,
    /// The window of that container; of several with the same time, the longest.
    pub window: GoDuration,
    /// The earliest arrival of its containers' newest samples.
    pub arrived: Age,
    first: u32,
    count: NonZeroU16,
    /// The length of the containers in protobuf; none if it does not fit.
    encoded_len: Option<NonZeroU16>,
}

/// A container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerLatest {
    /// Its name.
    pub name: Arc<str>,
    /// CPU over its window.
    pub cpu: Nanocores,
    /// Working set.
    pub memory: Bytes,
    /// Swap in use; zero where the kubelet reports none.
    pub swap: Bytes,
}

impl Container for ContainerLatest {
    fn name(&self) -> &str {
        &self.name
    }

    fn usage(&self) -> UsageRef {
        UsageRef {
            cpu: self.cpu,
            memory: self.memory,
        }
    }
}

/// A container of a pod that has no rates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerState {
    /// The index of its pod.
    pub pod: usize,
    /// Its name.
    pub name: Arc<str>,
    /// Why the pod has no rates, if this container is the reason.
    pub absent: Option<Absent>,
}

impl PodRates {
    /// The rates of these containers, the first of which is container `first` of the node; none without a container.
    pub(super) fn new(
        earliest: &Usage,
        arrived: Age,
        first: usize,
        containers: &[ContainerLatest],
    ) -> Option<Self> {
        let small = |n: usize| u16::try_from(n).ok().and_then(NonZeroU16::new);
        Some(Self {
            at: earliest.at,
            window: earliest.window,
            arrived,
            first: u32::try_from(first).ok()?,
            count: small(containers.len())?,
            encoded_len: small(containers_len(containers)),
        })
    }

    /// The length of its containers in protobuf, if it is stored. The first walk of a list reads it here instead of all
    /// containers.
    pub fn encoded_len(&self) -> Option<usize> {
        self.encoded_len.map(|len| len.get().into())
    }

    /// Its part of all containers.
    fn of<'a>(&self, containers: &'a [ContainerLatest]) -> &'a [ContainerLatest] {
        let first = self.first as usize;
        let end = first.saturating_add(self.count.get().into());
        containers.get(first..end).unwrap_or_default()
    }
}

impl Latest {
    /// The node's usage at `now`, or why it has none.
    ///
    /// # Errors
    /// Why there is no usage.
    pub fn node(&self, retention: Retention, now: Age) -> Result<&NodeLatest, Absent> {
        let node = self.node.as_ref().map_err(Clone::clone)?;
        if retention.is_fresh(node.arrived, self.scraped, now) {
            Ok(node)
        } else {
            Err(Absent::Stale)
        }
    }

    /// A pod and its index, with or without rates.
    pub fn find(&self, key: &PodKey) -> Option<(usize, &PodLatest)> {
        let at = self.pods.binary_search_by(|pod| pod.key.cmp(key)).ok()?;
        Some((at, self.pods.get(at)?))
    }

    /// The indexes of the pods of a namespace, or of all.
    pub fn range(&self, namespace: Option<&str>) -> Range<usize> {
        let Some(namespace) = namespace else {
            return 0..self.pods.len();
        };
        let first = |pod: &PodLatest| *pod.key.namespace < *namespace;
        let end = |pod: &PodLatest| *pod.key.namespace <= *namespace;
        self.pods.partition_point(first)..self.pods.partition_point(end)
    }

    /// The pods of a namespace, or of all, that have rates at `now`, by namespace and name, each with its containers.
    pub fn whole(
        &self,
        namespace: Option<&str>,
        retention: Retention,
        now: Age,
    ) -> impl Iterator<Item = (&PodLatest, PodRates, &[ContainerLatest])> {
        let pods = self.pods.get(self.range(namespace)).unwrap_or_default();
        let with_rates = pods.iter().filter(|pod| pod.rates.is_ok());
        with_rates.filter_map(move |pod| {
            let (rates, containers) = self.rates_of(pod, retention, now).ok()?;
            Some((pod, rates, containers))
        })
    }

    /// The rates of one of its pods at `now`, and its containers, or why it has none.
    ///
    /// # Errors
    /// Why there are no rates.
    pub fn rates_of(
        &self,
        pod: &PodLatest,
        retention: Retention,
        now: Age,
    ) -> Result<(PodRates, &[ContainerLatest]), Absent> {
        let rates = *pod.rates.as_ref().map_err(Clone::clone)?;
        if !retention.is_fresh(rates.arrived, self.scraped, now) {
            return Err(Absent::Stale);
        }
        Ok((rates, self.containers_of(&rates)))
    }

    /// A pod's rates and its containers at `now`, or why it has none.
    ///
    /// # Errors
    /// Why there are no rates.
    pub fn pod(
        &self,
        key: &PodKey,
        retention: Retention,
        now: Age,
    ) -> Result<(PodRates, &[ContainerLatest]), Absent> {
        let (_, pod) = self.find(key).ok_or(Absent::NotReported)?;
        self.rates_of(pod, retention, now)
    }

    /// The containers of the pod at `at`, if it has no rates.
    pub fn incomplete_containers(&self, at: usize) -> &[ContainerState] {
        let first = self.incomplete.partition_point(|it| it.pod < at);
        let end = self.incomplete.partition_point(|it| it.pod <= at);
        self.incomplete.get(first..end).unwrap_or_default()
    }

    /// The provisional usage at `now` of the pod at `at`, and of its containers.
    pub fn provisional_of(
        &self,
        at: usize,
        retention: Retention,
        now: Age,
    ) -> Option<(PodRates, &[ContainerLatest])> {
        let (rates, containers) = self.provisional_at(at)?;
        let is_fresh = retention.is_fresh(rates.arrived, self.scraped, now);
        is_fresh.then_some((rates, containers))
    }

    /// The same, even if it is stale.
    pub(super) fn provisional_at(&self, at: usize) -> Option<(PodRates, &[ContainerLatest])> {
        let all = self.provisional.as_ref()?;
        let found = all.pods.binary_search_by_key(&at, |(pod, _)| *pod).ok()?;
        let (_, rates) = all.pods.get(found)?;
        Some((*rates, rates.of(&all.containers)))
    }

    /// The containers of the pod at `at`, even if its rates are stale; empty if it has no rates.
    pub fn containers_at(&self, at: usize) -> &[ContainerLatest] {
        match self.pods.get(at).map(|pod| &pod.rates) {
            Some(Ok(rates)) => self.containers_of(rates),
            _ => &[],
        }
    }

    /// The containers of a pod that has rates.
    pub(super) fn containers_of(&self, rates: &PodRates) -> &[ContainerLatest] {
        rates.of(&self.containers)
    }

    /// The memory in bytes, without the shared names.
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
            + size_of_val(&*self.pods)
            + size_of_val(&*self.containers)
            + size_of_val(&*self.incomplete)
            + self.provisional.as_ref().map_or(0, |it| {
                size_of_val(&**it) + size_of_val(&*it.pods) + size_of_val(&*it.containers)
            })
    }
}
