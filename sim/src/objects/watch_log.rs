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
    kind: EventKind,
    object: Arc<Object>,
    previous: Option<Arc<Object>>,
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

    /// What happened.
    pub fn kind(&self) -> EventKind {
        self.kind
    }

    /// The object after the change (its last state, if deleted).
    pub fn object(&self) -> &Arc<Object> {
        &self.object
    }

    /// The object before the change: a selector may have matched it then and not now.
    pub fn previous(&self) -> Option<&Arc<Object>> {
        self.previous.as_ref()
    }

    /// The version of the change.
    pub fn resource_version(&self) -> u64 {
        self.object.resource_version()
    }

    /// The event as a line of a JSON watch: rendered once, shared by every watcher.
    pub fn frame(&self, resource: Resource) -> Bytes {
        self.frame
            .get_or_init(|| render(self.kind, &self.object, resource))
            .clone()
    }
}

/// A line of a JSON watch: `{"type":…,"object":…}` and a newline.
pub(super) fn render(kind: EventKind, object: &Object, resource: Resource) -> Bytes {
    let mut line = Vec::with_capacity(object.size_hint() + 96);
    line.extend_from_slice(br#"{"type":""#);
    line.extend_from_slice(kind.as_str().as_bytes());
    line.extend_from_slice(br#"","object":"#);
    object.write_whole(resource, &mut line);
    line.extend_from_slice(b"}\n");
    Bytes::from(line)
}

/// The last changes, oldest first. Each has a sequence number of its own, so that a reader's place is one number.
#[derive(Debug)]
pub(super) struct WatchLog {
    events: VecDeque<Arc<Event>>,
    /// Sequence number of the first retained event.
    first: u64,
    /// The newest version whose event is no longer retained: a watch from before it has missed something.
    forgotten: u64,
    capacity: usize,
}

impl WatchLog {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            events: VecDeque::new(),
            first: 0,
            forgotten: 0,
            capacity,
        }
    }

    pub(super) fn push(&mut self, event: Event) {
        while self.events.len() >= self.capacity.max(1) {
            if let Some(old) = self.events.pop_front() {
                self.forgotten = old.resource_version();
                self.first += 1;
            }
        }
        self.events.push_back(Arc::new(event));
    }

    /// Forgets everything up to `resource_version`, and every reader's place with it.
    pub(super) fn expire(&mut self, resource_version: u64) {
        // One more than the events there were: a reader that had read them all has lost its place too.
        self.first += self.events.len() as u64 + 1;
        self.events.clear();
        self.forgotten = resource_version;
    }

    /// The place right after the events up to `resource_version`; `None` when some later ones are forgotten.
    pub(super) fn place_after(&self, resource_version: u64) -> Option<u64> {
        if resource_version < self.forgotten {
            return None;
        }
        let read = self
            .events
            .partition_point(|e| e.resource_version() <= resource_version);
        Some(self.first + read as u64)
    }

    /// The place after all events.
    pub(super) fn end(&self) -> u64 {
        self.first + self.events.len() as u64
    }

    /// Up to `max` events from `place` on; `None` when the first of them is forgotten.
    pub(super) fn read(&self, place: u64, max: usize) -> Option<Vec<Arc<Event>>> {
        let skip = usize::try_from(place.checked_sub(self.first)?).ok()?;
        Some(self.events.iter().skip(skip).take(max).cloned().collect())
    }
}
