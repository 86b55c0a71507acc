//! Taking in a stream of changes.

use std::pin::pin;

use futures::{Stream, StreamExt};
use kube::runtime::watcher::{self, Event};

use super::health::{Reporter, WatchHealth};
use super::table::{Listener, Table, Watched};
use crate::cluster::Pools;

/// How many changes are taken in before readers see them: a burst is published once, not object by object.
const BURST: usize = 512;

/// Whether there is no going on without a watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// There is none: one that is refused is tried again like any that fails.
    Must,
    /// There is: who may do what metrics-server may, and no more, is refused.
    May,
}

/// Applies a stream of events to a table. Returns when the watch is refused, if there is a going on without it.
pub(super) async fn follow<K: Watched, L: Listener<K>>(
    stream: impl Stream<Item = watcher::Result<Event<K>>> + Send,
    table: &mut Table<K, L>,
    pools: &Pools,
    health: &WatchHealth,
    need: Need,
) {
    let mut reporter = Reporter::new(health, K::plural(&()), need);
    let mut bursts = pin!(stream.ready_chunks(BURST));
    while let Some(burst) = bursts.next().await {
        let (mut news, mut refused) = (false, false);
        for event in burst {
            match event {
                Ok(event) => {
                    let done = matches!(event, Event::InitDone);
                    // That a list is about to be asked for is no answer yet.
                    let answered = !matches!(event, Event::Init);
                    news |= table.apply(event, pools);
                    if answered {
                        reporter.answered();
                    }
                    if done {
                        health.listed();
                    }
                }
                Err(error) => refused |= !reporter.failed(&error),
            }
        }
        if news {
            table.publish();
        }
        if refused {
            return;
        }
    }
}
