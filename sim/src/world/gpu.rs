//! The GPUs of a node, and which pods use them.

use super::hash::{between, hash, uid};
use super::node::{Node, NodeState};
use super::pod::Pod;
use super::queue::Engine;

/// The memory of a GPU, and what the driver takes of it, in MiB.
const MEMORY: u64 = 81_559;
const RESERVED: u64 = 640;

/// A GPU, and what it does.
#[derive(Debug)]
pub(crate) struct Gpu<'a> {
    pub(crate) index: u32,
    pub(crate) uuid: String,
    /// The pod that uses it, if any.
    pub(crate) pod: Option<&'a Pod>,
    /// Percent of the time in which it did something.
    pub(crate) utilization: u64,
    /// MiB of its memory.
    pub(crate) used: u64,
    pub(crate) free: u64,
}

/// The GPUs of a node. Its pods use one each, in the order of their slots; a pod for which none is left does without.
pub(crate) fn gpus<'a>(engine: &Engine, node: &Node, state: &'a NodeState) -> Vec<Gpu<'a>> {
    let mut users = state.running().filter(|pod| pod.revision.app.needs_gpu());
    let of = |index: u32| {
        let pod = users.next();
        let load = pod.map(|pod| load(engine, pod));
        let used = load.map_or(4, |load| (12_000.0 + 60_000.0 * load) as u64);
        Gpu {
            index,
            uuid: format!("GPU-{}", uid(hash(node.seed, 900 + u64::from(index)))),
            pod,
            utilization: load.map_or(0, |load| (100.0 * load).round() as u64),
            used,
            free: MEMORY - RESERVED - used,
        }
    };
    (0..node.gpus).map(of).collect()
}

/// The part of a GPU that a pod uses: that of its capacity for requests, and no two pods the same.
fn load(engine: &Engine, pod: &Pod) -> f64 {
    let workload = engine.workloads.get(pod.workload);
    let service = workload.and_then(|w| w.service.as_ref());
    let ready = pod.served.is_ready();
    let used = service.filter(|_| ready).map_or(0.0, |it| it.utilization());
    (used * between(hash(pod.seed, 901), 0.85, 1.0)).min(1.0)
}
