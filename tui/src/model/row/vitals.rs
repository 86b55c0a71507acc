//! Converts objects of kubevitals.io/v1alpha1 to rows.

use kubevitals_proto::labels::Labels;
use kubevitals_proto::objects::Uid;
use kubevitals_proto::vitals;

use super::{
    Bounds, ClusterRow, Container, ContainerState, LastRestart, NodeRow, Phase, PodRow, Probes,
    Resize, Restarts, Workload, to_seconds,
};
use crate::model::amount::{Amounts, Memory, Percent};
use crate::model::name::{Name, Names};

fn usage(usage: Option<&vitals::Usage>) -> (Amounts, Memory, u32) {
    usage.map_or_else(Default::default, |usage| {
        let amounts = Amounts {
            cpu: usage.cpu.into(),
            memory: usage.memory.into(),
        };
        (amounts, usage.swap.into(), to_seconds(usage.timestamp))
    })
}

fn labels(labels: &Labels, names: &Names) -> Labels {
    Labels::from_iter(
        labels
            .iter()
            .map(|(key, value)| (names.intern(key), names.intern(value))),
    )
}

fn absent(absent: Option<&vitals::Absence>, names: &Names) -> Option<Name> {
    absent.map(|absent| names.intern(&absent.message))
}

fn memory_stall(pressure: Option<vitals::Pressure>) -> Percent {
    pressure.and_then(|pressure| pressure.memory).into()
}

fn count(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn probes<'a>(probes: impl Iterator<Item = &'a vitals::Probe>) -> Probes {
    probes.fold(Probes::default(), |mut all, probe| {
        all.count(probe.kind, probe.status);
        all
    })
}

fn bounds(resize: &vitals::Resize) -> Bounds {
    Bounds::new(&resize.requests, &resize.limits)
}

impl Restarts {
    /// Converts restarts.
    #[must_use]
    pub fn from_vitals(restarts: &vitals::Restarts, names: &Names) -> Self {
        Self {
            count: count(restarts.count),
            recent: count(restarts.recent),
            last: restarts.last.as_ref().map(|last| {
                Box::new(LastRestart {
                    reason: names.intern(&last.ended.reason),
                    exit_code: last.ended.exit_code,
                    finished: last.ended.finished,
                    started: last.ended.started,
                    cause: last.cause,
                    certainty: last.certainty,
                })
            }),
        }
    }
}

/// The UID of the pod. In objects of old servers it is the UID of the object itself.
fn uid_of_pod(meta: &vitals::Meta) -> &str {
    let owner = meta.owner_references.first();
    owner.map_or(&meta.uid, |owner| &owner.uid)
}

/// A hash of a UID, which distinguishes pods of one name; zero if it is unknown.
pub(crate) fn uid_hash(uid: Uid) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    if !uid.is_some() {
        return 0;
    }
    let mut hasher = DefaultHasher::new();
    uid.hash(&mut hasher);
    hasher.finish().max(1)
}

impl PodRow {
    /// The row of a pod.
    #[must_use]
    pub fn from_vitals(pod: &vitals::PodVitals, names: &Names) -> Self {
        let (amounts, swap, usage_seconds) = usage(pod.usage.as_ref());
        Self {
            namespace: names.intern(&pod.metadata.namespace),
            // A pod's name is unique, so interning it saves nothing.
            name: Name::from(pod.metadata.name.as_str()),
            uid: uid_hash(Uid::of(uid_of_pod(&pod.metadata))),
            node: names.intern(&pod.node_name),
            status: names.intern(&pod.status),
            message: (!pod.message.is_empty()).then(|| pod.message.as_str().into()),
            phase: Phase::of(&pod.phase),
            ready: pod.ready,
            ready_containers: u16::try_from(pod.ready_containers).unwrap_or(u16::MAX),
            total_containers: u16::try_from(pod.total_containers).unwrap_or(u16::MAX),
            workload: pod.workload.as_ref().map(|workload| {
                Workload::new(names.intern(&workload.kind), names.intern(&workload.name))
            }),
            labels: labels(&pod.metadata.labels, names),
            created_seconds: to_seconds(pod.metadata.creation_timestamp),
            usage_seconds,
            usage: amounts,
            swap,
            memory_stall: memory_stall(pod.pressure),
            absent: absent(pod.absent.as_ref(), names),
            requests: (&pod.requests).into(),
            limits: (&pod.limits).into(),
            counted: None,
            resize: pod.resize.as_ref().map(|resize| {
                let containers = pod.containers.iter().filter_map(|container| {
                    let resize = container.resize.as_ref()?;
                    Some((names.intern(&container.name), bounds(resize)))
                });
                Box::new(Resize {
                    state: resize.state,
                    message: resize.message.as_str().into(),
                    desired: bounds(resize),
                    containers: containers.collect(),
                })
            }),
            restarts: Restarts::from_vitals(&pod.restarts, names),
            probes: probes(pod.probes.iter()),
            containers: pod
                .containers
                .iter()
                .map(|container| Container::from_vitals(container, &pod.probes, names))
                .collect(),
        }
    }
}

impl Container {
    /// Converts a container; `all_probes` are those of the whole pod.
    #[must_use]
    pub fn from_vitals(
        container: &vitals::ContainerVitals,
        all_probes: &[vitals::Probe],
        names: &Names,
    ) -> Self {
        let (amounts, swap, _) = usage(container.usage.as_ref());
        let own = all_probes.iter();
        let own = own.filter(|probe| probe.container == container.name);
        Self {
            name: names.intern(&container.name),
            role: container.role,
            state: match container.state.state.as_str() {
                "Waiting" => ContainerState::Waiting,
                "Running" => ContainerState::Running,
                "Terminated" => ContainerState::Terminated,
                _ => ContainerState::Unknown,
            },
            reason: names.intern(&container.state.reason),
            since_seconds: to_seconds(container.state.since),
            ready: container.ready,
            probes: probes(own),
            failing_from_seconds: 0,
            usage: amounts,
            swap,
            requests: (&container.requests).into(),
            limits: (&container.limits).into(),
            restarts: Restarts::from_vitals(&container.restarts, names),
        }
    }
}

impl NodeRow {
    /// The row of a node.
    #[must_use]
    pub fn from_vitals(node: &vitals::NodeVitals, names: &Names) -> Self {
        let (amounts, swap, usage_seconds) = usage(node.usage.as_ref());
        Self {
            name: names.intern(&node.metadata.name),
            status: names.intern(&node.status),
            ready: node.ready,
            lost: false,
            conditions: node
                .conditions
                .iter()
                .map(|condition| names.intern(&condition.kind))
                .collect(),
            labels: labels(&node.metadata.labels, names),
            created_seconds: to_seconds(node.metadata.creation_timestamp),
            usage_seconds,
            usage: amounts,
            swap,
            absent: absent(node.absent.as_ref(), names),
            allocatable: (&node.allocatable).into(),
            requests: (&node.requests).into(),
            limits: (&node.limits).into(),
            pods: count(node.pods.count),
            max_pods: count(node.pods.capacity),
            restarts: count(node.restarts),
            disk: node.disk.as_ref().map(|disk| disk.used).into(),
            disk_capacity: node.disk.as_ref().map(|disk| disk.capacity).into(),
            network: node
                .network
                .map(|network| (network.rx_bytes_per_second, network.tx_bytes_per_second)),
            memory_stall: memory_stall(node.pressure),
        }
    }
}

impl ClusterRow {
    /// Converts the cluster's totals.
    #[must_use]
    pub fn from_vitals(cluster: &vitals::ClusterVitals) -> Self {
        let (amounts, _, _) = usage(cluster.usage.as_ref());
        let pods = &cluster.pods;
        let in_phase = |phase: Phase| pods.by_phase.get(phase.as_str()).copied();
        let reporting = cluster.allocatable_reporting.as_ref();
        Self {
            usage: amounts,
            requests: (&cluster.requests).into(),
            limits: (&cluster.limits).into(),
            allocatable: (&cluster.allocatable).into(),
            reporting: reporting.unwrap_or(&cluster.allocatable).into(),
            nodes: count(cluster.nodes.total),
            nodes_ready: count(cluster.nodes.ready),
            nodes_reporting: count(cluster.nodes.reporting),
            phases: Phase::ALL.map(|phase| count(in_phase(phase).unwrap_or(0))),
            pods_ready: count(pods.ready),
            // For past times only the count from incidents is known.
            probes_failing: count(pods.probes_failing.unwrap_or(cluster.probes_failing)),
            restarts: count(cluster.restarts),
            incidents_open: Some(count(cluster.incidents.open)),
            usage_time: cluster.usage.as_ref().and_then(|usage| usage.timestamp),
            oldest: cluster.history.oldest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_uid_is_that_of_the_pod() {
        let of = |json: &str| {
            let pod: vitals::PodVitals = serde_json::from_str(json).unwrap();
            PodRow::from_vitals(&pod, &Names::default()).uid
        };
        let owned = r#"{"metadata":{"name":"web","uid":"v5","ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"web","uid":"real"}]}}"#;
        assert_eq!(of(owned), uid_hash(Uid::of("real")));
        assert_eq!(
            of(r#"{"metadata":{"name":"web","uid":"real"}}"#),
            uid_hash(Uid::of("real"))
        );
        assert_eq!(of(r#"{"metadata":{"name":"web"}}"#), 0);
    }
}
