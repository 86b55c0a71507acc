//! Usage from the last scrape or from history.

use std::sync::Arc;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::Usage;

use crate::store::ring::Sample;
use crate::store::{self, ContainerLatest, PodRates};

/// The usage of one container, or the sum of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UsageSample {
    pub(super) cpu: Nanocores,
    pub(super) memory: Bytes,
    pub(super) swap: Option<Bytes>,
    pub(super) at: Timestamp,
    /// `None` for samples from history.
    pub(super) window: Option<GoDuration>,
}

impl UsageSample {
    /// The usage of a container over its pod's window.
    pub(super) fn latest(container: &ContainerLatest, rates: &PodRates) -> Self {
        Self {
            cpu: container.cpu,
            memory: container.memory,
            swap: Some(container.swap).filter(|swap| swap.0 > 0),
            at: rates.at,
            window: Some(rates.window),
        }
    }

    /// The usage of a node.
    pub(super) fn node(usage: &store::Usage) -> Self {
        Self {
            cpu: usage.cpu,
            memory: usage.memory,
            swap: None,
            at: usage.at,
            window: Some(usage.window),
        }
    }

    /// A sample from history.
    pub(super) fn from_history(sample: &Sample) -> Self {
        Self {
            cpu: sample.cpu,
            memory: sample.memory,
            swap: sample.swap,
            at: sample.at,
            window: None,
        }
    }

    /// The sum of two, with the earlier timestamp.
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

    /// Converts to the API object.
    pub(super) fn to_api(self) -> Usage {
        Usage {
            cpu: Quantity::from_nanocores(self.cpu),
            memory: Quantity::from_bytes(self.memory),
            swap: self.swap.map(Quantity::from_bytes),
            timestamp: Some(self.at),
            window: self.window,
            provisional: false,
        }
    }
}

/// The usage of each of a pod's containers, by name.
#[derive(Debug)]
pub(super) struct ContainerUsage<'a>(pub(super) Vec<(&'a Arc<str>, UsageSample)>);

impl ContainerUsage<'_> {
    /// The sum over all containers; `None` without containers.
    pub(super) fn total(&self) -> Option<UsageSample> {
        self.0
            .iter()
            .map(|(_, used)| *used)
            .reduce(UsageSample::and)
    }

    /// The usage of one container.
    pub(super) fn of(&self, container: &str) -> Option<UsageSample> {
        let found = self.0.iter().find(|(name, _)| ***name == *container);
        found.map(|(_, used)| *used)
    }
}
