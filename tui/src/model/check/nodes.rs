//! Nodes: not ready, without usage, under pressure, nearly full.

use super::incidents::Explained;
use super::problem::{Basis, Object, Problem, Severity};
use super::rule::Rule;
use crate::model::amount::{Cpu, Memory};
use crate::model::attention::lost;
use crate::model::format;
use crate::model::row::{NodeRow, Row as _};
use crate::model::world::World;

/// Adds the problems of nodes.
pub(super) fn check(
    world: &World,
    basis: &Basis<'_>,
    explained: &Explained<'_>,
    problems: &mut Vec<Problem>,
) {
    let lost = lost(world);
    for node in world.nodes.rows() {
        let mut add = |rule, severity, message: String| {
            problems.push(Problem {
                severity,
                rule,
                object: Object::new("Node", &node.key()),
                message,
                since: None,
            });
        };
        if lost.not_ready.contains(&&node.name) {
            if !explained.has_node(&node.name) {
                add(
                    Rule::NodeNotReady,
                    Severity::Critical,
                    not_ready(world, node),
                );
            }
            continue;
        }
        if lost.silent.contains(&&node.name) {
            add(Rule::NodeSilent, Severity::Warning, silent(node, basis));
        }
        if !node.conditions.is_empty() {
            let text = node.conditions.join(", ");
            add(Rule::NodeCondition, Severity::Warning, text);
        }
        for (rule, part, text) in usage(node) {
            let tone = part.map(|part| basis.thresholds.tone(part));
            if let Some(severity) = tone.and_then(Severity::of) {
                add(rule, severity, text);
            }
        }
    }
}

fn not_ready(world: &World, node: &NodeRow) -> String {
    let pods = world.pods.rows().iter();
    let pods = pods.filter(|pod| pod.node == node.name && !pod.phase.is_over());
    match pods.count() {
        0 => node.status.to_string(),
        pods => format!("{}; it has {}", node.status, format::count(pods, "pod")),
    }
}

fn silent(node: &NodeRow, basis: &Basis<'_>) -> String {
    match (&node.absent, node.usage_time()) {
        (Some(why), _) => why.to_string(),
        (None, Some(last)) => format!("its last usage is {} old", format::age(last, basis.now)),
        (None, None) => "it has no usage".to_owned(),
    }
}

/// How much of its CPU, memory and disk a node uses, in words too.
fn usage(node: &NodeRow) -> [(Rule, Option<f64>, String); 3] {
    let cpu = (node.usage.cpu, node.allocatable.cpu);
    let memory = (node.usage.memory, node.allocatable.memory);
    let disk = (node.disk, node.disk_capacity);
    [
        (Rule::NodeCpu, cpu.0.of(cpu.1), of_cpu(cpu, "CPU")),
        (
            Rule::NodeMemory,
            memory.0.of(memory.1),
            of_memory(memory, "memory"),
        ),
        (Rule::NodeDisk, disk.0.of(disk.1), of_memory(disk, "disk")),
    ]
}

/// `uses 92% of its CPU: 3680m of 4000m`.
pub(super) fn of_cpu((used, whole): (Cpu, Cpu), what: &str) -> String {
    let part = used.of(whole).map(format::percent);
    let amounts = used.get().zip(whole.get());
    let amounts = amounts.map(|(used, whole)| {
        let used = format::cpu_beside(used, whole);
        format!("{used} of {}", format::cpu(whole))
    });
    words(part, amounts, what)
}

/// `uses 92% of its memory limit: 235Mi of 256Mi`.
pub(super) fn of_memory((used, whole): (Memory, Memory), what: &str) -> String {
    let part = used.of(whole).map(format::percent);
    let amounts = used.get().zip(whole.get());
    let amounts =
        amounts.map(|(used, whole)| format!("{} of {}", format::bytes(used), format::bytes(whole)));
    words(part, amounts, what)
}

fn words(part: Option<String>, amounts: Option<String>, what: &str) -> String {
    let (part, amounts) = (part.unwrap_or_default(), amounts.unwrap_or_default());
    format!("uses {part} of its {what}: {amounts}")
}
