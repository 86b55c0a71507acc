//! One worker for each node: started when the node appears, notified when it changes, ended when it is deleted.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::admission::EarlyBudget;
use super::buffers::Buffers;
use super::client::Kubelets;
use super::node_log::Lines;
use super::page::ProbeSink;
use super::settings::Settings;
use super::shared::Shared;
use super::starts::Starts;
use super::stats::Stats;
use super::worker;
use crate::clock::Clock;
use crate::cluster::{Cluster, Node};
use crate::memory::Memory;
use crate::store::Store;

/// The number and size of free buffers for /metrics/resource. A buffer is in use from the header of the response to
/// the end of the scrape, which is rarely so for more than a few at once.
const BUFFERS: (usize, usize) = (4, 256 << 10);

/// The number and size of free buffers for other pages.
const PAGE_BUFFERS: (usize, usize) = (1, 1 << 20);

/// The time between two checks of the workers.
const CHECK_INTERVAL: Duration = Duration::from_secs(60);

/// The task of one node.
struct Worker {
    node: watch::Sender<Arc<Node>>,
    task: AbortHandle,
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The parts that scrapes use.
#[derive(Debug)]
pub struct Parts {
    /// The client of kubelets.
    pub kubelets: Kubelets,
    /// The nodes.
    pub cluster: Arc<Cluster>,
    /// Receives the rates.
    pub store: Arc<Store>,
    /// Receives the counters of probes.
    pub probes: Arc<dyn ProbeSink>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Counts of scrapes.
    pub stats: Arc<Stats>,
    /// Reports the starts of containers.
    pub starts: Arc<Starts>,
    /// The memory limit.
    pub memory: Arc<Memory>,
    /// Selects the nodes that are scraped; without it, all.
    pub filter: Option<Arc<dyn NodeFilter>>,
    /// Notified when the cluster's nodes, or those that the filter selects, have changed.
    pub changed: watch::Receiver<()>,
}

/// Selects the nodes that this process scrapes.
pub trait NodeFilter: Debug + Send + Sync {
    /// Whether this process scrapes a node.
    fn scrapes(&self, node: &str) -> bool;
}

/// Runs one worker for each node, forever.
pub async fn run(settings: Settings, parts: Parts) {
    let Parts {
        kubelets,
        cluster,
        store,
        probes,
        clock,
        stats,
        starts,
        memory,
        filter,
        mut changed,
    } = parts;
    let shared = Arc::new(Shared {
        settings,
        kubelets,
        cluster: Arc::clone(&cluster),
        clock,
        stats,
        lines: Lines::default(),
        buffers: Buffers::new(BUFFERS.0, BUFFERS.1),
        probes,
        page_buffers: Buffers::new(PAGE_BUFFERS.0, PAGE_BUFFERS.1),
        starts,
        memory,
        early: EarlyBudget::default(),
    });
    let mut workers: HashMap<Arc<str>, Worker> = HashMap::new();
    let scrapes = |name: &str| filter.as_ref().is_none_or(|filter| filter.scrapes(name));
    loop {
        let nodes = cluster.nodes();
        if filter.is_some() {
            // Nodes that other processes scrape have no worker that is removed.
            let cells = store.cells();
            let gone = cells.keys().filter(|name| !nodes.contains_key(*name));
            gone.for_each(|name| store.remove(name));
        }
        workers.retain(|name, worker| {
            if !nodes.contains_key(name) {
                store.remove(name);
                shared.stats.records().remove(name);
                shared.starts.remove(name);
                return false;
            }
            if !scrapes(name) {
                // Its latest values stay until another process reports it.
                shared.stats.records().remove(name);
                shared.starts.remove(name);
                return false;
            }
            let ended = worker.task.is_finished();
            if ended {
                tracing::error!(node = %name, "the scrapes of node {name} ended by a defect of this program and start again; please report the panic above");
                // The panic may have left its series half changed.
                store.remove(name);
            }
            !ended
        });
        for (name, node) in nodes.iter() {
            if let Some(worker) = workers.get(name) {
                worker.node.send_if_modified(|current| {
                    let changed_node = **current != **node;
                    *current = Arc::clone(node);
                    changed_node
                });
            } else if scrapes(name) {
                let (sender, receiver) = watch::channel(Arc::clone(node));
                let task = tokio::spawn(worker::run(
                    Arc::clone(&shared),
                    receiver,
                    store.add(name, shared.settings.resolution),
                    store.history().begin(name),
                ))
                .abort_handle();
                workers.insert(Arc::clone(name), Worker { node: sender, task });
            }
        }
        shared.stats.set_nodes(workers.len());
        // Ended workers are restarted even if the cluster does not change.
        let _either = tokio::time::timeout(CHECK_INTERVAL, changed.changed()).await;
    }
}
