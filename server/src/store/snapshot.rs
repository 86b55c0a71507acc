//! A snapshot of a node's series and rates for the next process, so that a restarted server has metrics at once and
//! computes rates with its first scrape.
//!
//! Times are stored as ages, because each process has a monotonic clock of its own.

use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};

use super::latest::{Absent, ContainerLatest, Latest, NodeLatest, PodLatest, PodRates};
use super::rate::{NoRate, Pair, Point, Usage};
use super::scrape_result::earlier;
use super::series::{Container, NodeSeries};
use super::tracked_series::Tracked;
use crate::clock::Age;
use crate::intern::Interner;

/// The largest length of a name: longer than any name in Kubernetes.
const MAX_NAME: usize = 512;

/// The series and rates of one node, as a protobuf message: earlier readers skip fields that are added later.
#[derive(Clone, PartialEq, prost::Message)]
pub struct NodeSnapshot {
    /// The age of the last successful scrape, in milliseconds.
    #[prost(uint64, tag = "1")]
    scraped_ago: u64,
    #[prost(message, optional, tag = "2")]
    node: Option<SnapshotSeries>,
    /// By namespace and name.
    #[prost(message, repeated, tag = "3")]
    pods: Vec<SnapshotPod>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct SnapshotPod {
    #[prost(string, tag = "1")]
    namespace: String,
    #[prost(string, tag = "2")]
    name: String,
    /// By name.
    #[prost(message, repeated, tag = "3")]
    containers: Vec<SnapshotContainer>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct SnapshotContainer {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    series: Option<SnapshotSeries>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct SnapshotSeries {
    #[prost(sfixed64, tag = "1")]
    at: i64,
    #[prost(uint64, tag = "2")]
    cpu_ns: u64,
    #[prost(uint64, tag = "3")]
    memory: u64,
    #[prost(sfixed64, tag = "4")]
    start: i64,
    /// The age of the sample's arrival, in milliseconds.
    #[prost(uint64, tag = "5")]
    arrived_ago: u64,
    #[prost(message, optional, tag = "6")]
    usage: Option<SnapshotUsage>,
    /// Whether the last scrape contained the series and its complete pod.
    #[prost(bool, tag = "7")]
    in_last_scrape: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
struct SnapshotUsage {
    #[prost(sfixed64, tag = "1")]
    at: i64,
    #[prost(int64, tag = "2")]
    window: i64,
    #[prost(uint64, tag = "3")]
    cpu: u64,
}

/// The restored state of a node.
#[derive(Debug)]
pub struct RestoredNode {
    pub(super) series: NodeSeries,
    pub(super) latest: Latest,
}

impl NodeSnapshot {
    /// The snapshot of a node's series and latest rates at `now`.
    pub(super) fn of(series: &NodeSeries, latest: &Latest, now: Age) -> Self {
        let mut pods: Vec<SnapshotPod> = Vec::with_capacity(latest.pods.len());
        for container in series.containers() {
            let (namespace, name) = (&*container.pod.namespace, &*container.pod.name);
            let is_its =
                |pod: &&mut SnapshotPod| (&*pod.namespace, &*pod.name) == (namespace, name);
            let last = pods.last_mut().filter(is_its);
            let rates = latest.find(&container.pod);
            let rates = rates.and_then(|(_, pod)| pod.rates.as_ref().ok());
            let in_last_scrape = rates.is_some_and(|rates| {
                let mut names = latest.containers_of(rates).iter();
                names.any(|it| it.name == container.name)
            });
            let saved = SnapshotContainer {
                name: container.name.to_string(),
                series: Some(SnapshotSeries::of(&container.tracked, in_last_scrape, now)),
            };
            match last {
                Some(pod) => pod.containers.push(saved),
                None => pods.push(SnapshotPod {
                    namespace: namespace.to_string(),
                    name: name.to_string(),
                    containers: vec![saved],
                }),
            }
        }
        let node = series.node();
        Self {
            scraped_ago: milliseconds(now.since(latest.scraped)),
            node: node.map(|node| SnapshotSeries::of(node, latest.node.is_ok(), now)),
            pods,
        }
    }

    /// The age of the last scrape when the snapshot was created.
    pub fn scraped_ago(&self) -> Duration {
        Duration::from_millis(self.scraped_ago)
    }

    /// The restored state at `now`, the time `gone` after the snapshot. Ages continue, so stale values stay stale.
    pub fn restore(
        &self,
        now: Age,
        gone: Duration,
        resolution: Duration,
        names: &Interner,
    ) -> RestoredNode {
        let at = |ago: u64| now.before(gone.saturating_add(Duration::from_millis(ago)));
        let mut series: Vec<Container> = Vec::new();
        let (mut pods, mut containers) = (Vec::new(), Vec::new());
        let is_possible = |pod: &&SnapshotPod| is_name(&pod.namespace) && is_name(&pod.name);
        for pod in self.pods.iter().filter(is_possible) {
            let key = names.key(&pod.namespace, &pod.name);
            let (first, mut whole) = (containers.len(), true);
            let mut earliest: Option<(Usage, Age)> = None;
            for SnapshotContainer {
                name: own,
                series: saved,
            } in &pod.containers
            {
                let Some(saved) = saved.as_ref().filter(|_| is_name(own)) else {
                    continue;
                };
                let (own, tracked) = (names.intern(own), saved.tracked(at));
                if let (true, Ok(usage)) = (saved.in_last_scrape, tracked.pair.usage()) {
                    earliest = Some(earlier(earliest, (usage, tracked.arrived)));
                    containers.push(ContainerLatest {
                        name: Arc::clone(&own),
                        cpu: usage.cpu,
                        memory: usage.memory,
                        swap: Bytes(0),
                    });
                } else {
                    // A container with a rate has one again, unless the snapshot is not valid.
                    whole &= !saved.in_last_scrape;
                }
                series.push(Container {
                    pod: key.clone(),
                    name: own,
                    tracked,
                });
            }
            let rates = earliest.filter(|_| whole).and_then(|(usage, arrived)| {
                PodRates::new(&usage, arrived, first, containers.get(first..)?)
            });
            match rates {
                Some(rates) => pods.push(PodLatest {
                    key,
                    rates: Ok(rates),
                    // The next scrape has it.
                    swap: Bytes(0),
                }),
                None => containers.truncate(first),
            }
        }
        // Lookups rely on the order.
        series.sort_by(|a, b| a.key().cmp(&b.key()));
        series.dedup_by(|a, b| a.key() == b.key());
        pods.sort_by(|a, b| a.key.cmp(&b.key));
        let node = self.node.as_ref().map(|node| (node, node.tracked(at)));
        let latest = Latest {
            scraped: at(self.scraped_ago),
            node: match &node {
                Some((saved, tracked)) if saved.in_last_scrape => tracked
                    .pair
                    .usage()
                    .map(|usage| NodeLatest {
                        usage,
                        arrived: tracked.arrived,
                    })
                    .map_err(|why| Absent::NoRate {
                        container: None,
                        why,
                    }),
                Some(_) => Err(Absent::NoRate {
                    container: None,
                    why: NoRate::FirstPoint,
                }),
                None => Err(Absent::NotReported),
            },
            pods: pods.into_boxed_slice(),
            containers: containers.into_boxed_slice(),
            incomplete: Box::default(),
            provisional: None,
        };
        RestoredNode {
            series: NodeSeries::restore(resolution, node.map(|(_, tracked)| tracked), series),
            latest,
        }
    }
}

/// Whether a name from another process has a possible length.
pub(super) fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len())
}

impl SnapshotSeries {
    fn of(tracked: &Tracked, in_last_scrape: bool, now: Age) -> Self {
        let last = tracked.pair.last();
        Self {
            at: last.at.0,
            cpu_ns: last.cpu_ns,
            memory: last.memory.0,
            start: last.start.0,
            arrived_ago: milliseconds(now.since(tracked.arrived)),
            usage: tracked.pair.usage().ok().map(|usage| SnapshotUsage {
                at: usage.at.0,
                window: usage.window.0,
                cpu: usage.cpu.0,
            }),
            in_last_scrape,
        }
    }

    fn tracked(&self, at: impl Fn(u64) -> Age) -> Tracked {
        let last = Point {
            at: Timestamp(self.at),
            cpu_ns: self.cpu_ns,
            memory: Bytes(self.memory),
            start: Timestamp(self.start),
        };
        let usage = self.usage.as_ref().map(|usage| Usage {
            at: Timestamp(usage.at),
            window: GoDuration(usage.window),
            cpu: Nanocores(usage.cpu),
            memory: last.memory,
        });
        Tracked {
            pair: Pair::restore(last, usage),
            arrived: at(self.arrived_ago),
        }
    }
}

/// Whole milliseconds.
pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::PodKey;
    use crate::store::{NodeCell, Retention, ScrapeTimes, Store};
    use kubevitals_proto::kubelet::resource::{ResourceScrape, decode};
    use prost::Message as _;

    const RESOLUTION: Duration = Duration::from_secs(15);

    fn age(seconds: u64) -> Age {
        Age::from_elapsed(Duration::from_secs(seconds))
    }

    /// Each container is (pod/container, CPU seconds); all at one time, in seconds.
    fn scrape(cell: &NodeCell, at: u64, now: Age, containers: &[(&str, f64)]) {
        let names = Interner::default();
        let mut body = format!(
            "node_cpu_usage_seconds_total {at} {at}000\nnode_memory_working_set_bytes 5 {at}000\n"
        );
        for (path, cpu) in containers {
            let (pod, container) = path.split_once('/').unwrap();
            let labels = format!("{{container=\"{container}\",namespace=\"ns\",pod=\"{pod}\"}}");
            body += &format!("container_cpu_usage_seconds_total{labels} {cpu} {at}000\n");
            body += &format!("container_memory_working_set_bytes{labels} 7 {at}000\n");
        }
        let mut scrape = ResourceScrape::default();
        decode(body.as_bytes(), &mut scrape);
        let mut series = cell.series();
        series.ingest(&mut scrape, &ScrapeTimes::at(now), &names);
        cell.publish(series.latest(&scrape, now, &names));
    }

    fn cpu(cell: &NodeCell, pod: &str, now: Age) -> Result<Vec<u64>, Absent> {
        let latest = cell.latest().unwrap();
        let (_, containers) =
            latest.pod(&PodKey::new("ns", pod), Retention::of(RESOLUTION), now)?;
        Ok(containers.iter().map(|c| c.cpu.0 / 1_000_000).collect())
    }

    /// The snapshot of a node with a complete pod, a pod with a container that has no rate, and a deleted pod.
    fn written() -> Vec<u8> {
        let cell = NodeCell::new(RESOLUTION);
        let first = [("a/x", 1.0), ("a/y", 2.0), ("b/x", 1.0), ("c/x", 1.0)];
        scrape(&cell, 1000, age(100), &first);
        let second = [("a/x", 2.5), ("a/y", 2.0), ("c/new", 1.0), ("c/x", 2.5)];
        scrape(&cell, 1015, age(115), &second);
        cell.snapshot(age(120)).unwrap().encode_to_vec()
    }

    /// The node as a process restores it whose clock has just started, the time `gone` after the snapshot.
    fn restored(gone: Duration) -> Arc<NodeCell> {
        let saved = NodeSnapshot::decode(&*written()).unwrap();
        let store = Store::default();
        let node: Arc<str> = "n".into();
        let names = Interner::default();
        let saved = saved.restore(Age::default(), gone, RESOLUTION, &names);
        store.restore(&node, saved);
        store.add(&node, RESOLUTION)
    }

    #[test]
    fn the_next_process_has_the_same_rates() {
        let cell = restored(Duration::from_secs(3));
        assert_eq!(cpu(&cell, "a", Age::default()), Ok(vec![100, 0]));
        for pod in ["b", "c"] {
            let used = cpu(&cell, pod, Age::default());
            assert_eq!(used, Err(Absent::NotReported), "{pod}");
        }
        let latest = cell.latest().unwrap();
        let node = latest.node(Retention::of(RESOLUTION), Age::default());
        let Usage { cpu, at, .. } = node.unwrap().usage;
        assert_eq!(cpu, Nanocores(1_000_000_000));
        assert_eq!(at, Timestamp::from_secs(1015));
    }

    #[test]
    fn restored_rates_become_stale_at_the_same_time() {
        // It was scraped 5 s before the snapshot, and its rates are fresh for 37.5 s.
        let cell = restored(Duration::from_secs(30));
        assert!(cpu(&cell, "a", age(2)).is_ok());
        assert_eq!(cpu(&cell, "a", age(3)), Err(Absent::Stale));
        let late = restored(Duration::from_secs(3600));
        assert_eq!(cpu(&late, "a", Age::default()), Err(Absent::Stale));
    }

    #[test]
    fn the_first_scrape_of_the_next_process_makes_rates() {
        let cell = restored(Duration::from_secs(3));
        let of_a_and_b = [("a/x", 4.0), ("a/y", 5.0), ("b/x", 4.0)];
        let containers = [&of_a_and_b[..], &[("c/new", 2.5), ("c/x", 4.0)]].concat();
        scrape(&cell, 1030, age(1), &containers);
        // The rate of b is computed from its last point.
        for (pod, expected) in [
            ("a", vec![100, 200]),
            ("b", vec![100]),
            ("c", vec![100, 100]),
        ] {
            assert_eq!(cpu(&cell, pod, age(1)), Ok(expected), "{pod}");
        }
        assert!(!cell.series().needs_first_rates());
    }

    #[test]
    fn a_scraped_node_is_not_restored() {
        let (store, node, names) = (Store::default(), Arc::<str>::from("n"), Interner::default());
        let cell = store.add(&node, RESOLUTION);
        scrape(&cell, 2000, age(1), &[("z/x", 1.0)]);
        let saved = NodeSnapshot::decode(&*written()).unwrap();
        let saved = saved.restore(age(1), Duration::ZERO, RESOLUTION, &names);
        store.restore(&node, saved);
        assert_eq!(cpu(&cell, "a", age(1)), Err(Absent::NotReported));
    }

    #[test]
    fn impossible_messages_do_not_panic() {
        let impossible = NodeSnapshot {
            scraped_ago: u64::MAX,
            node: None,
            pods: vec![SnapshotPod {
                namespace: "ns".into(),
                name: "a".into(),
                containers: vec![SnapshotContainer {
                    name: "x".into(),
                    series: Some(SnapshotSeries {
                        at: i64::MIN,
                        cpu_ns: u64::MAX,
                        memory: u64::MAX,
                        start: i64::MAX,
                        arrived_ago: u64::MAX,
                        usage: Some(SnapshotUsage {
                            at: 0,
                            window: -1,
                            cpu: u64::MAX,
                        }),
                        in_last_scrape: true,
                    }),
                }],
            }],
        };
        let restored = impossible.restore(age(1), Duration::MAX, RESOLUTION, &Interner::default());
        assert!(restored.latest.pods.is_empty());
    }
}
