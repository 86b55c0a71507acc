//! Which workloads there are, and which pod runs where: a function of the seed and the size.

use std::sync::Arc;

use kubevitals_proto::time::Timestamp;

use super::catalog::{APPS, App, DAEMONS, GPU_APPS, Kind};
use super::hash::{between, hash, stream};
use super::service::{Exposed, Service};
use super::workload::Workload;

const DAY: f64 = 86_400.0 * 1e9;

/// The workloads, and for each node the pods it starts with: index of the workload, and ordinal.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) workloads: Vec<Workload>,
    pub(crate) nodes: Vec<Vec<(usize, u32)>>,
    /// What the pods expose, if they do.
    exposed: Option<Exposed>,
}

/// The requests a second that a workload gets for each of the replicas that it begins with.
const PER_REPLICA: f64 = 20.0;

/// How many daemonsets a node of so many pods has.
const fn daemons(pods_per_node: usize) -> usize {
    match pods_per_node {
        0 | 1 => 0,
        2 | 3 => 1,
        4..=7 => 2,
        _ => DAEMONS.len(),
    }
}

impl Plan {
    pub(crate) fn new(
        seed: u64,
        nodes: usize,
        pods_per_node: usize,
        now: Timestamp,
        exposed: Option<Exposed>,
    ) -> Self {
        let daemons = DAEMONS.iter().take(daemons(pods_per_node));
        let mut plan = Self {
            workloads: Vec::new(),
            nodes: vec![Vec::with_capacity(pods_per_node); nodes],
            exposed,
        };
        for app in daemons {
            let index = plan.add(seed, app, app.namespace, now);
            for (ordinal, node) in (0_u32..).zip(&mut plan.nodes) {
                node.push((index, ordinal));
            }
            plan.resize(index, nodes);
        }
        let taken = plan.workloads.len();
        let others = plan.others(seed, nodes * (pods_per_node - taken), now);
        plan.spread(&others, nodes);
        if let Some(exposed) = exposed {
            plan.add_gpus(seed, exposed.gpu_nodes.min(nodes), now);
            plan.serve(exposed, now);
        }
        plan
    }

    /// Requests for the workloads that serve some.
    fn serve(&mut self, exposed: Exposed, now: Timestamp) {
        for w in &mut self.workloads {
            let rate = PER_REPLICA * f64::from(w.replicas);
            let serving = w.app.serving();
            w.service = serving.map(|_| Service::new(rate, exposed.swing, w.replicas, now));
        }
    }

    /// Adds what runs on nodes with GPUs. The other pods stay where they are.
    fn add_gpus(&mut self, seed: u64, gpu_nodes: usize, now: Timestamp) {
        let first = self.nodes.len().saturating_sub(gpu_nodes);
        for app in GPU_APPS.iter().filter(|_| gpu_nodes > 0) {
            let index = self.add(seed, app, app.namespace, now);
            let nodes = self.nodes.iter_mut().skip(first);
            let each = app.replicas.max(1);
            for (node, n) in nodes.zip(0_u32..) {
                node.extend((n * each..(n + 1) * each).map(|ordinal| (index, ordinal)));
            }
            self.resize(index, gpu_nodes * each as usize);
        }
    }

    /// Workloads until there are `slots` pods of them; one entry for each pod.
    fn others(&mut self, seed: u64, slots: usize, now: Timestamp) -> Vec<(usize, u32)> {
        let once: usize = APPS.iter().map(|a| a.replicas as usize).sum();
        // A large cluster has more of everything: more replicas of each app, and more teams that have it.
        let scale = (slots / (once * 4)).clamp(1, 40);
        let mut pods = Vec::with_capacity(slots);
        let mut round = 0;
        while pods.len() < slots {
            for app in APPS {
                let factor = if app.replicas > 1 {
                    scale
                } else {
                    scale.div_ceil(4)
                };
                let target = (app.replicas as usize * factor).min(slots - pods.len());
                if target == 0 {
                    break;
                }
                let namespace = match round {
                    0 => app.namespace.to_owned(),
                    n => format!("{}-{}", app.namespace, n + 1),
                };
                let index = self.add(seed, app, &namespace, now);
                pods.extend((0_u32..).take(target).map(|ordinal| (index, ordinal)));
                self.resize(index, target);
                if let Some(w) = self.workloads.get_mut(index) {
                    w.autoscaled = app.autoscaled > 0 && round < 2;
                }
            }
            round += 1;
        }
        pods
    }

    /// Deals pods out in turn, each turn beginning one node further, so that replicas do not pile up.
    fn spread(&mut self, pods: &[(usize, u32)], nodes: usize) {
        for (i, pod) in pods.iter().enumerate() {
            let turn = i / nodes;
            if let Some(node) = self.nodes.get_mut((i + turn) % nodes) {
                node.push(*pod);
            }
        }
    }

    fn add(&mut self, seed: u64, app: &'static App, namespace: &str, now: Timestamp) -> usize {
        let h = hash(seed, stream(app.name) ^ stream(namespace));
        let created = between(hash(h, 1), 41.0, 55.0);
        let revised = match app.kind {
            // On a node since it is a node: a daemon is no younger.
            Kind::DaemonSet => created,
            Kind::Deployment | Kind::StatefulSet => between(hash(h, 2), 0.4, 8.0),
        };
        let ago = |days: f64| now.plus_nanos(-((days * DAY) as i64));
        let namespace = self
            .workloads
            .iter()
            .rev()
            .map(|w| &w.namespace)
            .find(|n| ***n == *namespace)
            .cloned()
            .unwrap_or_else(|| Arc::from(namespace));
        self.workloads.push(Workload::new(
            seed,
            app,
            namespace,
            ago(created),
            ago(revised),
            self.exposed.map(|exposed| exposed.port),
        ));
        self.workloads.len() - 1
    }

    fn resize(&mut self, index: usize, replicas: usize) {
        if let Some(w) = self.workloads.get_mut(index) {
            let replicas = u32::try_from(replicas).unwrap_or(u32::MAX);
            (w.replicas, w.updated, w.ready) = (replicas, replicas, replicas);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    proptest! {
        #[test]
        fn every_node_gets_exactly_its_pods(seed: u64, nodes in 1_usize..40, pods in 0_usize..120) {
            let plan = Plan::new(seed, nodes, pods, NOW, None);
            prop_assert_eq!(plan.nodes.len(), nodes);
            for node in &plan.nodes {
                prop_assert_eq!(node.len(), pods);
            }
            for (index, w) in plan.workloads.iter().enumerate() {
                let mut ordinals: Vec<u32> = plan.nodes.iter().flatten()
                    .filter(|(i, _)| *i == index).map(|(_, o)| *o).collect();
                ordinals.sort_unstable();
                prop_assert_eq!(ordinals, (0..w.replicas).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn workloads_differ_by_namespace_and_name() {
        let plan = Plan::new(1, 200, 30, NOW, None);
        let names: std::collections::BTreeSet<_> = plan
            .workloads
            .iter()
            .map(|w| (&w.namespace, w.app.name))
            .collect();
        assert_eq!(names.len(), plan.workloads.len());
        assert!(names.len() > 60, "{}", names.len());
    }
}
