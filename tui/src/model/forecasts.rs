//! What runs out at the present trend: memory limits of containers; memory, disk and pods of nodes.

use std::collections::{HashMap, VecDeque};

use kubevitals_proto::time::Timestamp;

use super::forecast::forecast;
use super::name::{Key, Name};
use super::row::{ForecastRow, NodeRow, PodRow, Row as _};
use super::scope::{Limits, Scope};
use super::table::Table;
use super::trend::Trends;
use super::world::World;

/// The number of forecasts that are shown at most.
const MAX_FORECASTS: usize = 16;

/// The number of containers whose trend is evaluated: those that use the largest part of their limit.
const MAX_CONTAINERS: usize = 300;

/// A container or a node that uses less than this part has far to go.
const MIN_PART: f64 = 0.3;

/// The distance of the samples of a node, in seconds.
const SAMPLES_APART: i64 = 60;

/// The number of samples of a node: an hour.
const MAX_SAMPLES: usize = 60;

/// Disk usage and the number of pods of nodes, of which sources send no history. The dashboard collects them.
#[derive(Debug, Clone, Default)]
pub(super) struct NodeSamples {
    by_node: HashMap<Name, VecDeque<NodeSample>>,
    last: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy)]
struct NodeSample {
    at: Timestamp,
    pods: u32,
    disk: Option<f64>,
}

impl NodeSamples {
    /// Adds a sample of each node that is worth a forecast, at most once a minute.
    pub(super) fn add(&mut self, nodes: &Table<NodeRow>, now: Timestamp) {
        let apart = SAMPLES_APART * 1_000_000_000;
        if self.last.is_some_and(|last| now.since(last) < apart) {
            return;
        }
        self.last = Some(now);
        let earlier = std::mem::take(&mut self.by_node);
        for node in nodes.rows() {
            let disk = node.disk.of(node.disk_capacity);
            let pods = f64::from(node.pods) / f64::from(node.max_pods.max(1));
            if disk.unwrap_or(0.0).max(pods) < MIN_PART {
                continue;
            }
            let before = earlier.get(&node.name).cloned();
            let mut samples = before.unwrap_or_default();
            if samples.len() >= MAX_SAMPLES {
                samples.pop_front();
            }
            samples.push_back(NodeSample {
                at: now,
                pods: node.pods,
                disk: node.disk.number(),
            });
            self.by_node.insert(Name::clone(&node.name), samples);
        }
    }

    /// The samples of an amount of a node up to a time.
    fn of(
        &self,
        node: &Name,
        until: Timestamp,
        amount: impl Fn(&NodeSample) -> Option<f64>,
    ) -> Vec<(Timestamp, f64)> {
        let samples = self.by_node.get(node).into_iter().flatten();
        let samples = samples.filter(|sample| sample.at <= until);
        samples
            .filter_map(|sample| Some((sample.at, amount(sample)?)))
            .collect()
    }
}

/// What runs out at the present trend, the soonest first.
#[must_use]
pub(super) fn forecasts(
    world: &World,
    trends: &Trends,
    samples: &NodeSamples,
    limits: &Limits<'_>,
) -> Vec<ForecastRow> {
    let mut rows = Vec::new();
    if limits.namespaces.is_empty() {
        for node in world.nodes.rows() {
            rows.extend(of_node(node, trends, samples, limits.now));
        }
    }
    rows.extend(of_containers(world, trends, limits));
    rows.sort_by(|a, b| (a.full_at, &a.key).cmp(&(b.full_at, &b.key)));
    rows.truncate(MAX_FORECASTS);
    rows
}

/// The forecast of samples as a row.
fn row(
    samples: &[(Timestamp, f64)],
    capacity: f64,
    (key, object, what): (Key, String, &'static str),
    scope: Scope,
) -> Option<ForecastRow> {
    let left = forecast(samples, capacity)?;
    let (last, used) = samples.last()?;
    Some(ForecastRow {
        key,
        object,
        what,
        used: used / capacity,
        full_at: last.plus_nanos(i64::try_from(left.as_nanos()).ok()?),
        scope,
    })
}

fn of_node(
    node: &NodeRow,
    trends: &Trends,
    samples: &NodeSamples,
    now: Timestamp,
) -> impl Iterator<Item = ForecastRow> {
    let name = &node.name;
    let id = |what: &'static str| {
        let key = Key::named(name).part(&what.into());
        (key, name.to_string(), what)
    };
    let of = |samples: Vec<(Timestamp, f64)>, capacity: f64, what| {
        row(&samples, capacity, id(what), Scope::Node(Name::clone(name)))
    };
    let memory = node.allocatable.memory.number().and_then(|capacity| {
        let used = node.usage.memory.of(node.allocatable.memory)?;
        let trend = trends.get(&node.key()).filter(|_| used >= MIN_PART)?;
        of(
            trend.memory(Timestamp::default(), now),
            capacity,
            "memory full",
        )
    });
    let disk = node.disk_capacity.number().and_then(|capacity| {
        of(
            samples.of(name, now, |sample| sample.disk),
            capacity,
            "disk full",
        )
    });
    let pods = samples.of(name, now, |sample| Some(sample.pods.into()));
    let pods = of(pods, node.max_pods.into(), "pods full");
    [memory, disk, pods].into_iter().flatten()
}

/// The containers that reach their memory limit. A pod of one container has its trend; others have one from sources that
/// send the usage of containers separately.
fn of_containers(world: &World, trends: &Trends, limits: &Limits<'_>) -> Vec<ForecastRow> {
    let pods = world.pods.rows().iter();
    let pods = pods.filter(|pod| limits.has_namespace(&pod.namespace));
    let mut candidates: Vec<(f64, &PodRow, usize)> = pods
        .flat_map(|pod| {
            let containers = pod.containers.iter().enumerate();
            containers.filter_map(|(at, container)| {
                let used = container.usage.memory.of(container.limits.memory)?;
                (used >= MIN_PART).then_some((used, &**pod, at))
            })
        })
        .collect();
    if candidates.len() > MAX_CONTAINERS {
        candidates.select_nth_unstable_by(MAX_CONTAINERS, |a, b| b.0.total_cmp(&a.0));
        candidates.truncate(MAX_CONTAINERS);
    }
    let forecast = |(_, pod, at): (f64, &PodRow, usize)| {
        let container = pod.containers.get(at)?;
        let limit = container.limits.memory.number()?;
        let (key, object) = match pod.containers.len() {
            1 => (pod.key(), pod.name.to_string()),
            _ => (
                pod.key().part(&container.name),
                format!("{} {}", pod.name, container.name),
            ),
        };
        // What a container used before its restart says nothing about this one.
        let since = container.restarts.finished().unwrap_or_default();
        let samples = trends.get(&key)?.memory(since, limits.now);
        row(
            &samples,
            limit,
            (key, object, "memory limit reached"),
            Scope::Pod(pod.key()),
        )
    };
    candidates.into_iter().filter_map(forecast).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::amount::Amounts;
    use crate::model::row::{Container, LastRestart, Restarts};
    use kubevitals_proto::units::Bytes;

    const NOW: i64 = 100_000;

    fn memory(bytes: u64) -> Amounts {
        Amounts {
            memory: Bytes(bytes << 20).into(),
            ..Amounts::default()
        }
    }

    /// The readings of an hour that end at `last` MiB and grow by one each minute.
    fn growing(last: u64) -> Vec<(Timestamp, Amounts)> {
        let at = |ago: u64| Timestamp::from_secs(NOW - 60 * i64::try_from(ago).unwrap());
        (0..60)
            .rev()
            .map(|ago| (at(ago), memory(last - ago)))
            .collect()
    }

    /// A pod whose container uses `used` of `limit` MiB.
    fn pod(name: &str, used: u64, limit: u64, restarted: Option<i64>) -> PodRow {
        let last = restarted.map(|ago| {
            Box::new(LastRestart {
                finished: Some(Timestamp::from_secs(NOW - ago)),
                ..LastRestart::default()
            })
        });
        PodRow {
            namespace: "shop".into(),
            name: name.into(),
            containers: Box::new([Container {
                name: "app".into(),
                usage: memory(used),
                limits: if limit > 0 {
                    memory(limit)
                } else {
                    Amounts::default()
                },
                restarts: Restarts {
                    last,
                    ..Restarts::default()
                },
                ..Container::default()
            }]),
            ..PodRow::default()
        }
    }

    fn found(
        pods: Vec<PodRow>,
        nodes: Vec<NodeRow>,
        samples: &NodeSamples,
        namespaces: &[Name],
    ) -> Vec<String> {
        let mut trends = Trends::default();
        for pod in &pods {
            let used = pod.containers[0].usage.memory.get().unwrap().0 >> 20;
            trends.begin_with(&pod.key(), &growing(used));
        }
        for node in &nodes {
            let used = node.usage.memory.get().unwrap().0 >> 20;
            trends.begin_with(&node.key(), &growing(used));
        }
        let mut world = World::default();
        world.pods = Table::of(pods);
        world.nodes = Table::of(nodes);
        let limits = Limits {
            scope: &Scope::All,
            namespaces,
            now: Timestamp::from_secs(NOW),
            names_probe: false,
        };
        let rows = forecasts(&world, &trends, samples, &limits).into_iter();
        rows.map(|row| {
            let minutes = (row.full_at.as_secs() - NOW + 30) / 60;
            format!("{} {} in {minutes}m", row.object, row.what)
        })
        .collect()
    }

    #[test]
    fn the_soonest_come_first_and_what_is_far_from_full_is_left_out() {
        let pods = vec![
            pod("slow", 100, 200, None),
            pod("fast", 100, 150, None),
            pod("far", 100, 1_000, None),
            pod("fresh", 100, 150, Some(120)),
            pod("unlimited", 100, 0, None),
        ];
        let node = NodeRow {
            name: "node-1".into(),
            usage: memory(100),
            allocatable: memory(130),
            ..NodeRow::default()
        };
        let all = found(
            pods.clone(),
            vec![node.clone()],
            &NodeSamples::default(),
            &[],
        );
        let expected = [
            "node-1 memory full in 30m",
            "fast memory limit reached in 50m",
            "slow memory limit reached in 100m",
        ];
        assert_eq!(all, expected);
        let other = found(pods, vec![node], &NodeSamples::default(), &["other".into()]);
        assert!(other.is_empty(), "{other:?}");
    }

    #[test]
    fn the_pods_and_the_disk_of_a_node_are_collected_for_an_hour() {
        let mut samples = NodeSamples::default();
        let node = |at: i64| NodeRow {
            name: "node-1".into(),
            usage: memory(100),
            pods: u32::try_from(50 + at / 2).unwrap(),
            max_pods: 110,
            disk: Bytes(u64::try_from(400 + at).unwrap()).into(),
            disk_capacity: Bytes(1_000).into(),
            ..NodeRow::default()
        };
        for at in 0..70 {
            let now = Timestamp::from_secs(NOW - 60 * (69 - at));
            samples.add(&Table::of(vec![node(at)]), now);
            // A second one in the same minute is left out.
            samples.add(&Table::of(vec![node(0)]), now.plus_nanos(1));
        }
        assert_eq!(samples.by_node["node-1"].len(), MAX_SAMPLES);
        let all = found(vec![], vec![node(69)], &samples, &[]);
        let expected = ["node-1 pods full in 51m", "node-1 disk full in 531m"];
        assert_eq!(all, expected);
        // Nodes that are gone are dropped.
        samples.add(&Table::of(vec![]), Timestamp::from_secs(NOW + 60));
        assert!(samples.by_node.is_empty());
    }
}
