//! Estimates the cluster's usage in steps in which some nodes have no samples.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::Point;

use super::steps::{Steps, add};
use crate::cluster::Resources;

/// Sums over the current nodes that have samples, by step.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    /// Their usage.
    used: Vec<Option<Point>>,
    /// Their allocatable amounts.
    allocatable: Vec<Option<Point>>,
}

impl Coverage {
    /// Adds a node with these points.
    pub(super) fn add(&mut self, points: &[Option<Point>], allocatable: Resources) {
        add(&mut self.used, points);
        let has = point(allocatable);
        let of_steps: Vec<_> = points.iter().map(|point| point.map(|_| has)).collect();
        add(&mut self.allocatable, &of_steps);
    }

    /// The usage of all nodes, if the nodes without samples used the same part of their allocatable amounts as the
    /// others. Empty if no node lacked samples in any step. A step without samples of any node stays `None`. `nodes`
    /// gives the creation time and the allocatable amounts of each node.
    pub(super) fn estimate(
        &self,
        total: &[Option<Point>],
        steps: &Steps,
        nodes: impl Iterator<Item = (Option<Timestamp>, Resources)>,
    ) -> Vec<Option<Point>> {
        let mut existing = vec![None; total.len()];
        for (created, allocatable) in nodes {
            // A node without a creation time always existed.
            let created = created.unwrap_or_default();
            let has = point(allocatable);
            let existed = |step: usize| steps.start(step) >= created;
            let of_steps: Vec<_> = (0..total.len())
                .map(|step| existed(step).then_some(has))
                .collect();
            add(&mut existing, &of_steps);
        }
        let mut is_whole = true;
        let estimate = total
            .iter()
            .enumerate()
            .map(|(step, total)| {
                let total = (*total)?;
                let of = |points: &[Option<Point>]| points.get(step).copied().flatten();
                let (Some(used), Some(has), Some(all)) =
                    (of(&self.used), of(&self.allocatable), of(&existing))
                else {
                    return Some(total);
                };
                let more = |used: u64, has: u64, all: u64| {
                    let missing = all.saturating_sub(has);
                    let more = u128::from(used) * u128::from(missing) / u128::from(has.max(1));
                    u64::try_from(more).unwrap_or(u64::MAX)
                };
                let cpu = more(used.cpu, has.cpu, all.cpu);
                let memory = more(used.memory, has.memory, all.memory);
                is_whole &= cpu == 0 && memory == 0;
                Some(Point {
                    cpu: total.cpu.saturating_add(cpu),
                    memory: total.memory.saturating_add(memory),
                    swap: total.swap,
                })
            })
            .collect();
        if is_whole { Vec::new() } else { estimate }
    }
}

fn point(amounts: Resources) -> Point {
    Point {
        cpu: amounts.cpu.unwrap_or_default().0,
        memory: amounts.memory.unwrap_or_default().0,
        swap: None,
    }
}

#[cfg(test)]
mod tests {
    use kubevitals_proto::units::{Bytes, Nanocores};

    use super::*;

    type Node = (Option<Timestamp>, Resources);

    fn steps(count: usize) -> Steps {
        let (since, step) = (Timestamp::from_secs(100), 10_000_000_000);
        let count = i64::try_from(count).unwrap();
        Steps::new(since, since.plus_nanos(count * step), step)
    }

    fn node(cpu: u64, created: i64) -> Node {
        let allocatable = Resources {
            cpu: Some(Nanocores(cpu)),
            memory: Some(Bytes(1024)),
            ..Resources::default()
        };
        (Some(Timestamp::from_secs(created)), allocatable)
    }

    fn points(cpu: &[Option<u64>]) -> Vec<Option<Point>> {
        let point = |cpu| Point {
            cpu,
            memory: 512,
            swap: None,
        };
        cpu.iter().map(|cpu| cpu.map(point)).collect()
    }

    fn estimate(nodes: &[(Node, &[Option<u64>])]) -> Vec<Option<u64>> {
        let (mut coverage, mut total) = (Coverage::default(), Vec::new());
        for ((_, allocatable), cpu) in nodes {
            let points = points(cpu);
            add(&mut total, &points);
            coverage.add(&points, *allocatable);
        }
        let all = nodes.iter().map(|(node, _)| *node);
        let estimate = coverage.estimate(&total, &steps(total.len()), all);
        estimate.iter().map(|it| it.map(|it| it.cpu)).collect()
    }

    #[test]
    fn node_without_samples_uses_what_the_others_do() {
        let (a, b) = (node(4, 1), node(8, 1));
        // Lost in the third step, and back in the fourth.
        let lost = [Some(4), Some(4), None, Some(4)];
        let complete = [Some(2), Some(2), Some(3), Some(2)];
        let found = estimate(&[(a, &complete), (b, &lost)]);
        assert_eq!(found, [Some(6), Some(6), Some(9), Some(6)]);
        // A node that was created in the second step did not exist before.
        let young = node(4, 110);
        let found = estimate(&[(a, &complete), (young, &[None, Some(1), None, Some(1)])]);
        assert_eq!(found, [Some(2), Some(3), Some(6), Some(3)]);
        // A node that never has samples.
        let found = estimate(&[(a, &complete), (b, &[None; 4])]);
        assert_eq!(found, [Some(6), Some(6), Some(9), Some(6)]);
    }

    #[test]
    fn no_estimate_where_all_nodes_or_none_have_samples() {
        let (a, b) = (node(4, 1), node(8, 1));
        let all = [Some(1), None];
        assert_eq!(estimate(&[(a, &all), (b, &all)]), []);
        assert_eq!(estimate(&[(a, &[None, None])]), []);
        let unknown = (None, Resources::default());
        assert_eq!(estimate(&[(a, &[Some(1)]), (unknown, &[None])]), []);
    }
}
