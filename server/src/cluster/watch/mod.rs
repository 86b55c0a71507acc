//! The watches: paged lists, then changes, for ever. A watch that breaks, expires or repeats itself leaves
//! what is known in place until the next list replaces it.

mod events;
mod follow;
mod health;
mod listeners;
mod table;

#[cfg(test)]
pub(super) mod testing {
    pub(in super::super) use super::table::{Silent, Table};
}

use std::sync::Arc;
use std::time::Duration;

use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

pub use health::WatchHealth;

use self::events::Feed;
use self::follow::follow;
use self::health::Need;
use self::listeners::{JobListener, NodeListener, PodListener};
use self::table::Table;
use super::Cluster;
use super::event::{self, SlimEvent};
use super::job::SlimJob;
use super::node::SlimNode;
use super::observer::Observers;
use super::pod::SlimPod;
use crate::clock::Clock;

/// A watch is begun anew after this long: shorter than the time after which a silent connection is given up
/// (`config::settings`), so that a quiet watch is not taken for a dead one.
const WATCH_SECONDS: u32 = 120;

/// What one may not watch is asked for again after this long: somebody may have granted it.
const ASKED_AGAIN: Duration = Duration::from_secs(600);

/// The watches and their health.
#[derive(Debug, Default)]
pub struct Watches {
    /// The watch of nodes.
    pub nodes: Arc<WatchHealth>,
    /// The watch of pods.
    pub pods: Arc<WatchHealth>,
    /// The watch of events, without which causes are known less surely.
    pub events: Arc<WatchHealth>,
    /// The watch of Jobs, without which a CronJob's pods are told as their Jobs'.
    pub jobs: Arc<WatchHealth>,
    /// Told whenever the set of nodes, or one of them, has changed.
    pub nodes_changed: Arc<Notify>,
    /// Which nodes are watched, in Kubernetes' label selector form; all of them without.
    pub node_selector: Option<String>,
}

impl Watches {
    /// All of them, by what they are of.
    pub fn all(&self) -> [(&'static str, &WatchHealth); 4] {
        [
            ("nodes", &self.nodes),
            ("pods", &self.pods),
            ("events", &self.events),
            ("jobs", &self.jobs),
        ]
    }
}

/// What is watched, and for whom.
#[derive(Debug, Default)]
pub struct Settings {
    /// Which nodes are watched, in Kubernetes' label selector form; all of them without.
    pub node_selector: Option<String>,
    /// For how long what is gone is remembered; zero: not at all.
    pub retention: Duration,
    /// Who is told of each change.
    pub observers: Observers,
}

/// The tasks that follow the watches.
#[derive(Debug)]
pub struct WatchTasks([AbortHandle; 4]);

impl WatchTasks {
    /// Whether one of them has ended, which only a defect can bring about.
    pub fn is_finished(&self) -> bool {
        self.0.iter().any(AbortHandle::is_finished)
    }

    /// Ends them.
    pub fn abort(&self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

/// Starts the watches of nodes, pods, events and Jobs.
pub fn spawn(
    cluster: &Arc<Cluster>,
    client: &Client,
    settings: Settings,
    clock: &Arc<dyn Clock>,
) -> (Watches, WatchTasks) {
    let Settings {
        node_selector,
        retention,
        observers,
    } = settings;
    let watches = Watches {
        node_selector: node_selector.clone(),
        ..Watches::default()
    };
    let everything = watcher::Config::default().timeout(WATCH_SECONDS);

    let selected = watcher::Config {
        label_selector: node_selector,
        ..everything.clone()
    };
    let stream = watcher::watcher(Api::<SlimNode>::all(client.clone()), selected).default_backoff();
    let listener = NodeListener {
        cluster: Arc::clone(cluster),
        observers: observers.clone(),
        changed: Arc::clone(&watches.nodes_changed),
    };
    let mut table = Table::<SlimNode, _>::new(listener);
    let (known, health) = (Arc::clone(cluster), Arc::clone(&watches.nodes));
    let nodes = tokio::spawn(async move {
        follow(stream, &mut table, &known.pools, &health, Need::Must).await;
    });

    let stream = watcher::watcher(Api::<SlimPod>::all(client.clone()), everything.clone());
    let stream = stream.default_backoff();
    let listener = PodListener::new(cluster, observers.clone(), retention, clock);
    let mut table = Table::<SlimPod, _>::new(listener);
    let (known, health) = (Arc::clone(cluster), Arc::clone(&watches.pods));
    let pods = tokio::spawn(async move {
        follow(stream, &mut table, &known.pools, &health, Need::Must).await;
    });

    let api = Api::<SlimEvent>::all(client.clone());
    let config = everything.clone().fields(event::SELECTOR);
    let mut feed = Feed::new(observers);
    let (known, health) = (Arc::clone(cluster), Arc::clone(&watches.events));
    let pods_known = Arc::clone(&watches.pods);
    let events = tokio::spawn(async move {
        // Whom an event is about should be known when it is told.
        pods_known.until_synced().await;
        loop {
            let stream = watcher::watcher(api.clone(), config.clone()).default_backoff();
            events::follow(stream, &mut feed, &known.pools.names, &health).await;
            tokio::time::sleep(ASKED_AGAIN).await;
        }
    });

    let api = Api::<SlimJob>::all(client.clone());
    let listener = JobListener::new(cluster, retention, clock);
    let mut table = Table::<SlimJob, _>::new(listener);
    let (known, health) = (Arc::clone(cluster), Arc::clone(&watches.jobs));
    let jobs = tokio::spawn(async move {
        loop {
            let stream = watcher::watcher(api.clone(), everything.clone()).default_backoff();
            follow(stream, &mut table, &known.pools, &health, Need::May).await;
            tokio::time::sleep(ASKED_AGAIN).await;
        }
    });

    let tasks = [nodes, pods, events, jobs].map(|task| task.abort_handle());
    (watches, WatchTasks(tasks))
}
