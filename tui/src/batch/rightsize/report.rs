//! The advice as rows, as a text below them, and as a document.

mod document;
mod rows;
mod summary;

pub use document::Content;

use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};

use super::change::WorkloadChange;
use super::cost::{Change, Prices};
use super::evidence::{ContainerKey, Evidence};
use super::rules::{Advice, Rules, is_throttled};

/// The advice on a container of a workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The container.
    pub key: ContainerKey,
    /// What is known about it.
    pub evidence: Evidence,
    /// The advice.
    pub advice: Advice,
    /// What the advice saves.
    pub change: Change,
}

impl Line {
    /// The advice that follows from the evidence.
    pub fn new(key: ContainerKey, evidence: Evidence, rules: &Rules) -> Self {
        let advice = rules.advise(&evidence);
        Self {
            change: Change::of(&evidence, &advice),
            key,
            evidence,
            advice,
        }
    }

    /// The name of the workload with its kind.
    fn workload(&self) -> String {
        format!("{}/{}", self.key.kind, self.key.workload)
    }

    /// Whether a replica has used more memory than it requests: the kubelet evicts such pods first.
    fn exceeds_request(&self) -> bool {
        let request = self.evidence.spec.memory_request.unwrap_or_default();
        self.evidence.samples > 0 && self.evidence.memory.max > request.0
    }

    /// Whether the memory that was seen, with the margin, is above the limit.
    fn is_near_limit(&self) -> bool {
        let limit = self.evidence.spec.memory_limit;
        let advised = self.advice.memory.ok().and_then(|it| it.limit);
        advised
            .zip(limit)
            .is_some_and(|(advised, limit)| advised > limit)
            || self.evidence.oom_kills > 0
    }

    /// Whether CPU has reached its limit.
    fn is_throttled(&self) -> bool {
        is_throttled(&self.evidence)
    }
}

/// The advice on all containers.
#[derive(Debug, Clone)]
pub struct Report {
    /// The time.
    pub at: Timestamp,
    /// The rules.
    pub rules: Rules,
    /// The prices.
    pub prices: Prices,
    /// Whether rows have the namespace.
    pub has_namespaces: bool,
    /// The containers, in the order of their keys.
    pub lines: Vec<Line>,
}

impl Report {
    /// The changes of each workload.
    pub fn changes(&self) -> Vec<WorkloadChange<'_>> {
        let lines = self.lines.iter();
        WorkloadChange::all(lines.map(|line| (&line.key, &line.evidence, &line.advice)))
    }
}

/// An exact amount of CPU, as in a manifest.
fn exact_cpu(cpu: Nanocores) -> String {
    Quantity::from_nanocores(cpu).to_string()
}

/// An exact amount of memory, as in a manifest.
fn exact_memory(memory: Bytes) -> String {
    Quantity::from_bytes(memory).to_string()
}

/// The lines of one workload, one workload after the other.
fn by_workload(lines: &[Line]) -> impl Iterator<Item = &[Line]> {
    lines.chunk_by(|a, b| {
        (&a.key.namespace, &a.key.kind, &a.key.workload)
            == (&b.key.namespace, &b.key.kind, &b.key.workload)
    })
}

#[cfg(test)]
mod tests;
