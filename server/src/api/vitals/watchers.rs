//! All open watches: their limits and their end.

use std::sync::Arc;

use bytes::Bytes;
use kubevitals_proto::wire::status::Status;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::api::inflight::by_limit;
use crate::api::shares::{Share, Shares};
use crate::auth::User;
use crate::memory::Memory;
use crate::telemetry::metrics::{Counter, Gauge, Registry, collect};

/// The most watches. Each takes some hundred KiB while it sends.
const MAX_WATCHES: usize = 2048;

/// The delay after which a refused client may retry, in seconds.
const RETRY_AFTER_SECONDS: i32 = 1;

/// The most watches of one user: enough for each kind and for many namespaces.
const MAX_PER_USER: usize = 64;

/// The open watches.
#[derive(Debug)]
pub(crate) struct Watchers {
    slots: Arc<Semaphore>,
    shares: Arc<Shares>,
    turned_away: Counter,
    over_share: Counter,
    /// Cancelled when the server closes its connections.
    stop: CancellationToken,
    /// A watch needs memory for as long as it lasts.
    memory: Arc<Memory>,
    events: Counter,
    /// Bytes of events that are not written to connections yet.
    buffered: Gauge,
}

impl Watchers {
    /// No watches yet; they end when `stop` is cancelled.
    pub(crate) fn new(stop: CancellationToken, memory: Arc<Memory>) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(MAX_WATCHES)),
            shares: Shares::new(MAX_PER_USER),
            turned_away: Counter::default(),
            over_share: Counter::default(),
            stop,
            memory,
            events: Counter::default(),
            buffered: Gauge::default(),
        }
    }

    /// Takes a slot for a watch of this user.
    ///
    /// # Errors
    /// 429 if the user has all slots of a user, if all slots are taken, or if the memory limit leaves nothing for watches.
    pub(super) fn enter(&self, user: &User) -> Result<WatchSlot, Status> {
        if self.memory.is_tight() {
            self.turned_away.inc();
            let message = "The memory limit of the server leaves nothing for watches; list instead, or raise the limit.";
            return Err(Status::too_many_requests(message, RETRY_AFTER_SECONDS));
        }
        let Some(share) = self.shares.enter(user) else {
            self.over_share.inc();
            let message = format!(
                "Too many watches: this user has {}, the limit for one user; end some, or try again later.",
                self.shares.limit()
            );
            return Err(Status::too_many_requests(message, RETRY_AFTER_SECONDS));
        };
        let Ok(permit) = Arc::clone(&self.slots).try_acquire_owned() else {
            self.turned_away.inc();
            let message = "Too many watches, please try again later.";
            return Err(Status::too_many_requests(message, RETRY_AFTER_SECONDS));
        };
        Ok(WatchSlot {
            _permit: permit,
            _share: share,
        })
    }

    /// Registers the metrics.
    pub(crate) fn register(self: &Arc<Self>, registry: &mut Registry) {
        collect(registry, Arc::clone(self), |watchers, families| {
            let help = "Watches of clients that are open";
            families.gauge("kubevitals_api_watches", help, watchers.open())
        });
        registry.register(
            "kubevitals_api_watch_bytes_held",
            "Bytes of events that are encoded and not yet written to the connections of their watches",
            self.buffered.clone(),
        );
        registry.register(
            "kubevitals_api_watch_events",
            "Events that were sent to watches",
            self.events.clone(),
        );
        registry.register(
            "kubevitals_api_watches_turned_away",
            "Watches that got a 429 response, by the limit that was reached: of all watches, or of one user's",
            by_limit(&self.turned_away, &self.over_share),
        );
    }

    /// Cancelled when all have to end.
    pub(super) fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// The number of open watches.
    fn open(&self) -> u64 {
        (MAX_WATCHES - self.slots.available_permits()) as u64
    }

    /// Counts lines, one event each, and returns them as bytes that count as buffered until they are dropped.
    pub(super) fn send(self: &Arc<Self>, lines: Vec<u8>) -> Bytes {
        let events = lines.iter().map(|byte| u64::from(*byte == b'\n')).sum();
        self.events.inc_by(events);
        self.buffered.inc_by(lines.len() as u64);
        Bytes::from_owner(Sent {
            // A boxed slice has no spare capacity, which would not be counted.
            lines: lines.into_boxed_slice(),
            watchers: Arc::clone(self),
        })
    }
}

/// The slot of a watch; dropping it frees the slot.
#[derive(Debug)]
pub(super) struct WatchSlot {
    _permit: OwnedSemaphorePermit,
    _share: Share,
}

/// Lines that HTTP buffers.
struct Sent {
    lines: Box<[u8]>,
    watchers: Arc<Watchers>,
}

impl AsRef<[u8]> for Sent {
    fn as_ref(&self) -> &[u8] {
        &self.lines
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        let bytes = self.lines.len() as u64;
        self.watchers.buffered.dec_by(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_user_cannot_open_all_watches() {
        let watchers = Watchers::new(CancellationToken::new(), Arc::default());
        let user = |name: &str| User {
            name: name.to_owned(),
            ..User::default()
        };
        let eve = user("eve");
        let mut slots: Vec<_> = (0..MAX_PER_USER).map(|_| watchers.enter(&eve)).collect();
        assert!(slots.iter().all(Result::is_ok));
        let refused = watchers.enter(&eve).unwrap_err();
        assert_eq!(refused.code, 429);
        assert!(refused.message.contains("this user has 64"), "{refused}");
        assert_eq!(refused.details.unwrap().retry_after_seconds, 1);
        assert!(watchers.enter(&user("jane")).is_ok());
        assert_eq!(
            (watchers.turned_away.get(), watchers.over_share.get()),
            (0, 1)
        );
        slots.pop();
        assert!(watchers.enter(&eve).is_ok());
        // Many users together can take all slots; then the error says so.
        let others = (0..MAX_WATCHES).map(|n| watchers.enter(&user(&format!("user-{n}"))));
        let others: Vec<_> = others.collect();
        let refused = others.into_iter().rev().find_map(Result::err).unwrap();
        assert_eq!(refused.message, "Too many watches, please try again later.");
        assert_eq!(
            (watchers.turned_away.get(), watchers.over_share.get()),
            (63, 1)
        );
        drop(slots);
        assert_eq!(watchers.open(), 0);
    }

    #[test]
    fn lines_count_until_their_last_part_is_written() {
        let watchers = Arc::new(Watchers::new(CancellationToken::new(), Arc::default()));
        let mut lines = Vec::with_capacity(100);
        lines.extend(b"{}\n{}\n");
        let mut chunk = watchers.send(lines);
        assert_eq!((watchers.events.get(), watchers.buffered.get()), (2, 6));
        // HTTP/2 may split a chunk.
        let part = chunk.split_to(3);
        drop(chunk);
        assert_eq!(watchers.buffered.get(), 6);
        drop(part);
        assert_eq!((watchers.events.get(), watchers.buffered.get()), (2, 0));
    }
}
