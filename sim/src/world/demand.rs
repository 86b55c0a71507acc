//! What containers use in truth, for tests that compare it with what was measured.

use kubevitals_proto::time::Timestamp;

use super::World;
use super::pod::{Container, Leak, Pod};

/// What a running container has used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// CPU since its start, in nanoseconds.
    pub cpu: u64,
    /// Its working set, in bytes.
    pub memory: u64,
}

impl World {
    /// What a container that runs has used at a time since its start.
    pub(crate) fn demand(
        &self,
        (namespace, pod, container): (&str, &str, &str),
        at: Timestamp,
    ) -> Option<Demand> {
        self.nodes.iter().find_map(|node| {
            let state = node.state.lock();
            let pod = state.pods().find(|it| it.is(namespace, pod))?;
            let container = pod.containers.iter().find(|it| it.spec.name == container)?;
            let runs = container.running_since().is_some_and(|since| since <= at);
            runs.then(|| Demand {
                cpu: container.cpu_at(self.epoch, at),
                memory: container.memory_at(self.epoch, at),
            })
        })
    }

    /// Lets the memory of a container that runs grow from now on, by so many bytes a second.
    pub(crate) fn leak(&self, (namespace, pod, container): (&str, &str, &str), rate: f64) -> bool {
        let since = self.clock.now();
        self.nodes.iter().any(|node| {
            let mut state = node.state.lock();
            let mut pods = state.pods.iter_mut().flatten();
            let pod = pods.find(|it| it.is(namespace, pod));
            let mut containers = pod.into_iter().flat_map(|pod| &mut pod.containers);
            let runs =
                |it: &&mut Container| it.spec.name == container && it.running_since().is_some();
            match containers.find(runs) {
                Some(container) => {
                    container.leak = Some(Leak { since, rate });
                    true
                }
                None => false,
            }
        })
    }
}

impl Pod {
    fn is(&self, namespace: &str, name: &str) -> bool {
        *self.revision.namespace == *namespace && *self.name == *name
    }
}
