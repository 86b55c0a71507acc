//! Caches the results of reviews, and shares one review among all requests that wait for it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use parking_lot::Mutex;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use ring::hmac;
use ring::rand::SystemRandom;

use super::metrics::ReviewMetrics;
use super::review::ReviewError;
use crate::clock::{Age, Clock};

/// The most bytes of a cache. With [`MIN_WEIGHT`], this also limits the number of entries.
const MAX_BYTES: u64 = 4 << 20;

/// The weight of the smallest entry in bytes, with its key and the cache's own memory.
const MIN_WEIGHT: u64 = 256;

/// The digest of a review's request: of fixed size, and without secrets. Its HMAC key is random, so that nobody can
/// construct two requests with the same digest.
type Key = [u8; 32];

/// A result that can be cached.
pub(super) trait ReviewResult: Clone + Send + Sync + 'static {
    /// The size of the result in bytes, about.
    fn bytes(&self) -> usize;

    /// Whether the token is valid, or the request is allowed.
    fn is_positive(&self) -> bool;
}

#[derive(Clone)]
struct Entry<A> {
    result: A,
    since: Age,
    lifetime: Duration,
}

impl<A> Entry<A> {
    fn is_fresh(&self, now: Age) -> bool {
        now.since(self.since) < self.lifetime
    }
}

#[derive(Clone)]
struct EntryWeight;

impl<A: ReviewResult> Weighter<Key, Entry<A>> for EntryWeight {
    fn weight(&self, _key: &Key, entry: &Entry<A>) -> u64 {
        MIN_WEIGHT + entry.result.bytes() as u64
    }
}

type PendingReview<A> = Shared<BoxFuture<'static, Result<A, ReviewError>>>;

/// The size of a cache.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cached {
    pub(super) entries: u64,
    /// The size in bytes, about.
    pub(super) bytes: u64,
}

/// The cache of one kind of review.
pub(super) struct ReviewCache<A: ReviewResult> {
    secret: hmac::Key,
    clock: Arc<dyn Clock>,
    entries: Cache<Key, Entry<A>, EntryWeight>,
    pending: Mutex<HashMap<Key, PendingReview<A>>>,
    pub(super) metrics: ReviewMetrics,
}

impl<A: ReviewResult> ReviewCache<A> {
    /// Makes an empty cache.
    ///
    /// # Errors
    /// The system has no random bytes.
    pub(super) fn new(
        clock: Arc<dyn Clock>,
        metrics: ReviewMetrics,
    ) -> Result<Arc<Self>, ring::error::Unspecified> {
        let max_entries = usize::try_from(MAX_BYTES / MIN_WEIGHT).unwrap_or(usize::MAX);
        Ok(Arc::new(Self {
            secret: hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())?,
            clock,
            entries: Cache::with_weighter(max_entries, MAX_BYTES, EntryWeight),
            pending: Mutex::default(),
            metrics,
        }))
    }

    /// Returns the result for `request`: from the cache, from the same review in flight, or from a new one. A review
    /// continues when its request is gone, because others may wait for it. Failures are not cached. `review` is
    /// called for a new review, and may refuse to start it. The review returns its result and how long it is valid.
    pub(super) async fn get_or_review<R>(
        self: &Arc<Self>,
        request: &[u8],
        review: impl FnOnce() -> Result<R, ReviewError>,
    ) -> Result<A, ReviewError>
    where
        R: Future<Output = Result<(A, Duration), ReviewError>> + Send + 'static,
    {
        let key = self.key(request);
        if let Some(entry) = self.entries.get(&key)
            && entry.is_fresh(self.clock.elapsed())
        {
            self.metrics.hits.inc();
            return Ok(entry.result);
        }
        let pending_review = {
            let mut pending = self.pending.lock();
            if let Some(pending_review) = pending.get(&key) {
                self.metrics.joined.inc();
                pending_review.clone()
            } else {
                self.metrics.misses.inc();
                let pending_review = self.start(key, review()?);
                pending.insert(key, pending_review.clone());
                pending_review
            }
        };
        pending_review.await
    }

    fn start<R>(self: &Arc<Self>, key: Key, review: R) -> PendingReview<A>
    where
        R: Future<Output = Result<(A, Duration), ReviewError>> + Send + 'static,
    {
        let cache = Arc::clone(self);
        let task = tokio::spawn(async move {
            let guard = RemovePending { cache: &cache, key };
            // The lifetime starts before the review is sent: a change in between counts as later.
            let since = cache.clock.elapsed();
            let began = Instant::now();
            let reviewed = review.await;
            let positive = reviewed
                .as_ref()
                .ok()
                .map(|(result, _)| result.is_positive());
            cache.metrics.reviewed(positive, began.elapsed());
            let (result, lifetime) = reviewed?;
            if !lifetime.is_zero() {
                let entry = Entry {
                    result: result.clone(),
                    since,
                    lifetime,
                };
                cache.entries.insert(key, entry);
            }
            drop(guard);
            Ok(result)
        });
        let pending_review = task.map(|ended| ended.unwrap_or(Err(ReviewError::Panicked)));
        pending_review.boxed().shared()
    }

    fn key(&self, request: &[u8]) -> Key {
        let tag = hmac::sign(&self.secret, request);
        tag.as_ref().try_into().unwrap_or_default()
    }

    /// The size of the cache, expired results included.
    pub(super) fn cached(&self) -> Cached {
        Cached {
            entries: self.entries.len() as u64,
            bytes: self.entries.weight(),
        }
    }
}

/// Removes a review from the pending ones, however it ends.
struct RemovePending<'a, A: ReviewResult> {
    cache: &'a ReviewCache<A>,
    key: Key,
}

impl<A: ReviewResult> Drop for RemovePending<'_, A> {
    fn drop(&mut self) {
        self.cache.pending.lock().remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use kubevitals_proto::time::Timestamp;
    use kubevitals_sim::SimClock;
    use tokio::sync::Notify;

    const TTL: Duration = Duration::from_secs(10);

    impl ReviewResult for String {
        fn bytes(&self) -> usize {
            self.len()
        }

        fn is_positive(&self) -> bool {
            !self.is_empty()
        }
    }

    fn cache() -> (SimClock, Arc<ReviewCache<String>>) {
        let clock = SimClock::manual(Timestamp::from_secs(1_800_000_000));
        let cache = ReviewCache::new(clock.process(), ReviewMetrics::default()).unwrap();
        (clock, cache)
    }

    async fn get(cache: &Arc<ReviewCache<String>>, request: &str, answer: &str) -> String {
        let answer = answer.to_owned();
        let review = async move { Ok((answer, TTL)) };
        cache
            .get_or_review(request.as_bytes(), || Ok(review))
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn a_result_is_cached_for_its_lifetime() {
        let (clock, cache) = cache();
        assert_eq!(get(&cache, "q", "first").await, "first");
        clock.advance(TTL - Duration::from_millis(1));
        assert_eq!(get(&cache, "q", "second").await, "first");
        assert_eq!(get(&cache, "another", "third").await, "third");
        clock.advance(Duration::from_millis(1));
        assert_eq!(get(&cache, "q", "fourth").await, "fourth");
        let metrics = &cache.metrics;
        assert_eq!((metrics.hits.get(), metrics.misses.get()), (1, 3));
    }

    #[tokio::test]
    async fn a_zero_lifetime_is_not_cached() {
        let (_clock, cache) = cache();
        for answer in ["first", "second"] {
            let review = async move { Ok((answer.to_owned(), Duration::ZERO)) };
            assert_eq!(
                cache.get_or_review(b"q", || Ok(review)).await.unwrap(),
                answer
            );
        }
        assert_eq!(cache.cached().entries, 0);
    }

    #[tokio::test]
    async fn a_failure_is_returned_and_not_cached() {
        let (_clock, cache) = cache();
        let failed = cache.get_or_review(b"q", || Ok(async { Err(ReviewError::TimedOut) }));
        assert!(matches!(failed.await, Err(ReviewError::TimedOut)));
        assert_eq!(get(&cache, "q", "").await, "");
        assert_eq!(get(&cache, "another", "well").await, "well");
        let metrics = &cache.metrics;
        let counts = [&metrics.yes, &metrics.no, &metrics.failed].map(|counter| counter.get());
        assert_eq!(counts, [1, 1, 1]);
    }

    #[tokio::test]
    async fn concurrent_requests_share_one_review() {
        let (_clock, cache) = cache();
        let (go, reviews) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
        let requests: Vec<_> = (0..100)
            .map(|_| {
                let (cache, go, reviews) =
                    (Arc::clone(&cache), Arc::clone(&go), Arc::clone(&reviews));
                tokio::spawn(async move {
                    let review = async move {
                        reviews.fetch_add(1, Ordering::Relaxed);
                        go.notified().await;
                        Ok(("answer".to_owned(), TTL))
                    };
                    cache.get_or_review(b"q", || Ok(review)).await
                })
            })
            .collect();
        while cache.metrics.misses.get() + cache.metrics.joined.get() < 100 {
            tokio::task::yield_now().await;
        }
        // The first request is dropped; the others are answered.
        requests[0].abort();
        go.notify_one();
        for request in requests.into_iter().skip(1) {
            assert_eq!(request.await.unwrap().unwrap(), "answer");
        }
        assert_eq!(reviews.load(Ordering::Relaxed), 1);
        assert!(cache.pending.lock().is_empty());
    }

    #[tokio::test]
    async fn a_review_that_panics_leaves_nothing_pending() {
        let (_clock, cache) = cache();
        let broken = cache.get_or_review(b"q", || Ok(async { panic!("as a defect would") }));
        assert!(matches!(broken.await, Err(ReviewError::Panicked)));
        assert_eq!(get(&cache, "q", "well").await, "well");
    }

    #[tokio::test]
    async fn the_cache_is_bounded_in_number_and_bytes() {
        let (_clock, cache) = cache();
        for request in 0..40_000 {
            get(&cache, &request.to_string(), "yes").await;
        }
        let counts = cache.cached();
        assert!(counts.entries <= MAX_BYTES / MIN_WEIGHT && counts.bytes <= MAX_BYTES);
        let long = "x".repeat(100 << 10);
        for request in 0..200 {
            get(&cache, &request.to_string(), &long).await;
        }
        assert!(cache.cached().bytes <= MAX_BYTES);
    }
}
