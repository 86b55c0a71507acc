//! `Statistics`: what `stats=SPAN` adds to pods, their containers and nodes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Quantiles;
use crate::duration::GoDuration;
use crate::time::Timestamp;

/// Usage over a span, from the samples in it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Statistics {
    /// The start of the time that the first sample covers.
    pub since: Timestamp,
    /// The time of the last sample.
    pub until: Timestamp,
    /// The time that the samples cover. Gaps do not count.
    pub covered: GoDuration,
    /// The number of samples.
    pub samples: u64,
    /// CPU over the span, in nanocores.
    pub cpu: Quantiles,
    /// Memory over the span, in bytes.
    pub memory: Quantiles,
    /// Of a container: the least and the most memory in each quarter of the time since its last restart in the span, the
    /// oldest first. Absent if a quarter has fewer than four samples.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub memory_quarters: Vec<MemoryRange>,
    /// Of a container: its restarts in the span.
    pub restarts: u64,
    /// Of a container: those of its restarts that followed an OOM kill.
    pub oom_kills: u64,
}

/// The least and the most memory in a part of a span, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MemoryRange {
    /// The least.
    pub min: u64,
    /// The most.
    pub max: u64,
}
