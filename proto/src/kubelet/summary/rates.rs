//! The kubelet's own CPU rates, which a server uses until it has two samples of a counter.

use super::bounded::{Elements, bounded};
use super::lenient::{number, time};
use super::{PodName, SummaryError};
use crate::time::Timestamp;
use serde::Deserialize;
use std::borrow::Cow;

/// The CPU rates of a node and its containers.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Rates<'a> {
    /// The node.
    pub node: NodeRates,
    /// The pods, in no order.
    #[serde(borrow, deserialize_with = "bounded")]
    pub pods: Vec<PodRates<'a>>,
}

/// The CPU rate of the node.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct NodeRates {
    /// CPU of the whole node.
    pub cpu: Option<CpuRate>,
}

/// The CPU rates of a pod.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodRates<'a> {
    /// The pod.
    #[serde(borrow)]
    pub pod_ref: PodName<'a>,
    /// The containers that run; old kubelets report some that do not.
    #[serde(borrow, deserialize_with = "bounded")]
    pub containers: Vec<ContainerRates<'a>>,
}

/// The CPU rate of a container.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerRates<'a> {
    /// The name within the pod.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// The start of the container.
    #[serde(deserialize_with = "time")]
    pub start_time: Option<Timestamp>,
    /// CPU.
    pub cpu: Option<CpuRate>,
}

/// A CPU rate.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CpuRate {
    /// The time of the last sample.
    #[serde(deserialize_with = "time")]
    pub time: Option<Timestamp>,
    /// Usage between the last two samples, in nanocores.
    #[serde(deserialize_with = "number")]
    pub usage_nano_cores: Option<u64>,
}

impl<'a> Rates<'a> {
    /// Parses a body.
    ///
    /// # Errors
    /// When it is not JSON, not a response of `/stats/summary`, or has more pods and containers than a node can.
    pub fn parse(body: &'a [u8]) -> Result<Self, SummaryError> {
        super::parse(body, |rates: &Self| {
            rates.pods.iter().map(Elements::elements).sum()
        })
    }
}

impl Elements for ContainerRates<'_> {}

impl Elements for PodRates<'_> {
    fn elements(&self) -> usize {
        1 + self.containers.len()
    }
}
