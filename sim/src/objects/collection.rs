//! The objects of one resource: the current map, the log of changes, and the snapshots that paging still needs.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use imbl::OrdMap;
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use super::watch_log::WatchLog;
use super::{Event, EventKind, Object, Snapshot};

/// How many snapshots are retained for lists that are being paged; the oldest goes first, and its next page is a 410.
const PAGED_SNAPSHOTS: usize = 32;

/// One resource's objects.
#[derive(Debug)]
pub(super) struct Collection {
    /// The cluster's version counter, shared by all collections as etcd's revision is.
    counter: Arc<AtomicU64>,
    state: RwLock<State>,
    paged: Mutex<VecDeque<Snapshot>>,
    changed: watch::Sender<()>,
}

#[derive(Debug)]
struct State {
    objects: OrdMap<Arc<str>, Arc<Object>>,
    log: WatchLog,
}

impl Collection {
    pub(super) fn new(counter: Arc<AtomicU64>, log_capacity: usize) -> Self {
        let state = State {
            objects: OrdMap::new(),
            log: WatchLog::new(log_capacity),
        };
        Self {
            counter,
            state: RwLock::new(state),
            paged: Mutex::default(),
            changed: watch::Sender::new(()),
        }
    }

    /// Creates or replaces the object that `make` builds, from the present one and the next version. Returns the version.
    ///
    /// Versions are taken under the collection's lock: a reader of the counter under that lock has every change
    /// of this collection up to it. A refusal leaves a gap in the versions, which no client notices.
    pub(super) fn put<E>(
        &self,
        key: &Arc<str>,
        make: impl FnOnce(Option<&Arc<Object>>, u64) -> Result<Object, E>,
    ) -> Result<u64, E> {
        let mut state = self.state.write();
        let version = self.counter.fetch_add(1, Ordering::SeqCst) + 1;
        let object = Arc::new(make(state.objects.get(key), version)?);
        let previous = state.objects.insert(key.clone(), object.clone());
        let kind = if previous.is_some() {
            EventKind::Modified
        } else {
            EventKind::Added
        };
        state.log.push(Event::new(kind, object, previous));
        drop(state);
        self.changed.send_replace(());
        Ok(version)
    }

    /// Deletes an object; whether it was there.
    pub(super) fn remove(&self, key: &str) -> bool {
        let mut state = self.state.write();
        let Some(previous) = state.objects.remove(key) else {
            return false;
        };
        let version = self.counter.fetch_add(1, Ordering::SeqCst) + 1;
        let last = Arc::new(previous.at_version(version));
        state
            .log
            .push(Event::new(EventKind::Deleted, last, Some(previous)));
        drop(state);
        self.changed.send_replace(());
        true
    }

    pub(super) fn get(&self, key: &str) -> Option<Arc<Object>> {
        self.state.read().objects.get(key).cloned()
    }

    /// The objects as they are now.
    pub(super) fn snapshot(&self) -> Snapshot {
        let state = self.state.read();
        Snapshot {
            resource_version: self.counter.load(Ordering::SeqCst),
            objects: state.objects.clone(),
        }
    }

    /// Retains a snapshot for the next pages of its list.
    pub(super) fn retain(&self, snapshot: &Snapshot) {
        let mut paged = self.paged.lock();
        paged.retain(|it| it.resource_version != snapshot.resource_version);
        paged.push_back(snapshot.clone());
        if paged.len() > PAGED_SNAPSHOTS {
            paged.pop_front();
        }
    }

    /// The objects as they were at a version: retained for paging, or still current.
    pub(super) fn snapshot_at(&self, resource_version: u64) -> Option<Snapshot> {
        let is_it = |it: &&Snapshot| it.resource_version == resource_version;
        let retained = self.paged.lock().iter().find(is_it).cloned();
        retained.or_else(|| Some(self.snapshot()).filter(|it| is_it(&it)))
    }

    /// Forgets the log and the retained snapshots, as compaction does.
    pub(super) fn expire(&self) {
        let mut state = self.state.write();
        let version = self.counter.fetch_add(1, Ordering::SeqCst) + 1;
        state.log.expire(version);
        drop(state);
        self.paged.lock().clear();
        self.changed.send_replace(());
    }

    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Up to `max` events after `resource_version`, and the version that the reader is at after them; `None` when it is
    /// too late.
    pub(super) fn read(&self, resource_version: u64, max: usize) -> Option<(Vec<Arc<Event>>, u64)> {
        let state = self.state.read();
        let events = state.log.read(resource_version, max)?;
        let version = match events.last() {
            // There may be more events.
            Some(last) if events.len() == max => last.resource_version(),
            _ => self.counter.load(Ordering::SeqCst),
        };
        Some((events, version))
    }
}
