//! Notifies observers of Kubernetes events: once for each event, and once more for each repetition. Events are not
//! stored.

use std::collections::{HashMap, HashSet};

use kube::runtime::watcher;
use kubevitals_proto::objects::{Pools, WireEvent};
use kubevitals_proto::time::Timestamp;

use super::follow::WatchState;
use crate::cluster::{Event, Observers, Uid};

/// The number of events that are remembered as sent. The API server stores events for an hour; if there are more, the
/// ones seen last are remembered.
const MAX_SENT: usize = 65_536;

/// The most events that are sent from the first list: the last ones.
const MAX_LISTED: usize = 16_384;

/// The reporting controller of the Events that this program creates.
pub const OWN_EVENTS: &str = "kubevitals.io/vitals-server";

/// The events that were sent, and the list that is being read, if there is one.
#[derive(Debug)]
pub(super) struct EventFeed {
    observers: Observers,
    sent: HashMap<Uid, Seen>,
    listing: Option<Listing>,
    max_sent: usize,
    max_listed: usize,
}

/// When an event was seen last, and how often: the fields that change when it is repeated.
type Seen = (Timestamp, u32);

#[derive(Debug, Default)]
struct Listing {
    new_events: Vec<Event>,
    all: HashSet<Uid>,
}

impl EventFeed {
    pub(super) fn new(observers: Observers) -> Self {
        Self {
            observers,
            sent: HashMap::new(),
            listing: None,
            max_sent: MAX_SENT,
            max_listed: MAX_LISTED,
        }
    }

    fn list(&mut self, event: Event) {
        let is_new = self.is_new(&event);
        let listing = self.listing.get_or_insert_default();
        listing.all.insert(event.uid);
        if !is_new {
            return;
        }
        listing.new_events.push(event);
        if listing.new_events.len() > self.max_listed {
            let half = listing.new_events.len() / 2;
            listing
                .new_events
                .select_nth_unstable_by_key(half, |event| event.last);
            listing.new_events.drain(..half);
        }
    }

    fn is_new(&self, event: &Event) -> bool {
        let sent = self.sent.get(&event.uid);
        sent.is_none_or(|sent| *sent < (event.last, event.count))
    }

    fn notify(&mut self, event: &Event) {
        if !self.is_new(event) {
            return;
        }
        if self.sent.len() >= self.max_sent {
            let mut lasts: Vec<Timestamp> = self.sent.values().map(|(last, _)| *last).collect();
            let half = lasts.len() / 2;
            let (_, middle, _) = lasts.select_nth_unstable(half);
            let middle = *middle;
            self.sent.retain(|_, (last, _)| *last > middle);
        }
        self.sent.insert(event.uid, (event.last, event.count));
        for observer in &self.observers {
            observer.event(event);
        }
    }
}

/// Converts an event. None if it is not about a pod, or is one of this program: its conclusion is no evidence.
fn evidence(event: WireEvent, pools: &Pools) -> Option<Event> {
    let event = event.convert(&pools.names)?;
    (&*event.component != OWN_EVENTS).then_some(event)
}

impl WatchState<WireEvent> for EventFeed {
    fn apply(&mut self, event: watcher::Event<WireEvent>, pools: &Pools) -> bool {
        match event {
            watcher::Event::Init => self.listing = Some(Listing::default()),
            watcher::Event::InitApply(event) => {
                if let Some(event) = evidence(event, pools) {
                    self.list(event);
                }
            }
            watcher::Event::InitDone => {
                let Listing {
                    mut new_events,
                    all,
                } = self.listing.take().unwrap_or_default();
                self.sent.retain(|uid, _| all.contains(uid));
                // The list is sorted by name.
                new_events.sort_by_key(|event| event.last);
                for event in &new_events {
                    self.notify(event);
                }
            }
            watcher::Event::Apply(event) => {
                if let Some(event) = evidence(event, pools) {
                    self.notify(&event);
                }
            }
            watcher::Event::Delete(event) => {
                if let Some(event) = event.convert(&pools.names) {
                    self.sent.remove(&event.uid);
                }
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;
    use serde_json::json;

    use super::*;
    use crate::cluster::{Node, Observer, Pod};

    #[derive(Debug, Default)]
    struct Recorder(Mutex<Vec<String>>);

    impl Observer for Recorder {
        fn pod(&self, _: Option<&Arc<Pod>>, _: Option<&Arc<Pod>>) {}

        fn node(&self, _: Option<&Arc<Node>>, _: Option<&Arc<Node>>) {}

        fn event(&self, event: &Event) {
            self.0
                .lock()
                .push(format!("{}×{}", event.reason, event.count));
        }
    }

    fn event(name: &str, count: u32, second: i64) -> WireEvent {
        let last = Timestamp::from_secs(second).to_rfc3339_seconds();
        serde_json::from_value(json!({
            "metadata": {"name": name, "uid": name}, "involvedObject": {"kind": "Pod", "name": "p"},
            "reason": name, "count": count, "lastTimestamp": last,
        }))
        .unwrap()
    }

    struct TestFeed {
        feed: EventFeed,
        recorded: Arc<Recorder>,
    }

    impl TestFeed {
        fn new() -> Self {
            let recorded = Arc::new(Recorder::default());
            let feed = EventFeed::new(vec![Arc::clone(&recorded) as Arc<dyn Observer>]);
            Self { feed, recorded }
        }

        fn apply(&mut self, event: watcher::Event<WireEvent>) {
            self.feed.apply(event, &Pools::default());
        }

        fn list(&mut self, events: impl IntoIterator<Item = WireEvent>) {
            self.apply(watcher::Event::Init);
            for event in events {
                self.apply(watcher::Event::InitApply(event));
            }
            self.apply(watcher::Event::InitDone);
        }

        fn recorded(&self) -> Vec<String> {
            std::mem::take(&mut *self.recorded.0.lock())
        }
    }

    #[test]
    fn listed_events_are_sent_oldest_first() {
        let mut feed = TestFeed::new();
        feed.list([event("a", 1, 30), event("b", 4, 10), event("c", 1, 20)]);
        assert_eq!(feed.recorded(), ["b×4", "c×1", "a×1"]);
    }

    #[test]
    fn an_event_is_sent_again_only_when_repeated() {
        let mut feed = TestFeed::new();
        feed.apply(watcher::Event::Apply(event("a", 1, 10)));
        feed.apply(watcher::Event::Apply(event("a", 1, 10)));
        feed.list([event("a", 1, 10), event("b", 1, 11)]);
        feed.list([event("a", 2, 12), event("b", 1, 11)]);
        feed.apply(watcher::Event::Apply(event("a", 2, 12)));
        assert_eq!(feed.recorded(), ["a×1", "b×1", "a×2"]);
    }

    #[test]
    fn events_of_this_program_are_no_evidence() {
        let own = || {
            let mut event = serde_json::json!({
                "metadata": {"name": "a", "namespace": "n", "uid": "c9c8b9a0-0000-4000-8000-000000000001"},
                "involvedObject": {"kind": "Pod", "namespace": "n", "name": "p", "uid": "u"},
                "type": "Warning", "reason": "IncidentOpened", "eventTime": "2027-01-15T08:00:00.000000Z",
            });
            event["reportingComponent"] = OWN_EVENTS.into();
            serde_json::from_value::<WireEvent>(event).unwrap()
        };
        let mut feed = TestFeed::new();
        feed.list([own()]);
        feed.apply(watcher::Event::Apply(own()));
        assert_eq!(feed.recorded(), Vec::<String>::new());
        assert!(own().convert(&Pools::default().names).is_some());
    }

    #[test]
    fn events_that_are_not_listed_are_forgotten() {
        let mut feed = TestFeed::new();
        feed.list([event("a", 1, 10), event("b", 1, 10)]);
        feed.apply(watcher::Event::Delete(event("a", 1, 10)));
        assert_eq!(feed.feed.sent.len(), 1);
        feed.list([]);
        assert!(feed.feed.sent.is_empty());
    }

    #[test]
    fn memory_is_bounded_and_has_the_latest_events() {
        let mut feed = TestFeed::new();
        (feed.feed.max_sent, feed.feed.max_listed) = (10, 10);
        let number = |n: i64| event(&n.to_string(), 1, n);
        feed.list((0..100).map(number));
        let recorded = feed.recorded();
        assert!(
            recorded.len() <= 10 && recorded.last().unwrap() == "99×1",
            "{recorded:?}"
        );
        for n in 100..1000 {
            feed.apply(watcher::Event::Apply(number(n)));
            assert!(feed.feed.sent.len() <= 10);
        }
        feed.recorded();
        feed.apply(watcher::Event::Apply(number(999)));
        assert!(feed.recorded().is_empty());
    }
}
