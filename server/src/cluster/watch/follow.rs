//! Applies the changes of a watch to a state.

use std::pin::pin;

use futures::{Stream, StreamExt};
use kube::runtime::watcher::Event;
use kubevitals_proto::objects::{Item, Pools};

use super::health::WatchHealth;
use super::reflector::FailedAttempt;
use super::report::Reporter;

/// The most changes that are applied before readers see them: a burst is published once, not object by object.
const BURST: usize = 512;

/// A state that a watch changes.
pub(in crate::cluster) trait WatchState<K> {
    /// Applies an event. Returns whether there is something new to publish.
    fn apply(&mut self, event: Event<K>, pools: &Pools) -> bool;

    /// Publishes the state to readers, after a burst of changes.
    fn publish(&mut self) {}

    /// The number of objects that the state leaves out, because the memory limit is near.
    fn left_out(&self) -> u64 {
        0
    }
}

/// The version of the object that an event is about, if there is one.
fn version_of<K: Item>(event: &Event<K>) -> Option<String> {
    match event {
        Event::Apply(object) | Event::Delete(object) | Event::InitApply(object) => {
            let version = &object.metadata().resource_version;
            (!version.is_empty()).then(|| version.clone())
        }
        Event::Init | Event::InitDone => None,
    }
}

/// Applies a stream of events to a state.
pub(super) async fn follow<K: Item>(
    stream: impl Stream<Item = Result<Event<K>, FailedAttempt>> + Send,
    state: &mut impl WatchState<K>,
    pools: &Pools,
    health: &WatchHealth,
    mut reporter: Reporter<'_>,
) {
    let mut bursts = pin!(stream.ready_chunks(BURST));
    while let Some(burst) = bursts.next().await {
        let (mut changed, mut listed, mut version) = (false, false, None);
        for event in burst {
            match event {
                Ok(event) => {
                    version = version_of(&event).or(version);
                    listed |= matches!(event, Event::InitDone);
                    // `Init` only announces a list; it is no response.
                    let answered = !matches!(event, Event::Init);
                    changed |= state.apply(event, pools);
                    if answered {
                        reporter.answered();
                    }
                }
                Err(failed) => reporter.failed(&failed),
            }
        }
        // A reader must not take an incomplete list for a complete one.
        let left_out = state.left_out();
        health.set_left_out(left_out.max(health.left_out()));
        if changed {
            state.publish();
        }
        health.set_left_out(left_out);
        // After publishing: a reader that waits for the list must find its objects.
        if listed {
            health.listed();
        }
        health.applied(version);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::stream;
    use imbl::OrdMap;
    use kubevitals_proto::objects::WirePod;
    use serde_json::json;

    use super::super::cache::{ObjectCache, Publisher};
    use super::super::report::{Need, Outages};
    use super::*;
    use crate::cluster::{Pod, PodKey};

    /// Records the version that the health reports when the cache publishes.
    struct RecordingPublisher<'a>(&'a WatchHealth, Vec<String>);

    impl Publisher<WirePod> for RecordingPublisher<'_> {
        fn notify(&mut self, _: Option<&Arc<Pod>>, _: Option<&Arc<Pod>>) {}

        fn publish(&mut self, _: &OrdMap<PodKey, Arc<Pod>>) {
            self.1.push(self.0.last_version());
        }
    }

    fn pod(name: &str, version: &str) -> WirePod {
        let metadata = json!({"namespace": "default", "name": name, "resourceVersion": version});
        serde_json::from_value(json!({ "metadata": metadata })).unwrap()
    }

    #[tokio::test]
    async fn a_version_is_applied_when_readers_see_it() {
        let health = WatchHealth::default();
        assert_eq!(health.last_version(), "");
        let mut cache = ObjectCache::new(RecordingPublisher(&health, Vec::new()), Arc::default());
        for events in [
            vec![
                Event::Init,
                Event::InitApply(pod("a", "3")),
                Event::InitDone,
            ],
            vec![Event::Apply(pod("b", "7")), Event::Delete(pod("a", "8"))],
        ] {
            let events = stream::iter(events.into_iter().map(Ok));
            let outages = Outages::default();
            let reporter = Reporter::new(&health, &outages, "pods", Need::Required);
            follow(events, &mut cache, &Pools::default(), &health, reporter).await;
        }
        assert_eq!(health.last_version(), "8");
        assert_eq!(cache.publisher.1, ["", "3"]);
    }
}
