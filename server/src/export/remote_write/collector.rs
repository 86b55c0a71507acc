//! Collects the new samples of usage of all nodes, and marks the end of series.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::time::nanos;

use super::cursor::{Cursor, NEAR, OWN, Written, series};
use super::writer::Writer;
use crate::clock::Age;
use crate::cluster::Cluster;
use crate::export::series::{CONTAINER_USAGE, ContainerSample, NODE_USAGE, NodeSample, Usages};
use crate::store::{NodeCell, Store};

/// What was collected of a node.
#[derive(Debug, Clone, Default)]
pub(super) struct NodeCursor {
    /// The last scrape.
    scraped: Age,
    pub(super) own: Option<NodeSample>,
    /// By namespace, pod and container.
    pub(super) containers: Vec<ContainerSample>,
}

impl NodeCursor {
    /// How far its series are written.
    pub(super) fn written(&self) -> Option<Written> {
        let containers = self.containers.iter().map(|it| (key(it), it.point.at));
        let own = self.own.iter().map(|it| (OWN, it.point.at));
        let all = own.chain(containers);
        let newest = all.clone().map(|(_, at)| at).max()?;
        let recent = all.filter(|(_, at)| newest.since(*at) < NEAR);
        Some(Written {
            newest,
            recent: recent.map(|(of, _)| series(of)).collect(),
        })
    }
}

/// Collects samples of usage.
#[derive(Debug)]
pub(super) struct Collector {
    cluster: Arc<Cluster>,
    store: Arc<Store>,
    resolution: Duration,
    nodes: HashMap<Arc<str>, NodeCursor>,
    /// Samples that were older than one before.
    pub(super) out_of_order: u64,
}

impl Collector {
    pub(super) fn new(cluster: Arc<Cluster>, store: Arc<Store>, resolution: Duration) -> Self {
        Self {
            cluster,
            store,
            resolution,
            nodes: HashMap::new(),
            out_of_order: 0,
        }
    }

    /// What was collected of each node.
    pub(super) fn nodes(&self) -> &HashMap<Arc<str>, NodeCursor> {
        &self.nodes
    }

    /// How far the series of each node are collected.
    pub(super) fn cursor(&self) -> Cursor {
        Cursor::of(
            self.nodes
                .iter()
                .filter_map(|(node, cursor)| Some((node, cursor.written()?))),
        )
    }

    /// Adds the samples of all scrapes since the last call.
    pub(super) fn collect(&mut self, writer: &mut Writer) {
        let cells = self.store.cells();
        let usages = Usages::of(&self.cluster);
        for (node, cell) in cells.iter() {
            let scraped = cell.latest().map(|latest| latest.scraped);
            let before = self.nodes.get(node).map(|cursor| cursor.scraped);
            if let Some(scraped) = scraped.filter(|scraped| before != Some(*scraped)) {
                self.node(node, cell, scraped, &usages, writer);
            }
        }
        let resolution = nanos(self.resolution);
        self.nodes.retain(|node, cursor| {
            let stays = cells.contains_key(node);
            if !stays {
                end(cursor, resolution, writer);
            }
            stays
        });
    }

    /// Adds the new samples of a node.
    fn node(
        &mut self,
        node: &Arc<str>,
        cell: &NodeCell,
        scraped: Age,
        usages: &Usages,
        writer: &mut Writer,
    ) {
        let (own, containers) = usages.read(node, cell);
        let before = self.nodes.remove(node).unwrap_or_default();
        let mut cursor = NodeCursor {
            scraped,
            own: before.own,
            containers: Vec::with_capacity(containers.len()),
        };
        if let Some(own) = own {
            match cursor
                .own
                .as_ref()
                .map(|last| own.point.at.cmp(&last.point.at))
            {
                None | Some(Ordering::Greater) => {
                    writer.add(NODE_USAGE, &own, own.point.at);
                    cursor.own = Some(own);
                }
                Some(Ordering::Less) => self.out_of_order += 1,
                Some(Ordering::Equal) => {}
            }
        }
        let resolution = nanos(self.resolution);
        let mut old = before.containers.into_iter().peekable();
        for sample in containers {
            while let Some(gone) = old.next_if(|it| key(it) < key(&sample)) {
                end_container(&gone, resolution, writer);
            }
            let Some(last) = old.next_if(|it| key(it) == key(&sample)) else {
                writer.add(CONTAINER_USAGE, &sample, sample.point.at);
                cursor.containers.push(sample);
                continue;
            };
            match sample.point.at.cmp(&last.point.at) {
                Ordering::Greater => {
                    if sample.image != last.image {
                        // Another series: the image is one of its labels.
                        end_container(&last, 1, writer);
                    }
                    writer.add(CONTAINER_USAGE, &sample, sample.point.at);
                    cursor.containers.push(sample);
                }
                Ordering::Less => {
                    self.out_of_order += 1;
                    cursor.containers.push(last);
                }
                Ordering::Equal => cursor.containers.push(last),
            }
        }
        for gone in old {
            end_container(&gone, resolution, writer);
        }
        self.nodes.insert(Arc::clone(node), cursor);
    }
}

/// The order of the containers of a node.
pub(super) fn key(sample: &ContainerSample) -> (&str, &str, &str) {
    (&sample.pod.namespace, &sample.pod.name, &sample.container)
}

/// Marks all series of a node as ended.
fn end(cursor: &NodeCursor, after: i64, writer: &mut Writer) {
    if let Some(own) = &cursor.own {
        writer.end(NODE_USAGE, own, own.point.at.plus_nanos(after), |_, _| {
            false
        });
    }
    for container in &cursor.containers {
        end_container(container, after, writer);
    }
}

/// Marks the series of a container as ended, `after` its last sample: when the next one was due. The mark has the
/// kubelet's clock too.
fn end_container(last: &ContainerSample, after: i64, writer: &mut Writer) {
    let at = last.point.at.plus_nanos(after.max(1_000_000));
    writer.end(CONTAINER_USAGE, last, at, |_, _| false);
}
