//! Watches: a paged list, then changes, for ever; what is known stays while one is broken.

use std::fmt::Debug;
use std::pin::pin;

use futures::StreamExt;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;

use super::teller::Teller;
use crate::model::{Batch, Change, Key, Message, Outcome, Part, Progress};

/// How many changes are told at once: a burst is one message, not one for each object.
const BURST: usize = 512;

/// How often the progress of a list is told: every so many objects.
const PROGRESS: usize = 1_000;

/// A watch is begun anew after this long, in seconds, so that a silent connection is not taken for a dead one.
const WATCH_SECONDS: u32 = 240;

/// How what there is is told at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lists {
    /// In pages, as every API server does it.
    Paged,
    /// Object by object, at the beginning of the watch: no page is ever in memory as a whole.
    Streamed,
}

/// Why a watch was given up.
#[derive(Debug)]
pub(super) enum GivenUp {
    /// It may not be done, and why.
    Forbidden(String),
    /// The cluster has no such thing.
    Missing,
}

/// Watches one kind and tells of it as rows, until it turns out that it may not be done.
pub(super) async fn follow<K, R>(
    teller: &Teller,
    api: Api<K>,
    lists: Lists,
    part: Part,
    row: impl Fn(K) -> Option<R>,
    message: impl Fn(Batch<R>) -> Message,
) -> GivenUp
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let config = watcher::Config::default().timeout(WATCH_SECONDS);
    let config = match lists {
        Lists::Paged => config,
        Lists::Streamed => config.streaming_lists(),
    };
    let mut bursts = pin!(watcher(api, config).default_backoff().ready_chunks(BURST));
    let mut listing: Option<Vec<R>> = None;
    let mut first = true;
    while let Some(burst) = bursts.next().await {
        let mut changes = Vec::new();
        for event in burst {
            match event {
                Ok(Event::Init) => listing = Some(Vec::new()),
                Ok(Event::InitApply(object)) => {
                    let Some(listing) = &mut listing else {
                        continue;
                    };
                    listing.extend(row(object));
                    if first && listing.len() % PROGRESS == 0 {
                        let done = u64::try_from(listing.len()).unwrap_or(u64::MAX);
                        teller
                            .tell(Message::Part(
                                part,
                                Outcome::Loading(Progress { done, total: None }),
                            ))
                            .await;
                    }
                }
                Ok(Event::InitDone) => {
                    first = false;
                    changes.clear();
                    let rows = listing.take().unwrap_or_default();
                    teller.up().await;
                    teller.tell(message(Batch::All(rows))).await;
                    teller.fine(part).await;
                }
                Ok(Event::Apply(object)) => changes.extend(row(object).map(Change::Put)),
                Ok(Event::Delete(object)) => {
                    let meta = object.meta();
                    let namespace = meta.namespace.as_deref().unwrap_or_default();
                    let name = meta.name.as_deref().unwrap_or_default();
                    changes.push(Change::Gone(Key::new(&namespace.into(), &name.into())));
                }
                Err(error) => {
                    if let Some(given_up) = given_up(&error) {
                        return given_up;
                    }
                    if !passes(&error) {
                        teller.lost(innermost(&error), None).await;
                    }
                }
            }
        }
        if !changes.is_empty() {
            teller.up().await;
            teller.tell(message(Batch::Some(changes))).await;
            teller.fine(part).await;
        }
    }
    GivenUp::Missing
}

/// The API server's Status, if it answered.
fn status(error: &watcher::Error) -> Option<&kube::core::Status> {
    match error {
        watcher::Error::WatchError(status)
        | watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status)) => Some(status),
        _ => None,
    }
}

/// The API server's own words, if it answered.
fn said(error: &watcher::Error) -> Option<(u16, String)> {
    status(error).map(|status| (status.code, status.message.clone()))
}

fn given_up(error: &watcher::Error) -> Option<GivenUp> {
    match said(error)? {
        (401 | 403, message) => Some(GivenUp::Forbidden(message)),
        (404, _) => Some(GivenUp::Missing),
        _ => None,
    }
}

/// Whether the server answers, and the watch only has to list again: at once (410), or, where the server says when, soon
/// (429, or 503 of a server that has just started).
fn passes(error: &watcher::Error) -> bool {
    status(error).is_some_and(|status| {
        let details = status.details.as_ref();
        status.code == 410 || details.is_some_and(|details| details.retry_after_seconds > 0)
    })
}

fn innermost(error: &watcher::Error) -> String {
    if let Some((_, message)) = said(error) {
        return message;
    }
    let mut last: &(dyn std::error::Error + 'static) = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn failed(status: Value) -> watcher::Error {
        let status = Box::new(serde_json::from_value(status).unwrap());
        watcher::Error::WatchStartFailed(kube::Error::Api(status))
    }

    #[test]
    fn a_server_that_says_when_to_try_again_is_not_lost() {
        let retry = json!({"retryAfterSeconds": 1});
        for (status, expected) in [
            (json!({"code": 410, "reason": "Expired"}), true),
            (
                json!({"code": 503, "reason": "ServiceUnavailable", "details": retry}),
                true,
            ),
            (
                json!({"code": 429, "reason": "TooManyRequests", "details": retry}),
                true,
            ),
            // The kube-apiserver's word for a server that it cannot reach.
            (json!({"code": 503, "reason": "ServiceUnavailable"}), false),
            (json!({"code": 500, "details": {}}), false),
        ] {
            assert_eq!(passes(&failed(status.clone())), expected, "{status}");
        }
        assert!(!passes(&watcher::Error::NoResourceVersion));
    }
}
