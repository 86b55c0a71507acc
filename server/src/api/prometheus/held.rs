//! Ours: what is kept in memory, and what of it is whole.

use std::collections::BTreeMap;
use std::fmt;

use super::Known;
use super::families::Families;
use crate::query::Wholeness;

/// What the store holds, all nodes together.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) nodes: u64,
    pub(super) containers: u64,
    pub(super) bytes: u64,
}

pub(super) fn write(families: &mut Families<'_>, known: &Known<'_>) -> fmt::Result {
    let Wholeness {
        bytes,
        extra_bytes,
        whole_pods,
        whole_nodes,
        incomplete_pods,
        incomplete_nodes,
        rates,
    } = known.query.wholeness();
    families.gauge(
        "kubevitals_store_series",
        "Series in the store: nodes and containers of which there is a point.",
        |family| {
            family.value(&[("type", "node")], known.held.nodes)?;
            family.value(&[("type", "container")], known.held.containers)
        },
    )?;
    families.gauge(
        "kubevitals_store_points",
        "Points in the store: the last reading of each series, and the rates made of readings.",
        |family| {
            family.value(
                &[("type", "reading")],
                known.held.nodes + known.held.containers,
            )?;
            family.value(&[("type", "rate")], rates)
        },
    )?;
    families.gauge(
        "kubevitals_store_bytes",
        "Memory that readings, rates, and what /stats/summary tells beside them take, without the names that they share.",
        |family| {
            family.value(&[("type", "reading")], known.held.bytes)?;
            family.value(&[("type", "rate")], bytes)?;
            family.value(&[("type", "extra")], extra_bytes)
        },
    )?;
    families.gauge(
        "kubevitals_store_names",
        "Names and labels in use, each of which is kept once.",
        |family| family.value(&[], known.query.names()),
    )?;
    families.gauge(
        "kubevitals_cluster_objects",
        "Objects of the API server that are known, by resource; of nodes those that --node-selector selects.",
        |family| {
            let (nodes, pods) = known.query.objects();
            family.value(&[("resource", "nodes")], nodes)?;
            family.value(&[("resource", "pods")], pods)
        },
    )?;
    families.gauge(
        "kubevitals_whole",
        "Nodes and pods that had all they need for their rates in their kubelet's last answer, by resource.",
        |family| {
            family.value(&[("resource", "nodes")], whole_nodes)?;
            family.value(&[("resource", "pods")], whole_pods)
        },
    )?;
    let mut lacks = |name: &str, help: &str, lacks: &BTreeMap<&'static str, u64>| {
        families.gauge(name, help, |family| {
            lacks
                .iter()
                .try_for_each(|(lack, count)| family.value(&[("lack", lack)], *count))
        })
    };
    lacks(
        "kubevitals_incomplete_nodes",
        "Nodes that lacked something for their rates in their kubelet's last answer, by what.",
        &incomplete_nodes,
    )?;
    lacks(
        "kubevitals_incomplete_pods",
        "Pods that lacked something for their rates in their kubelet's last answer, by what their first such container lacked.",
        &incomplete_pods,
    )
}
