//! Events are told, not kept: each once, and once more each time that it is repeated.

use std::collections::{HashMap, HashSet};
use std::pin::pin;

use futures::{Stream, StreamExt};
use kube::runtime::watcher;
use kubevitals_proto::objects::SlimEvent;
use kubevitals_proto::time::Timestamp;

use super::follow::version_of;
use super::health::WatchHealth;
use super::reflector::Failed;
use super::report::Reporter;
use crate::cluster::{Event, Observers, Uid};
use crate::intern::Interner;

/// Of how many events it is remembered that they were told. The API server keeps them for an hour; of more than this
/// those that were seen last.
const MOST_TOLD: usize = 65_536;

/// How many of those that are there already at start are told: the last ones.
const MOST_LISTED: usize = 16_384;

/// What was told of events, and the list under way, if one is.
#[derive(Debug)]
pub(super) struct Feed {
    observers: Observers,
    told: HashMap<Uid, Seen>,
    listing: Option<Listing>,
    most_told: usize,
    most_listed: usize,
}

/// How often an event was seen, and when last: what changes when it is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    last: Timestamp,
    count: u32,
}

#[derive(Debug, Default)]
struct Listing {
    news: Vec<Event>,
    all: HashSet<Uid>,
}

impl Feed {
    pub(super) fn new(observers: Observers) -> Self {
        Self {
            observers,
            told: HashMap::new(),
            listing: None,
            most_told: MOST_TOLD,
            most_listed: MOST_LISTED,
        }
    }

    /// Takes in what the watch says.
    fn apply(&mut self, event: watcher::Event<SlimEvent>, names: &Interner) {
        match event {
            watcher::Event::Init => self.listing = Some(Listing::default()),
            watcher::Event::InitApply(event) => {
                if let Some(event) = event.convert(names) {
                    self.list(event);
                }
            }
            watcher::Event::InitDone => {
                let Listing { mut news, all } = self.listing.take().unwrap_or_default();
                self.told.retain(|uid, _| all.contains(uid));
                // They are listed by name.
                news.sort_by_key(|event| event.last);
                for event in &news {
                    self.tell(event);
                }
            }
            watcher::Event::Apply(event) => {
                if let Some(event) = event.convert(names) {
                    self.tell(&event);
                }
            }
            watcher::Event::Delete(event) => {
                if let Some(event) = event.convert(names) {
                    self.told.remove(&event.uid);
                }
            }
        }
    }

    fn list(&mut self, event: Event) {
        let is_news = self.is_news(&event);
        let listing = self.listing.get_or_insert_default();
        listing.all.insert(event.uid);
        if !is_news {
            return;
        }
        listing.news.push(event);
        if listing.news.len() > self.most_listed {
            let half = listing.news.len() / 2;
            listing
                .news
                .select_nth_unstable_by_key(half, |event| event.last);
            listing.news.drain(..half);
        }
    }

    fn is_news(&self, event: &Event) -> bool {
        let told = self.told.get(&event.uid);
        told.is_none_or(|told| *told < Seen::of(event))
    }

    fn tell(&mut self, event: &Event) {
        if !self.is_news(event) {
            return;
        }
        if self.told.len() >= self.most_told {
            let mut lasts: Vec<Timestamp> = self.told.values().map(|seen| seen.last).collect();
            let half = lasts.len() / 2;
            let (_, middle, _) = lasts.select_nth_unstable(half);
            let middle = *middle;
            self.told.retain(|_, seen| seen.last > middle);
        }
        self.told.insert(event.uid, Seen::of(event));
        for observer in &self.observers {
            observer.event(event);
        }
    }
}

impl Seen {
    fn of(event: &Event) -> Self {
        Self {
            last: event.last,
            count: event.count,
        }
    }
}

/// Tells what a watch of events says.
pub(super) async fn follow(
    stream: impl Stream<Item = Result<watcher::Event<SlimEvent>, Failed>> + Send,
    feed: &mut Feed,
    names: &Interner,
    health: &WatchHealth,
    mut reporter: Reporter<'_>,
) {
    let mut stream = pin!(stream);
    while let Some(event) = stream.next().await {
        match event {
            Ok(event) => {
                if !matches!(event, watcher::Event::Init) {
                    reporter.answered();
                }
                let done = matches!(event, watcher::Event::InitDone);
                let version = version_of(&event);
                feed.apply(event, names);
                health.taken_in(version);
                if done {
                    health.listed();
                }
            }
            Err(failed) => reporter.failed(&failed),
        }
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
    struct Heard(Mutex<Vec<String>>);

    impl Observer for Heard {
        fn pod(&self, _: Option<&Arc<Pod>>, _: Option<&Arc<Pod>>) {}

        fn node(&self, _: Option<&Arc<Node>>, _: Option<&Arc<Node>>) {}

        fn event(&self, event: &Event) {
            self.0
                .lock()
                .push(format!("{}×{}", event.reason, event.count));
        }
    }

    fn event(name: &str, count: u32, second: i64) -> SlimEvent {
        let last = Timestamp::from_secs(second).to_rfc3339_seconds();
        serde_json::from_value(json!({
            "metadata": {"name": name, "uid": name}, "involvedObject": {"kind": "Pod", "name": "p"},
            "reason": name, "count": count, "lastTimestamp": last,
        }))
        .unwrap()
    }

    struct Fed {
        feed: Feed,
        heard: Arc<Heard>,
    }

    impl Fed {
        fn new() -> Self {
            let heard = Arc::new(Heard::default());
            let feed = Feed::new(vec![Arc::clone(&heard) as Arc<dyn Observer>]);
            Self { feed, heard }
        }

        fn apply(&mut self, event: watcher::Event<SlimEvent>) {
            self.feed.apply(event, &Interner::default());
        }

        fn list(&mut self, events: impl IntoIterator<Item = SlimEvent>) {
            self.apply(watcher::Event::Init);
            for event in events {
                self.apply(watcher::Event::InitApply(event));
            }
            self.apply(watcher::Event::InitDone);
        }

        fn heard(&self) -> Vec<String> {
            std::mem::take(&mut *self.heard.0.lock())
        }
    }

    #[test]
    fn what_is_there_at_start_is_told_the_oldest_first() {
        let mut fed = Fed::new();
        fed.list([event("a", 1, 30), event("b", 4, 10), event("c", 1, 20)]);
        assert_eq!(fed.heard(), ["b×4", "c×1", "a×1"]);
    }

    #[test]
    fn an_event_is_told_again_only_when_it_is_repeated() {
        let mut fed = Fed::new();
        fed.apply(watcher::Event::Apply(event("a", 1, 10)));
        fed.apply(watcher::Event::Apply(event("a", 1, 10)));
        fed.list([event("a", 1, 10), event("b", 1, 11)]);
        fed.list([event("a", 2, 12), event("b", 1, 11)]);
        fed.apply(watcher::Event::Apply(event("a", 2, 12)));
        assert_eq!(fed.heard(), ["a×1", "b×1", "a×2"]);
    }

    #[test]
    fn what_the_api_server_forgot_is_forgotten() {
        let mut fed = Fed::new();
        fed.list([event("a", 1, 10), event("b", 1, 10)]);
        fed.apply(watcher::Event::Delete(event("a", 1, 10)));
        assert_eq!(fed.feed.told.len(), 1);
        fed.list([]);
        assert!(fed.feed.told.is_empty());
    }

    #[test]
    fn memory_is_bounded_and_the_latest_are_kept() {
        let mut fed = Fed::new();
        (fed.feed.most_told, fed.feed.most_listed) = (10, 10);
        let number = |n: i64| event(&n.to_string(), 1, n);
        fed.list((0..100).map(number));
        let heard = fed.heard();
        assert!(
            heard.len() <= 10 && heard.last().unwrap() == "99×1",
            "{heard:?}"
        );
        for n in 100..1000 {
            fed.apply(watcher::Event::Apply(number(n)));
            assert!(fed.feed.told.len() <= 10);
        }
        fed.heard();
        fed.apply(watcher::Event::Apply(number(999)));
        assert!(fed.heard().is_empty());
    }
}
