//! What something used: from the last scrape, or from what is remembered.

use std::sync::Arc;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::Usage;

use crate::store::ring::Sample;
use crate::store::{self, ContainerLatest, PodRates};

/// What one container used, or several together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UsageSample {
    pub(super) cpu: Nanocores,
    pub(super) memory: Bytes,
    pub(super) swap: Option<Bytes>,
    pub(super) at: Timestamp,
    /// Nothing where it is not remembered.
    pub(super) window: Option<GoDuration>,
}

impl UsageSample {
    /// What a container used over its pod's window.
    pub(super) fn latest(container: &ContainerLatest, rates: &PodRates) -> Self {
        Self {
            cpu: container.cpu,
            memory: container.memory,
            swap: Some(container.swap).filter(|swap| swap.0 > 0),
            at: rates.at,
            window: Some(rates.window),
        }
    }

    /// What a node used.
    pub(super) fn node(usage: &store::Usage) -> Self {
        Self {
            cpu: usage.cpu,
            memory: usage.memory,
            swap: None,
            at: usage.at,
            window: Some(usage.window),
        }
    }

    /// What is remembered.
    pub(super) fn remembered(sample: &Sample) -> Self {
        Self {
            cpu: sample.cpu,
            memory: sample.memory,
            swap: sample.swap,
            at: sample.at,
            window: None,
        }
    }

    /// Both together, as of the earlier.
    pub(super) fn and(self, other: Self) -> Self {
        let swap = match (self.swap, other.swap) {
            (Some(one), Some(other)) => Some(Bytes(one.0.saturating_add(other.0))),
            (one, other) => one.or(other),
        };
        Self {
            cpu: Nanocores(self.cpu.0.saturating_add(other.cpu.0)),
            memory: Bytes(self.memory.0.saturating_add(other.memory.0)),
            swap,
            at: self.at.min(other.at),
            window: self.window.max(other.window),
        }
    }

    /// In the API's form.
    pub(super) fn to_api(self) -> Usage {
        Usage {
            cpu: Quantity::from_nanocores(self.cpu),
            memory: Quantity::from_bytes(self.memory),
            swap: self.swap.map(Quantity::from_bytes),
            timestamp: Some(self.at),
            window: self.window,
        }
    }
}

/// What each of a pod's containers used, by name.
#[derive(Debug)]
pub(super) struct ContainerUsage<'a>(pub(super) Vec<(&'a Arc<str>, UsageSample)>);

impl ContainerUsage<'_> {
    /// All together; nothing of none.
    pub(super) fn together(&self) -> Option<UsageSample> {
        self.0
            .iter()
            .map(|(_, used)| *used)
            .reduce(UsageSample::and)
    }

    /// One of them.
    pub(super) fn of(&self, container: &str) -> Option<UsageSample> {
        let found = self.0.iter().find(|(name, _)| ***name == *container);
        found.map(|(_, used)| *used)
    }
}
