//! The bounded log of what changed in one resource: what watches read.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::{Object, Resource};

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// It came to be.
    Added,
    /// It changed.
    Modified,
    /// It is gone; the event carries its last state.
    Deleted,
}

impl EventKind {
    /// The `type` of a watch event.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
        }
    }
}

/// One change of one object.
#[derive(Debug)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// The object after the change (its last state, if deleted).
    pub object: Arc<Object>,
    /// The object before the change: a selector may have matched it then and not now.
    pub previous: Option<Arc<Object>>,
    frame: OnceLock<Bytes>,
}

impl Event {
    pub(super) fn new(kind: EventKind, object: Arc<Object>, previous: Option<Arc<Object>>) -> Self {
        Self {
            kind,
            object,
            previous,
            frame: OnceLock::new(),
        }
    }

    /// The version of the change.
    pub fn resource_version(&self) -> u64 {
        self.object.resource_version()
    }

    /// The event as a line of a JSON watch: rendered once, shared by every watcher.
    pub fn frame(&self, resource: Resource) -> Bytes {
        let render = || {
            let mut line = Vec::with_capacity(self.object.size_hint() + 96);
            line.extend_from_slice(br#"{"type":""#);
            line.extend_from_slice(self.kind.as_str().as_bytes());
            line.extend_from_slice(br#"","object":"#);
            self.object.write_whole(resource, &mut line);
            line.extend_from_slice(b"}\n");
            Bytes::from(line)
        };
        self.frame.get_or_init(render).clone()
    }
}

/// The last changes, oldest first.
#[derive(Debug)]
pub(super) struct WatchLog {
    events: VecDeque<Arc<Event>>,
    /// The newest version whose event is no longer retained: a reader that is not past it has missed something.
    forgotten: u64,
    capacity: usize,
}

impl WatchLog {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            events: VecDeque::new(),
            forgotten: 0,
            capacity,
        }
    }

    pub(super) fn push(&mut self, event: Event) {
        while self.events.len() >= self.capacity.max(1) {
            if let Some(old) = self.events.pop_front() {
                self.forgotten = old.resource_version();
            }
        }
        self.events.push_back(Arc::new(event));
    }

    /// Forgets everything up to `resource_version`.
    pub(super) fn expire(&mut self, resource_version: u64) {
        self.events.clear();
        self.forgotten = resource_version;
    }

    /// Up to `max` events after `resource_version`; `None` when the first of them is forgotten.
    pub(super) fn read(&self, resource_version: u64, max: usize) -> Option<Vec<Arc<Event>>> {
        if resource_version < self.forgotten {
            return None;
        }
        let read = |event: &Arc<Event>| event.resource_version() <= resource_version;
        let skip = self.events.partition_point(read);
        Some(self.events.iter().skip(skip).take(max).cloned().collect())
    }
}
