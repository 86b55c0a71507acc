//! When and how kubelets are asked, and how their bytes become points.
//!
//! Every node has a task of its own that owns the node's series: no batch, no lock, no node waits for another.

mod admission;
mod buffers;
mod client;
mod connection;
mod credentials;
mod failure;
mod first_rates;
mod metrics;
mod node_log;
mod pages;
mod record;
mod schedule;
mod settings;
mod stats;
mod target;
mod trust;
mod worker;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;

pub use admission::Requests;
pub use client::Kubelets;
pub use credentials::{Credentials, Token};
pub use failure::{Failed, ScrapeError};
pub use pages::{Intervals, NoProbes, Page, PageSnapshot, ProbeSink};
pub use record::{
    Attempt, BadLines, DURATION_BOUNDS, Durations, History, Moment, PageHistory, Record, Records,
};
pub use schedule::Phase;
pub use settings::{KubeletFlags, Settings};
pub use stats::{Latency, Snapshot, Stats};
pub use target::Addressing;
pub use trust::{Pem, TlsError, Trust};

use crate::clock::Clock;
use crate::cluster::{Cluster, Node};
use crate::store::Store;
use admission::Gate;
use buffers::Buffers;
use node_log::Lines;

/// Bodies of /metrics/resource: a few for each core would do; nodes that are slow hold theirs for longer.
const KEPT_BUFFERS: (usize, usize) = (32, 256 << 10);

/// Bodies of other pages.
const KEPT_PAGE_BUFFERS: (usize, usize) = (4, 1 << 20);

/// How often the workers themselves are looked after.
const ROUNDS: Duration = Duration::from_secs(60);

/// What all workers share.
struct Shared {
    settings: Settings,
    kubelets: Kubelets,
    cluster: Arc<Cluster>,
    clock: Arc<dyn Clock>,
    stats: Arc<Stats>,
    /// Admits requests to kubelets.
    gate: Arc<Gate>,
    /// Log lines about nodes.
    lines: Lines,
    buffers: Buffers,
    /// Where counts of probes go.
    probes: Arc<dyn ProbeSink>,
    page_buffers: Buffers,
}

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

/// What scrapes work with.
#[derive(Debug)]
pub struct Parts {
    /// Asks kubelets.
    pub kubelets: Kubelets,
    /// Which nodes there are.
    pub cluster: Arc<Cluster>,
    /// Where rates go.
    pub store: Arc<Store>,
    /// Where counts of probes go.
    pub probes: Arc<dyn ProbeSink>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// What is counted.
    pub stats: Arc<Stats>,
    /// Told whenever the cluster's nodes have changed.
    pub changed: Arc<Notify>,
}

/// Keeps one worker for each node, for ever: started when the node appears, told when it changes, ended when
/// it goes.
pub async fn run(settings: Settings, parts: Parts) {
    let Parts {
        kubelets,
        cluster,
        store,
        probes,
        clock,
        stats,
        changed,
    } = parts;
    let gate = Arc::new(Gate::new(kubelets.timeout(), settings.resolution));
    stats.set_gate(Arc::clone(&gate));
    let shared = Arc::new(Shared {
        settings,
        kubelets,
        cluster: Arc::clone(&cluster),
        clock,
        stats,
        gate,
        lines: Lines::default(),
        buffers: Buffers::new(KEPT_BUFFERS.0, KEPT_BUFFERS.1),
        probes,
        page_buffers: Buffers::new(KEPT_PAGE_BUFFERS.0, KEPT_PAGE_BUFFERS.1),
    });
    let mut workers: HashMap<Arc<str>, Worker> = HashMap::new();
    loop {
        let nodes = cluster.nodes();
        workers.retain(|name, worker| {
            if !nodes.contains_key(name) {
                store.remove(name);
                shared.stats.records().remove(name);
                return false;
            }
            let ended = worker.task.is_finished();
            if ended {
                tracing::error!(node = %name, "the scrapes of node {name} ended by a defect of this program and are begun anew; please report the panic above");
            }
            !ended
        });
        for (name, node) in nodes.iter() {
            if let Some(worker) = workers.get(name) {
                worker.node.send_if_modified(|known| {
                    let news = **known != **node;
                    *known = Arc::clone(node);
                    news
                });
            } else {
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
        // Looking after the workers is nothing to wait for a change of the cluster with.
        let _either = tokio::time::timeout(ROUNDS, changed.notified()).await;
    }
}
