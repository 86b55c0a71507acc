//! The watches: paged lists, then changes, for ever. A watch that breaks, expires or repeats itself leaves
//! what is known in place until the next list replaces it.

use std::hash::Hash;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use futures::{Stream, StreamExt};
use imbl::OrdMap;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::node::SlimNode;
use super::pod::SlimPod;
use super::{Cluster, Node, Pod, PodKey};
use crate::intern::Interner;
use crate::telemetry::Quiet;

/// How many changes are taken in before readers see them: a burst is published once, not object by object.
const BURST: usize = 512;

/// At most one line in this time about one watch's failures.
const COMPLAINT_INTERVAL: Duration = Duration::from_secs(60);

/// A watch is begun anew after this long: shorter than the time after which a silent connection is given up
/// (`config::settings`), so that a quiet watch is not taken for a dead one.
const WATCH_SECONDS: u32 = 120;

/// How one watch is doing.
#[derive(Debug, Default)]
pub struct WatchHealth {
    synced: AtomicBool,
    failures: AtomicU64,
    lists: AtomicU64,
}

impl WatchHealth {
    /// Whether a whole list has been read since start.
    pub fn synced(&self) -> bool {
        self.synced.load(Ordering::Acquire)
    }

    /// How often listing or watching failed since start.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// How many whole lists were read since start: one, and one for each time the watch could not be resumed.
    pub fn lists(&self) -> u64 {
        self.lists.load(Ordering::Relaxed)
    }
}

/// The watches and their health.
#[derive(Debug, Default)]
pub struct Watches {
    /// The watch of nodes.
    pub nodes: Arc<WatchHealth>,
    /// The watch of pods.
    pub pods: Arc<WatchHealth>,
    /// Told whenever the set of nodes, or one of them, has changed.
    pub nodes_changed: Arc<Notify>,
    /// Which nodes are watched, in Kubernetes' label selector form; all of them without.
    pub node_selector: Option<String>,
}

/// An object on the wire that is kept in some slimmer form under a key.
trait Watched:
    Resource<DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned + Send + 'static
{
    type Key: Clone + Ord + Hash + Send + Sync + 'static;
    type Kept: PartialEq + Send + Sync + 'static;

    /// The object as it is kept; nothing when it has no name, which no API server sends.
    fn keep(self, names: &Interner) -> Option<(Self::Key, Self::Kept)>;
}

impl Watched for SlimNode {
    type Key = Arc<str>;
    type Kept = Node;

    fn keep(self, names: &Interner) -> Option<(Arc<str>, Node)> {
        let node = Self::keep(self, names)?;
        Some((Arc::clone(&node.name), node))
    }
}

impl Watched for SlimPod {
    type Key = PodKey;
    type Kept = Pod;

    fn keep(self, names: &Interner) -> Option<(PodKey, Pod)> {
        let pod = Self::keep(self, names)?;
        Some((pod.key.clone(), pod))
    }
}

/// The tasks that follow the watches.
#[derive(Debug)]
pub struct WatchTasks {
    nodes: AbortHandle,
    pods: AbortHandle,
}

impl WatchTasks {
    /// Whether one of them has ended, which only a defect can bring about.
    pub fn is_finished(&self) -> bool {
        self.nodes.is_finished() || self.pods.is_finished()
    }

    /// Ends them.
    pub fn abort(&self) {
        self.nodes.abort();
        self.pods.abort();
    }
}

/// Starts the watches of nodes and pods. `node_selector` restricts the nodes, in Kubernetes' label selector
/// form.
pub fn spawn(
    cluster: &Arc<Cluster>,
    client: &Client,
    node_selector: Option<&str>,
) -> (Watches, WatchTasks) {
    let watches = Watches {
        node_selector: node_selector.map(str::to_owned),
        ..Watches::default()
    };
    let everything = watcher::Config::default().timeout(WATCH_SECONDS);
    let selected = watcher::Config {
        label_selector: node_selector.map(str::to_owned),
        ..everything.clone()
    };

    let stream = watcher::watcher(Api::<SlimNode>::all(client.clone()), selected).default_backoff();
    let (known, health, changed) = (
        Arc::clone(cluster),
        Arc::clone(&watches.nodes),
        Arc::clone(&watches.nodes_changed),
    );
    let nodes = tokio::spawn(async move {
        follow(stream, &known.nodes, &known.names, &health, || {
            changed.notify_one()
        })
        .await;
    });

    let stream =
        watcher::watcher(Api::<SlimPod>::all(client.clone()), everything).default_backoff();
    let (known, health) = (Arc::clone(cluster), Arc::clone(&watches.pods));
    let pods = tokio::spawn(async move {
        follow(stream, &known.pods, &known.names, &health, || {}).await;
    });

    let tasks = WatchTasks {
        nodes: nodes.abort_handle(),
        pods: pods.abort_handle(),
    };
    (watches, tasks)
}

/// Applies a stream of events to `published`, calling `changed` after each publication.
async fn follow<K: Watched>(
    stream: impl Stream<Item = watcher::Result<Event<K>>> + Send,
    published: &ArcSwap<OrdMap<K::Key, Arc<K::Kept>>>,
    names: &Interner,
    health: &WatchHealth,
    changed: impl Fn(),
) {
    let mut complaints = Quiet::new(COMPLAINT_INTERVAL);
    let mut table = Table::<K> {
        known: OrdMap::new(),
        listing: None,
    };
    let mut complained = false;
    let mut bursts = pin!(stream.ready_chunks(BURST));
    while let Some(burst) = bursts.next().await {
        let mut news = false;
        for event in burst {
            match event {
                Ok(event) => {
                    let done = matches!(event, Event::InitDone);
                    // That a list is about to be asked for is no answer yet.
                    let answered = !matches!(event, Event::Init);
                    news |= table.apply(event, names);
                    if answered && std::mem::take(&mut complained) {
                        tracing::info!(kind = %K::kind(&()), "the API server answers again");
                    }
                    if done {
                        health.lists.fetch_add(1, Ordering::Relaxed);
                        health.synced.store(true, Ordering::Release);
                        news = true;
                    }
                }
                Err(error) => {
                    health.failures.fetch_add(1, Ordering::Relaxed);
                    if is_routine(&error) {
                        tracing::debug!(kind = %K::kind(&()), %error, "the watch is begun anew");
                    } else if let Some(before) = complaints.speak() {
                        complained = true;
                        tracing::warn!(
                            kind = %K::kind(&()),
                            error = %crate::telemetry::chain(&error),
                            unreported = before,
                            "cannot watch {} at the API server; what was last known is kept and it is tried again; \
                             check that the API server answers and that this account may list and watch them",
                            K::plural(&()),
                        );
                    }
                }
            }
        }
        if news {
            published.store(Arc::new(table.known.clone()));
            changed();
        }
    }
}

/// A watch that has expired, as each does that was cut off for a while: it is listed anew, and that is all.
fn is_routine(error: &watcher::Error) -> bool {
    matches!(error, watcher::Error::WatchError(status) if status.code == 410)
}

/// What is known of one kind, and the list under way, if one is.
struct Table<K: Watched> {
    known: OrdMap<K::Key, Arc<K::Kept>>,
    listing: Option<OrdMap<K::Key, Arc<K::Kept>>>,
}

impl<K: Watched> Table<K> {
    /// Returns whether `known` changed. An object that reads the same as before is no change: most updates of
    /// a pod touch nothing that we use.
    fn apply(&mut self, event: Event<K>, names: &Interner) -> bool {
        match event {
            Event::Init => {
                self.listing = Some(OrdMap::new());
                false
            }
            Event::InitApply(object) => {
                if let Some((key, kept)) = object.keep(names) {
                    let kept = match self.known.get(&key) {
                        Some(before) if **before == kept => Arc::clone(before),
                        _ => Arc::new(kept),
                    };
                    self.listing.get_or_insert_default().insert(key, kept);
                }
                false
            }
            Event::InitDone => {
                self.known = self.listing.take().unwrap_or_default();
                true
            }
            Event::Apply(object) => {
                let Some((key, kept)) = object.keep(names) else {
                    return false;
                };
                if self.known.get(&key).is_some_and(|before| **before == kept) {
                    return false;
                }
                self.known.insert(key, Arc::new(kept));
                true
            }
            Event::Delete(object) => object
                .keep(names)
                .is_some_and(|(key, _)| self.known.remove(&key).is_some()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(name: &str, phase: &str) -> SlimPod {
        serde_json::from_value(serde_json::json!({
            "metadata": {"namespace": "default", "name": name}, "status": {"phase": phase},
        }))
        .unwrap()
    }

    fn names(table: &Table<SlimPod>) -> Vec<String> {
        table.known.keys().map(|key| key.name.to_string()).collect()
    }

    fn listed(objects: &[&str]) -> Table<SlimPod> {
        let names = Interner::default();
        let mut table = Table {
            known: OrdMap::new(),
            listing: None,
        };
        table.apply(Event::Init, &names);
        for object in objects {
            table.apply(Event::InitApply(pod(object, "Running")), &names);
        }
        table.apply(Event::InitDone, &names);
        table
    }

    #[test]
    fn a_list_counts_only_when_it_is_whole() {
        let mut table = listed(&["a", "b"]);
        table.apply(Event::Init, &Interner::default());
        table.apply(Event::InitApply(pod("c", "Running")), &Interner::default());
        assert_eq!(
            names(&table),
            ["a", "b"],
            "a list under way must not hide what is known"
        );
        table.apply(Event::InitDone, &Interner::default());
        assert_eq!(names(&table), ["c"], "what a new list lacks is gone");
    }

    #[test]
    fn a_repeated_event_is_no_change() {
        let mut table = listed(&["a"]);
        assert!(!table.apply(Event::Apply(pod("a", "Running")), &Interner::default()));
        assert!(table.apply(Event::Apply(pod("a", "Failed")), &Interner::default()));
        assert!(table.apply(Event::Delete(pod("a", "Failed")), &Interner::default()));
        assert!(!table.apply(Event::Delete(pod("a", "Failed")), &Interner::default()));
    }
}
