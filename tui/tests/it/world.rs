//! Clusters that try `top` hard: ties, long names, odd quantities, gaps.

use kubevitals_proto::metrics::{ContainerMetrics, NodeMetrics, ObjectMeta, PodMetrics, Usage};
use serde_json::{Value, json};

use super::api::Cluster;

/// A small deterministic generator.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit.max(1)
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }
}

/// Used of cpu, memory and (sometimes) swap. `few` values make many ties.
fn usage(dice: &mut Dice, few: bool) -> Usage {
    let cpu = match dice.below(if few { 3 } else { 8 }) {
        0 => "0".to_owned(),
        1 => "1m".to_owned(),
        2 => format!("{}m", dice.below(4) * 100),
        3 => format!("{}u", dice.below(5_000_000)),
        4 => format!("{}", dice.below(20)),
        5 => format!("{}.{}", dice.below(3), dice.below(1_000)),
        _ => format!("{}n", dice.below(3_000_000_000)),
    };
    let memory = match dice.below(if few { 3 } else { 7 }) {
        0 => "0".to_owned(),
        1 => "1Mi".to_owned(),
        2 => format!("{}Mi", dice.below(4)),
        3 => format!("{}", dice.below(1 << 40)),
        4 => format!("{}Gi", dice.below(64)),
        5 => format!("{}M", dice.below(5_000)),
        _ => format!("{}Ki", dice.below(1 << 24)),
    };
    let swap = format!("{}Ki", dice.below(1 << 20));
    let mut pairs = vec![("cpu", cpu), ("memory", memory)];
    match dice.below(10) {
        0 => drop(pairs.pop()),
        1 => drop(pairs.remove(0)),
        2..5 => pairs.push(("swap", swap)),
        _ => {}
    }
    pairs
        .iter()
        .map(|(name, text)| ((*name).to_owned(), text.parse().unwrap()))
        .collect()
}

fn meta(namespace: &str, name: &str, labels: &[(&str, &str)]) -> ObjectMeta {
    ObjectMeta {
        name: name.to_owned(),
        namespace: namespace.to_owned(),
        labels: labels.iter().copied().collect(),
        ..ObjectMeta::default()
    }
}

/// A container's metrics.
pub(crate) fn container(name: &str, cpu: &str, memory: &str) -> ContainerMetrics {
    let pairs = [("cpu", cpu), ("memory", memory)];
    ContainerMetrics {
        name: name.to_owned(),
        usage: pairs
            .iter()
            .map(|(name, text)| ((*name).to_owned(), text.parse().unwrap()))
            .collect(),
    }
}

/// A pod's metrics.
pub(crate) fn pod_metrics(
    namespace: &str,
    name: &str,
    containers: Vec<ContainerMetrics>,
) -> PodMetrics {
    PodMetrics {
        metadata: meta(namespace, name, &[]),
        containers,
        ..PodMetrics::default()
    }
}

/// A node's metrics.
pub(crate) fn node_metrics(name: &str, cpu: &str, memory: &str) -> NodeMetrics {
    let usage = container("", cpu, memory).usage;
    NodeMetrics {
        metadata: meta("", name, &[]),
        usage,
        ..NodeMetrics::default()
    }
}

/// A `v1.Node`.
pub(crate) fn node(name: &str, cpu: &str, memory: &str) -> Value {
    json!({"kind": "Node", "apiVersion": "v1",
        "metadata": {"name": name, "labels": {}},
        "status": {
            "capacity": {"cpu": cpu, "memory": memory, "pods": "110"},
            "allocatable": {"cpu": cpu, "memory": memory, "pods": "110"},
            "nodeInfo": {"architecture": "amd64"}}})
}

/// A `v1.Pod` of some age.
pub(crate) fn pod(namespace: &str, name: &str, created: &str) -> Value {
    json!({"kind": "Pod", "apiVersion": "v1",
        "metadata": {"namespace": namespace, "name": name, "creationTimestamp": created,
            "labels": {}},
        "spec": {"nodeName": "n1", "containers": []},
        "status": {"phase": "Running"}})
}

/// A cluster of about this size.
pub(crate) fn generated(seed: u64, nodes: u64, pods: u64) -> Cluster {
    let mut dice = Dice::new(seed);
    let mut cluster = Cluster::default();
    for at in 0..nodes {
        let suffix = dice.pick(&["", "-with-a-rather-long-name.example.internal", "-x"]);
        let name = format!("node-{}{suffix}", (at * 7919) % nodes.max(1));
        let zone = dice.pick(&["a", "b"]);
        let labels = [("zone", zone), ("kubernetes.io/os", "linux")];
        let few = dice.below(2) == 0;
        if dice.below(8) != 0 {
            cluster.node_metrics.push(NodeMetrics {
                metadata: meta("", &name, &labels),
                usage: usage(&mut dice, few),
                ..NodeMetrics::default()
            });
        }
        if dice.below(12) != 0 {
            let mut object = node(&name, "1", "1");
            object["metadata"]["labels"] = json!({"zone": zone, "kubernetes.io/os": "linux"});
            for field in ["allocatable", "capacity"] {
                object["status"][field] = json!({
                    "cpu": format!("{}m", 1 + dice.below(64_000)),
                    "memory": format!("{}Ki", 1 + dice.below(1 << 28))});
                if dice.below(15) == 0 {
                    object["status"][field] = json!({"cpu": "2"});
                }
            }
            if dice.below(2) == 0 {
                let bytes = dice.below(3) << 30;
                object["status"]["nodeInfo"]["swap"] = json!({"capacity": bytes});
            }
            cluster.nodes.push(object);
        }
    }
    for at in 0..pods {
        let namespace = dice.pick(&["default", "kube-system", "a", "team-with-a-long-name"]);
        let app = dice.pick(&["web", "db", "cache"]);
        let name = format!("{app}-{}", (at * 7919 + 13) % (pods * 3));
        let few = pods > 20 || dice.below(2) == 0;
        let containers = (0..dice.below(4)).map(|nth| ContainerMetrics {
            name: format!("{}{}", dice.pick(&["main", "a-sidecar", "x"]), 9 - nth),
            usage: usage(&mut dice, few),
        });
        let containers: Vec<ContainerMetrics> = containers.collect::<Vec<_>>();
        let labels = [("app", app)];
        cluster.pod_metrics.push(PodMetrics {
            metadata: meta(namespace, &name, &labels),
            containers,
            ..PodMetrics::default()
        });
        let mut object = pod(namespace, &name, "2026-01-01T00:00:00Z");
        object["metadata"]["labels"] = json!({"app": app});
        object["spec"]["nodeName"] = json!(dice.pick(&["n1", "n2"]));
        cluster.pods.push(object);
    }
    cluster
}
