//! `top node`.

use std::collections::HashMap;

use super::cells::{self, UNKNOWN};
use super::common::{self, Order};
use crate::batch::tabwriter::TabWriter;
use crate::batch::{Error, Streams};
use crate::cli::{Connection, TopNode, non_empty};
use crate::source::kubeconfig::Settings;
use crate::source::{NodeCapacity, NodeUsage, Selection};

pub(super) async fn run(
    connection: &Connection,
    flags: &TopNode,
    streams: &mut Streams<'_>,
) -> Result<(), Error> {
    let settings = Settings::read(connection)?;
    let api = common::connect(&settings, flags.use_protocol_buffers).await?;
    let sort_by = common::sort_by(flags.sort_by.as_ref())?;
    let name = non_empty(flags.name.as_ref());
    let labels = flags.selector.as_deref().unwrap_or_default();
    if name.is_some() && !labels.is_empty() {
        return Err(Error::Failed(
            "only one of NAME or --selector can be provided".to_owned(),
        ));
    }
    common::check_labels(labels)?;
    let version = common::served(&api).await?;
    let selection = Selection { labels, fields: "" };
    // Requested at once; errors are reported in kubectl's order.
    let (used, nodes) = match name {
        Some(name) => {
            let (used, node) = tokio::join!(api.node(version, name), api.node_capacity(name));
            (used.map(|used| vec![used]), node.map(|node| vec![node]))
        }
        None => tokio::join!(
            api.nodes(version, selection),
            api.node_capacities(selection)
        ),
    };
    let used = used?;
    if used.is_empty() {
        return Err(common::not_yet());
    }
    let table = node_table(used, nodes?, sort_by.into(), flags);
    common::write(table, streams.out)
}

/// The table of nodes: those with metrics, sorted, then those without, by name. The flags choose the columns.
pub fn node_table(
    mut used: Vec<NodeUsage>,
    nodes: Vec<NodeCapacity>,
    order: Order,
    flags: &TopNode,
) -> TabWriter {
    order.sort(&mut used, |node| &node.name, |node| node.usage);
    let mut nodes: HashMap<String, NodeCapacity> = nodes
        .into_iter()
        .map(|node| (node.name.clone(), node))
        .collect();
    let mut table = TabWriter::with_capacity(used.len() + 1, 7);
    if !flags.no_headers {
        let names = ["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"];
        let swap: &[&str] = if flags.show_swap {
            &["SWAP(bytes)", "SWAP(%)"]
        } else {
            &[]
        };
        names.iter().chain(swap).for_each(|name| table.cell(name));
        table.end_line();
    }
    for NodeUsage { name, usage, .. } in &used {
        let node = nodes.remove(name);
        let available = node.as_ref().map(|node| {
            if flags.show_capacity {
                node.capacity
            } else {
                node.allocatable
            }
        });
        table.cell(name);
        cells::cpu(&mut table, usage.cpu);
        cells::percent(
            &mut table,
            usage.cpu,
            available.and_then(|available| available.cpu),
        );
        cells::bytes(&mut table, usage.memory);
        cells::percent(
            &mut table,
            usage.memory,
            available.and_then(|available| available.memory),
        );
        if flags.show_swap {
            match node.as_ref().map(|node| node.swap) {
                Some(None) => {
                    table.cell(UNKNOWN);
                    table.cell(UNKNOWN);
                }
                swap => {
                    cells::bytes(&mut table, usage.swap);
                    cells::percent(&mut table, usage.swap, swap.flatten());
                }
            }
        }
        table.end_line();
    }
    let mut without_metrics: Vec<String> = nodes.into_keys().collect();
    without_metrics.sort_unstable();
    for name in without_metrics {
        table.cell(&name);
        for _ in 0..if flags.show_swap { 6 } else { 4 } {
            table.cell(UNKNOWN);
        }
        table.end_line();
    }
    table
}
