//! The requests that wait for one receiver, in the order of time.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use kubevitals_proto::time::Timestamp;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::cursor::Cursor;
use super::disk::{Folder, Found, Saved};
use super::encode::Protocol;
use crate::telemetry::LogThrottle;

/// The shortest time between two log lines about a folder that cannot be used.
const LOG_INTERVAL: Duration = Duration::from_secs(3600);

/// The limits of a queue, in bytes of compressed requests.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// In memory; a queue on disk has these bodies in memory too.
    pub(super) memory: usize,
    /// On disk.
    pub(super) disk: u64,
}

/// A request to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) body: Bytes,
    pub(super) samples: usize,
    pub(super) protocol: Protocol,
    /// When its samples were collected.
    pub(super) collected: Timestamp,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    /// None if it is only on disk.
    body: Option<Bytes>,
    samples: usize,
    protocol: Protocol,
    collected: Timestamp,
    /// The bytes of its body in a file; zero without one.
    file: u64,
    has_cursor: bool,
}

/// The size of a queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) requests: usize,
    pub(super) samples: usize,
    /// Bytes in memory.
    pub(super) memory: usize,
    /// Bytes on disk.
    pub(super) disk: u64,
}

#[derive(Debug, Default)]
struct Inner {
    entries: VecDeque<Entry>,
    next: u64,
    size: Size,
    /// The file of the last sent request with a cursor.
    kept: Option<u64>,
}

/// The queue of one receiver.
#[derive(Debug)]
pub(super) struct Queue {
    limits: Limits,
    folder: Option<Folder>,
    inner: Mutex<Inner>,
    changed: Notify,
    problems: Mutex<LogThrottle>,
}

impl Queue {
    /// An empty queue. With a folder, [`Self::restore`] follows.
    pub(super) fn new(limits: Limits, folder: Option<Folder>) -> Self {
        Self {
            limits,
            folder,
            inner: Mutex::default(),
            changed: Notify::new(),
            problems: Mutex::new(LogThrottle::new(LOG_INTERVAL)),
        }
    }

    /// Reads the requests that an earlier process left, if there are none yet. Returns how far the series were written by
    /// then, and when.
    pub(super) fn restore(&self) -> Option<(Cursor, Timestamp)> {
        let folder = self.folder.as_ref()?;
        let files = match folder.list() {
            Ok(files) => files,
            Err(error) => {
                self.warn("list the requests", &error);
                return None;
            }
        };
        let mut inner = self.inner.lock();
        inner.entries.clear();
        inner.size = Size::default();
        let mut newest = None;
        for found in files {
            inner.next = found.number + 1;
            let saved = match folder.read(found) {
                Ok(saved) => saved,
                Err(error) => {
                    self.warn("read a request", &error);
                    self.remove(found);
                    continue;
                }
            };
            if found.sent {
                self.keep(&mut inner, found.number);
            } else {
                inner.push(Entry {
                    number: found.number,
                    body: None,
                    samples: usize::try_from(saved.samples).unwrap_or_default(),
                    protocol: saved.protocol(),
                    collected: saved.collected(),
                    file: saved.body.len() as u64,
                    has_cursor: saved.cursor.is_some(),
                });
            }
            let collected = saved.collected();
            newest = saved.cursor.map(|cursor| (cursor, collected)).or(newest);
        }
        newest
    }

    /// Removes all requests, also those of an earlier process: another replica has written since.
    pub(super) fn forget(&self) {
        let _cursor = self.restore();
        let mut inner = self.inner.lock();
        let entries = std::mem::take(&mut inner.entries);
        for entry in entries.iter().filter(|it| it.file > 0) {
            self.remove(Found::waiting(entry.number));
        }
        if let Some(number) = inner.kept.take() {
            self.remove(Found { number, sent: true });
        }
        inner.size = Size::default();
    }

    /// Whether no more may be added. One round of requests may exceed the limits.
    pub(super) fn is_full(&self) -> bool {
        self.fraction() >= 1.0
    }

    /// How full the queue is.
    #[expect(clippy::cast_precision_loss, reason = "a fraction")]
    pub(super) fn fraction(&self) -> f64 {
        let size = self.inner.lock().size;
        let (used, limit) = match self.folder {
            // Requests that could not be written are in memory only.
            Some(_) => (size.disk.max(size.memory as u64), self.limits.disk),
            None => (size.memory as u64, self.limits.memory as u64),
        };
        used as f64 / limit.max(1) as f64
    }

    /// Adds a request. `cursor` is how far the series are written with it.
    pub(super) fn push(&self, request: Request, cursor: Option<Cursor>) {
        let mut inner = self.inner.lock();
        let number = inner.next;
        inner.next += 1;
        let mut file = 0;
        let has_cursor = cursor.is_some();
        if let Some(folder) = &self.folder {
            let saved = Saved {
                body: request.body.clone(),
                samples: request.samples as u64,
                collected: request.collected.0,
                v2: request.protocol == Protocol::V2,
                cursor,
            };
            match folder.write(number, &saved) {
                Ok(()) => file = request.body.len() as u64,
                Err(error) => self.warn("write a request", &error),
            }
        }
        let fits = inner.size.memory + request.body.len() <= self.limits.memory;
        inner.push(Entry {
            number,
            body: (fits || file == 0).then_some(request.body),
            samples: request.samples,
            protocol: request.protocol,
            collected: request.collected,
            file,
            has_cursor,
        });
        drop(inner);
        self.changed.notify_one();
    }

    /// Waits for the oldest request, which stays in the queue.
    pub(super) async fn front(&self) -> Request {
        loop {
            if let Some(request) = self.try_front() {
                return request;
            }
            self.changed.notified().await;
        }
    }

    pub(super) fn try_front(&self) -> Option<Request> {
        let mut inner = self.inner.lock();
        loop {
            let entry = inner.entries.front()?;
            let body = match (&entry.body, &self.folder) {
                (Some(body), _) => Some(body.clone()),
                (None, Some(folder)) => match folder.read(Found::waiting(entry.number)) {
                    Ok(saved) => Some(saved.body),
                    Err(error) => {
                        self.warn("read a request", &error);
                        None
                    }
                },
                (None, None) => None,
            };
            if let Some(body) = body {
                return Some(Request {
                    body,
                    samples: entry.samples,
                    protocol: entry.protocol,
                    collected: entry.collected,
                });
            }
            inner.pop();
        }
    }

    /// Removes the oldest request, after it was accepted or refused for good.
    pub(super) fn pop(&self) {
        let mut inner = self.inner.lock();
        let Some(entry) = inner.pop() else { return };
        if entry.file == 0 {
            return;
        }
        if !entry.has_cursor {
            self.remove(Found::waiting(entry.number));
            return;
        }
        match self.folder.as_ref().map(|it| it.mark_sent(entry.number)) {
            Some(Ok(())) => self.keep(&mut inner, entry.number),
            Some(Err(error)) => self.warn("rename a request", &error),
            None => {}
        }
    }

    /// Keeps a sent file, instead of the one before.
    fn keep(&self, inner: &mut Inner, number: u64) {
        if let Some(number) = inner.kept.replace(number) {
            self.remove(Found { number, sent: true });
        }
    }

    /// The size.
    pub(super) fn size(&self) -> Size {
        self.inner.lock().size
    }

    /// When the samples of the oldest request were collected.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        self.inner.lock().entries.front().map(|it| it.collected)
    }

    fn remove(&self, found: Found) {
        if let Some(folder) = &self.folder
            && let Err(error) = folder.remove(found)
        {
            self.warn("remove a request", &error);
        }
    }

    fn warn(&self, what: &str, error: &io::Error) {
        if let Some(folder) = &self.folder
            && let Some(unreported) = self.problems.lock().allow()
        {
            tracing::warn!(
                unreported,
                "cannot {what} in {}: {error}; remote write continues in memory, and a restart may lose samples; check \
                 the volume of --state-dir",
                folder.display()
            );
        }
    }
}

impl Inner {
    fn push(&mut self, entry: Entry) {
        self.size.requests += 1;
        self.size.samples += entry.samples;
        self.size.memory += entry.body.as_ref().map_or(0, Bytes::len);
        self.size.disk += entry.file;
        self.entries.push_back(entry);
    }

    fn pop(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        self.size.requests -= 1;
        self.size.samples -= entry.samples;
        self.size.memory -= entry.body.as_ref().map_or(0, Bytes::len);
        self.size.disk -= entry.file;
        Some(entry)
    }
}
