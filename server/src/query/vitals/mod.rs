//! The vitals of pods, nodes and the cluster, each told by itself: what exists, joined with what was measured.
//!
//! Nothing is prepared for a list. Whoever wants many tells one after the other and forgets each when it is sent, so a
//! list of 150,000 pods takes the memory of one. What all have in common (each node's last scrape, the sums of a node's
//! pods) is looked up once.

mod absence;
mod amounts;
mod cluster;
mod container;
mod node;
mod pod;
mod totals;

use std::collections::HashMap;
use std::sync::Arc;

use totals::Totals;
pub(super) use totals::TotalsCache;

use super::Query;
use crate::clock::Age;
use crate::cluster::{ConditionStatus, Jobs, Nodes, Pods};
use crate::store::{Cells, Latest, NodeExtra, Retention};

/// Tells the vitals of one moment. Each node's measurements are taken once, so that its pods are of one scrape.
#[derive(Debug)]
pub struct Teller {
    cells: Arc<Cells>,
    nodes: Arc<Nodes>,
    pods: Arc<Pods>,
    jobs: Arc<Jobs>,
    totals: Arc<Totals>,
    met: HashMap<Arc<str>, Arc<Met>>,
    retention: Retention,
    now: Age,
    /// All nodes are watched: one that is not known is gone.
    every_node: bool,
}

/// What is known of a node whose pods are told.
#[derive(Debug)]
struct Met {
    latest: Option<Arc<Latest>>,
    extra: Option<Arc<NodeExtra>>,
    /// Its kubelet is not heard of: what the API server has of its containers is what they once were.
    lost: bool,
}

impl Query {
    /// Tells the vitals of now.
    pub fn teller(&self) -> Teller {
        let pods = self.cluster.pods();
        Teller {
            cells: self.store.cells(),
            nodes: self.cluster.nodes(),
            jobs: self.cluster.jobs(),
            totals: self.totals.of(&pods),
            pods,
            met: HashMap::new(),
            retention: self.retention,
            now: self.now(),
            every_node: self.watches.node_selector.is_none(),
        }
    }
}

impl Teller {
    /// The pods that there are.
    pub fn pods(&self) -> &Arc<Pods> {
        &self.pods
    }

    /// The nodes that there are.
    pub fn nodes(&self) -> &Arc<Nodes> {
        &self.nodes
    }

    fn meet(&mut self, node: &Arc<str>) -> Arc<Met> {
        if let Some(met) = self.met.get(node) {
            return Arc::clone(met);
        }
        let cell = self.cells.get(node);
        let met = Arc::new(Met {
            latest: cell.and_then(|cell| cell.latest()),
            extra: cell.and_then(|cell| cell.extra(self.now)),
            lost: match self.nodes.get(node) {
                Some(node) => {
                    let unready = node.unready.as_ref();
                    unready.is_some_and(|it| it.status == ConditionStatus::Unknown)
                }
                None => self.every_node,
            },
        });
        self.met.insert(Arc::clone(node), Arc::clone(&met));
        met
    }
}
