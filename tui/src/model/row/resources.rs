//! Usage, requests and limits: values that pods, containers, nodes and sums of pods have in common.

use super::Value;
use crate::model::amount::Amounts;

/// Usage, requests and limits of a row.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RowResources {
    pub(super) usage: Amounts,
    pub(super) requests: Amounts,
    pub(super) limits: Amounts,
}

/// A row with usage, requests and limits.
pub(super) trait HasResources {
    fn resources(&self) -> RowResources;
}

macro_rules! resources {
    ($($name:ident: |$of:ident| $value:expr;)*) => {
        $(pub(super) fn $name<R: HasResources>(row: &R) -> Value<'_> {
            let $of = row.resources();
            $value
        })*
    };
}

resources! {
    cpu: |of| of.usage.cpu.into();
    cpu_request: |of| of.requests.cpu.into();
    cpu_limit: |of| of.limits.cpu.into();
    cpu_of_request: |of| Value::Part(of.usage.cpu.of(of.requests.cpu));
    cpu_of_limit: |of| Value::PartOfLimit(of.usage.cpu.of(of.limits.cpu));
    cpu_trend: |of| Value::CpuTrend(of.usage.cpu, of.limits.cpu.or(of.requests.cpu));
    memory: |of| of.usage.memory.into();
    memory_request: |of| of.requests.memory.into();
    memory_limit: |of| of.limits.memory.into();
    memory_of_request: |of| Value::Part(of.usage.memory.of(of.requests.memory));
    memory_of_limit: |of| Value::PartOfLimit(of.usage.memory.of(of.limits.memory));
    memory_trend: |of| Value::MemoryTrend(of.usage.memory, of.limits.memory.or(of.requests.memory));
}
