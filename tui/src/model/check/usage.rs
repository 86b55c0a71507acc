//! Containers near their limits.

use super::nodes::{of_cpu, of_memory};
use super::problem::{Basis, Object, Problem, Severity};
use super::rule::Rule;
use crate::model::attention::is_near_limit;
use crate::model::row::Row as _;
use crate::model::world::World;

/// Adds containers that have used nearly all of their memory limit, or use all of their CPU limit.
pub(super) fn check(world: &World, basis: &Basis<'_>, problems: &mut Vec<Problem>) {
    for pod in world.pods.rows() {
        if !basis.has_namespace(&pod.namespace) {
            continue;
        }
        for container in &pod.containers {
            let (usage, limits) = (container.usage, container.limits);
            let mut add = |rule, message| {
                problems.push(Problem {
                    severity: Severity::Warning,
                    rule,
                    object: Object::new("Pod", &pod.key()).container(&container.name),
                    message,
                    since: None,
                });
            };
            if is_near_limit(usage, limits, basis.thresholds) {
                let memory = (usage.memory, limits.memory);
                add(Rule::MemoryLimit, of_memory(memory, "memory limit"));
            }
            let cpu = usage.cpu.of(limits.cpu);
            if cpu.is_some_and(|part| part >= basis.thresholds.bad) {
                let cpu = (usage.cpu, limits.cpu);
                add(Rule::CpuLimit, of_cpu(cpu, "CPU limit"));
            }
        }
    }
}
