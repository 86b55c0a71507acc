//! What one process reports to another about a node that it scrapes: everything that queries read of the node, as a
//! protobuf message. Unlike a [`NodeSnapshot`](super::NodeSnapshot) it has no series, so no rate can be computed from it.
//!
//! Times of the process are sent as ages, because each process has a monotonic clock of its own.

use std::time::Duration;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};

use super::extra::{ExtraReport, NodeExtra};
use super::latest::{
    Absent, ContainerLatest, ContainerState, Latest, NodeLatest, PodLatest, PodRates, Provisional,
};
use super::rate::{Lack, NoRate, Usage};
use super::snapshot::{is_name, milliseconds};
use crate::clock::Age;
use crate::intern::Interner;

/// A node and its pods.
#[derive(Clone, PartialEq, prost::Message)]
pub struct NodeReport {
    /// The node's name.
    #[prost(string, tag = "1")]
    pub node: String,
    /// The age of its last successful scrape, in milliseconds.
    #[prost(uint64, tag = "2")]
    scraped_ago: u64,
    #[prost(message, optional, tag = "3")]
    usage: Option<UsageReport>,
    /// Why the node has no usage.
    #[prost(message, optional, tag = "4")]
    absent: Option<AbsentReport>,
    /// By namespace and name.
    #[prost(message, repeated, tag = "5")]
    pods: Vec<PodReport>,
    /// The data of `/stats/summary`.
    #[prost(message, optional, tag = "6")]
    extra: Option<ExtraReport>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct UsageReport {
    #[prost(sfixed64, tag = "1")]
    at: i64,
    #[prost(int64, tag = "2")]
    window: i64,
    /// Milliseconds.
    #[prost(uint64, tag = "3")]
    arrived_ago: u64,
    /// Of a node; zero of a pod.
    #[prost(uint64, tag = "4")]
    cpu: u64,
    #[prost(uint64, tag = "5")]
    memory: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct AbsentReport {
    /// As in [`Absent::reason`].
    #[prost(string, tag = "1")]
    reason: String,
    #[prost(string, optional, tag = "2")]
    container: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PodReport {
    #[prost(string, tag = "1")]
    namespace: String,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(uint64, tag = "3")]
    swap: u64,
    /// Of a pod with rates, or with provisional usage if it has a reason too.
    #[prost(message, optional, tag = "4")]
    usage: Option<UsageReport>,
    /// Why the pod has no rates.
    #[prost(message, optional, tag = "5")]
    absent: Option<AbsentReport>,
    #[prost(message, repeated, tag = "6")]
    containers: Vec<ContainerReport>,
    /// The containers of a pod without rates.
    #[prost(message, repeated, tag = "7")]
    incomplete: Vec<IncompleteReport>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ContainerReport {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(uint64, tag = "2")]
    cpu: u64,
    #[prost(uint64, tag = "3")]
    memory: u64,
    #[prost(uint64, tag = "4")]
    swap: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct IncompleteReport {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    absent: Option<AbsentReport>,
}

impl NodeReport {
    /// Reports a node at `now`.
    pub fn of(node: &str, latest: &Latest, extra: Option<&NodeExtra>, now: Age) -> Self {
        let ago = |at: Age| milliseconds(now.since(at));
        let usage = latest.node.as_ref().ok().map(|node| UsageReport {
            cpu: node.usage.cpu.0,
            memory: node.usage.memory.0,
            ..UsageReport::of(node.usage.at, node.usage.window, ago(node.arrived))
        });
        let pods = latest.pods.iter().enumerate().map(|(at, pod)| {
            let (rates, containers) = match &pod.rates {
                Ok(rates) => (Some(*rates), latest.containers_of(rates)),
                Err(_) => match latest.provisional_at(at) {
                    Some((rates, containers)) => (Some(rates), containers),
                    None => (None, &[][..]),
                },
            };
            let incomplete = latest.incomplete_containers(at).iter();
            PodReport {
                namespace: pod.key.namespace.to_string(),
                name: pod.key.name.to_string(),
                swap: pod.swap.0,
                usage: rates.map(|it| UsageReport::of(it.at, it.window, ago(it.arrived))),
                absent: pod.rates.as_ref().err().map(AbsentReport::of),
                containers: containers.iter().map(ContainerReport::of).collect(),
                incomplete: incomplete
                    .map(|it| IncompleteReport {
                        name: it.name.to_string(),
                        absent: it.absent.as_ref().map(AbsentReport::of),
                    })
                    .collect(),
            }
        });
        Self {
            node: node.to_owned(),
            scraped_ago: ago(latest.scraped),
            usage,
            absent: latest.node.as_ref().err().map(AbsentReport::of),
            pods: pods.collect(),
            extra: extra.map(|extra| ExtraReport::of(extra, now)),
        }
    }

    /// The age of the last scrape when the report was made.
    pub fn scraped_ago(&self) -> Duration {
        Duration::from_millis(self.scraped_ago)
    }

    /// What the node's last scrape contained, in a report that was made at `now` or later. Pods with impossible names
    /// are left out.
    pub fn latest(&self, now: Age, names: &Interner) -> Latest {
        let at = |ago: u64| now.before(Duration::from_millis(ago));
        let mut pods: Vec<&PodReport> = self.pods.iter().filter(|pod| pod.is_possible()).collect();
        // Lookups rely on the order.
        pods.sort_by(|a, b| a.names().cmp(&b.names()));
        pods.dedup_by(|a, b| a.names() == b.names());
        let mut latest = Vec::with_capacity(pods.len());
        let (mut containers, mut incomplete) = (Vec::new(), Vec::new());
        let mut provisional = Provisional::default();
        for (index, pod) in pods.into_iter().enumerate() {
            let usage = pod
                .usage
                .as_ref()
                .map(|it| (it.usage(), at(it.arrived_ago)));
            let own: Vec<ContainerLatest> = pod
                .containers
                .iter()
                .filter_map(|it| it.latest(names))
                .collect();
            let rates = match (&pod.absent, usage) {
                (None, Some((usage, arrived))) => {
                    let rates = PodRates::new(&usage, arrived, containers.len(), &own);
                    containers.extend(own);
                    rates.ok_or(Absent::NotReported)
                }
                (absent, usage) => {
                    if let Some(usage) = usage {
                        provisional.add(index, &usage, own);
                    }
                    let absent = absent.as_ref().map(|it| it.absent(names));
                    Err(absent.unwrap_or(Absent::NotReported))
                }
            };
            if rates.is_err() {
                let of_pod = pod.incomplete.iter().filter(|it| is_name(&it.name));
                incomplete.extend(of_pod.map(|it| ContainerState {
                    pod: index,
                    name: names.intern(&it.name),
                    absent: it.absent.as_ref().map(|it| it.absent(names)),
                }));
            }
            latest.push(PodLatest {
                key: names.key(&pod.namespace, &pod.name),
                rates,
                swap: Bytes(pod.swap),
            });
        }
        let absent = || self.absent.as_ref().map(|it| it.absent(names));
        let node = self.usage.as_ref().map(|it| NodeLatest {
            usage: it.usage(),
            arrived: at(it.arrived_ago),
        });
        Latest {
            scraped: at(self.scraped_ago),
            node: node.ok_or_else(|| absent().unwrap_or(Absent::NotReported)),
            pods: latest.into_boxed_slice(),
            containers: containers.into_boxed_slice(),
            incomplete: incomplete.into_boxed_slice(),
            provisional: (!provisional.is_empty()).then(|| Box::new(provisional)),
        }
    }

    /// The data of `/stats/summary`, in a report that was made at `now` or later.
    pub fn extra(&self, now: Age, names: &Interner) -> Option<NodeExtra> {
        self.extra.as_ref().map(|extra| extra.extra(now, names))
    }
}

impl UsageReport {
    fn of(at: Timestamp, window: GoDuration, arrived_ago: u64) -> Self {
        Self {
            at: at.0,
            window: window.0,
            arrived_ago,
            ..Self::default()
        }
    }

    fn usage(&self) -> Usage {
        Usage {
            at: Timestamp(self.at),
            window: GoDuration(self.window),
            cpu: Nanocores(self.cpu),
            memory: Bytes(self.memory),
        }
    }
}

impl AbsentReport {
    fn of(absent: &Absent) -> Self {
        Self {
            reason: absent.reason().to_owned(),
            container: absent.container().map(str::to_owned),
        }
    }

    /// A reason that only a later version of this program has counts as a container that is not reported.
    fn absent(&self, names: &Interner) -> Absent {
        let container = self.container.as_ref().filter(|name| is_name(name));
        let container = container.map(|name| names.intern(name));
        let lack = |lack| Absent::Incomplete {
            container: container.clone(),
            lack,
        };
        let no_rate = |why| Absent::NoRate {
            container: container.clone(),
            why,
        };
        let all = Lack::ALL.into_iter().map(lack);
        let mut all = all.chain(NoRate::ALL.into_iter().map(no_rate));
        let found = all.find(|absent| *absent.reason() == *self.reason);
        found.unwrap_or(Absent::NotReported)
    }
}

impl PodReport {
    fn names(&self) -> (&str, &str) {
        (&self.namespace, &self.name)
    }

    fn is_possible(&self) -> bool {
        is_name(&self.namespace) && is_name(&self.name)
    }
}

impl ContainerReport {
    fn of(container: &ContainerLatest) -> Self {
        Self {
            name: container.name.to_string(),
            cpu: container.cpu.0,
            memory: container.memory.0,
            swap: container.swap.0,
        }
    }

    fn latest(&self, names: &Interner) -> Option<ContainerLatest> {
        is_name(&self.name).then(|| ContainerLatest {
            name: names.intern(&self.name),
            cpu: Nanocores(self.cpu),
            memory: Bytes(self.memory),
            swap: Bytes(self.swap),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kubevitals_proto::kubelet::resource::{ResourceScrape, decode};
    use prost::Message as _;

    use super::*;
    use crate::store::{NodeCell, ScrapeTimes};

    const RESOLUTION: Duration = Duration::from_secs(15);

    fn age(seconds: u64) -> Age {
        Age::from_elapsed(Duration::from_secs(seconds))
    }

    fn scrape(cell: &NodeCell, at: u64, containers: &[(&str, &str)], names: &Interner) {
        let mut body = format!(
            "node_cpu_usage_seconds_total {at} {at}000\nnode_memory_working_set_bytes 5 {at}000\n"
        );
        for (path, cpu) in containers {
            let (pod, container) = path.split_once('/').unwrap();
            let labels = format!("{{container=\"{container}\",namespace=\"ns\",pod=\"{pod}\"}}");
            body += &format!("container_cpu_usage_seconds_total{labels} {cpu} {at}000\n");
            body += &format!("container_memory_working_set_bytes{labels} 7 {at}000\n");
            body += &format!("container_swap_usage_bytes{labels} 3 {at}000\n");
            body += &format!("container_start_time_seconds{labels} {} {at}000\n", at - 6);
        }
        let mut scrape = ResourceScrape::default();
        decode(body.as_bytes(), &mut scrape);
        let mut series = cell.series();
        series.ingest(&mut scrape, &ScrapeTimes::at(age(at)), names);
        cell.publish(series.latest(&scrape, age(at), names));
    }

    /// A node with a pod with rates, a new pod, and a pod without a CPU line.
    fn node(names: &Interner) -> Arc<Latest> {
        let cell = NodeCell::new(RESOLUTION);
        scrape(&cell, 1000, &[("a/x", "1"), ("a/y", "2")], names);
        let second = [("a/x", "2.5"), ("a/y", "2.1"), ("b/new", "1"), ("c/x", "0")];
        scrape(&cell, 1015, &second, names);
        cell.latest().unwrap()
    }

    #[test]
    fn a_report_has_all_that_queries_read() {
        let names = Interner::default();
        let latest = node(&names);
        assert!(latest.provisional.is_some() && !latest.incomplete.is_empty());
        let report = NodeReport::of("n", &latest, None, age(1020));
        let report = NodeReport::decode(&*report.encode_to_vec()).unwrap();
        assert_eq!(report.scraped_ago(), Duration::from_secs(5));
        // Another process, whose clock began later.
        let theirs = report.latest(age(1020), &Interner::default());
        assert_eq!(theirs, *latest);
    }

    #[test]
    fn each_reason_is_the_same_after_a_report() {
        let names = Interner::default();
        let lacks = Lack::ALL.map(|lack| Absent::Incomplete {
            container: Some("x".into()),
            lack,
        });
        let no_rates = NoRate::ALL.map(|why| Absent::NoRate {
            container: None,
            why,
        });
        for absent in lacks
            .into_iter()
            .chain(no_rates)
            .chain([Absent::NotReported])
        {
            assert_eq!(AbsentReport::of(&absent).absent(&names), absent);
        }
    }

    #[test]
    fn an_impossible_report_does_not_panic() {
        let pod = PodReport {
            namespace: "ns".into(),
            name: "a".into(),
            usage: Some(UsageReport {
                at: i64::MIN,
                window: i64::MIN,
                arrived_ago: u64::MAX,
                ..UsageReport::default()
            }),
            containers: vec![ContainerReport::default()],
            ..PodReport::default()
        };
        let report = NodeReport {
            scraped_ago: u64::MAX,
            pods: vec![pod.clone(), PodReport::default(), pod],
            ..NodeReport::default()
        };
        let latest = report.latest(age(1), &Interner::default());
        assert_eq!(latest.pods.len(), 1);
        assert!(latest.pods.iter().all(|pod| pod.rates.is_err()));
    }
}
