//! Answers of reviews, remembered for a while, and asked for once however many wait for them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

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

/// The most bytes of all answers of one kind together; with [`LEAST`], also a bound on their number.
const MOST: u64 = 4 << 20;

/// What the smallest answer is taken to weigh, with its key and its place in the cache.
const LEAST: u64 = 256;

/// What is asked, as a digest: of one size, and nothing to be learned from it. The digest's key is made at start,
/// so nobody can prepare two questions that look the same.
type Key = [u8; 32];

/// An answer that can be remembered.
pub(super) trait Answer: Clone + Send + Sync + 'static {
    /// About how many bytes it holds.
    fn bytes(&self) -> usize;
}

/// How long an answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lifetime(pub(super) Duration);

#[derive(Clone)]
struct Remembered<A> {
    answer: A,
    since: Age,
    lifetime: Duration,
}

impl<A> Remembered<A> {
    fn holds(&self, now: Age) -> bool {
        now.since(self.since) < self.lifetime
    }
}

#[derive(Clone)]
struct Weigh;

impl<A: Answer> Weighter<Key, Remembered<A>> for Weigh {
    fn weight(&self, _key: &Key, remembered: &Remembered<A>) -> u64 {
        LEAST + remembered.answer.bytes() as u64
    }
}

type Flight<A> = Shared<BoxFuture<'static, Result<A, ReviewError>>>;

/// The size of a cache.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cached {
    pub(super) entries: u64,
    /// About how many bytes they take.
    pub(super) bytes: u64,
}

/// Remembers the answers of one kind of review.
pub(super) struct Memo<A: Answer> {
    secret: hmac::Key,
    clock: Arc<dyn Clock>,
    answers: Cache<Key, Remembered<A>, Weigh>,
    flights: Mutex<HashMap<Key, Flight<A>>>,
    pub(super) metrics: ReviewMetrics,
}

impl<A: Answer> Memo<A> {
    /// One that remembers nothing yet.
    ///
    /// # Errors
    /// When the machine has no randomness.
    pub(super) fn new(
        clock: Arc<dyn Clock>,
        metrics: ReviewMetrics,
    ) -> Result<Arc<Self>, ring::error::Unspecified> {
        let most = usize::try_from(MOST / LEAST).unwrap_or(usize::MAX);
        Ok(Arc::new(Self {
            secret: hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())?,
            clock,
            answers: Cache::with_weighter(most, MOST, Weigh),
            flights: Mutex::default(),
            metrics,
        }))
    }

    /// The answer to `question`: the remembered one, or that of the same review under way, or of a new one. A
    /// review goes on when whoever asked for it is gone: others may wait for it. A failure is not remembered.
    /// `review` is called when a new one is needed, and may refuse to begin it.
    pub(super) async fn answer<R>(
        self: &Arc<Self>,
        question: &[u8],
        review: impl FnOnce() -> Result<R, ReviewError>,
    ) -> Result<A, ReviewError>
    where
        R: Future<Output = Result<(A, Lifetime), ReviewError>> + Send + 'static,
    {
        let key = self.key(question);
        if let Some(remembered) = self.answers.get(&key)
            && remembered.holds(self.clock.elapsed())
        {
            self.metrics.hits.inc();
            return Ok(remembered.answer);
        }
        let flight = {
            let mut flights = self.flights.lock();
            if let Some(flight) = flights.get(&key) {
                self.metrics.joined.inc();
                flight.clone()
            } else {
                self.metrics.misses.inc();
                let flight = self.begin(key, review()?);
                flights.insert(key, flight.clone());
                flight
            }
        };
        flight.await
    }

    fn begin<R>(self: &Arc<Self>, key: Key, review: R) -> Flight<A>
    where
        R: Future<Output = Result<(A, Lifetime), ReviewError>> + Send + 'static,
    {
        let memo = Arc::clone(self);
        let task = tokio::spawn(async move {
            let landed = Landing { memo: &memo, key };
            // An answer's time runs from when the question was put: what changes meanwhile counts as later.
            let since = memo.clock.elapsed();
            let (answer, Lifetime(lifetime)) = review.await?;
            if !lifetime.is_zero() {
                let remembered = Remembered {
                    answer: answer.clone(),
                    since,
                    lifetime,
                };
                memo.answers.insert(key, remembered);
            }
            drop(landed);
            Ok(answer)
        });
        let flight = task.map(|ended| ended.unwrap_or(Err(ReviewError::Broken)));
        flight.boxed().shared()
    }

    fn key(&self, question: &[u8]) -> Key {
        let tag = hmac::sign(&self.secret, question);
        tag.as_ref().try_into().unwrap_or_default()
    }

    /// The size of the cache, expired answers included.
    pub(super) fn cached(&self) -> Cached {
        Cached {
            entries: self.answers.len() as u64,
            bytes: self.answers.weight(),
        }
    }
}

/// Takes a flight off the list, however it ends.
struct Landing<'a, A: Answer> {
    memo: &'a Memo<A>,
    key: Key,
}

impl<A: Answer> Drop for Landing<'_, A> {
    fn drop(&mut self) {
        self.memo.flights.lock().remove(&self.key);
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

    impl Answer for String {
        fn bytes(&self) -> usize {
            self.len()
        }
    }

    fn memo() -> (SimClock, Arc<Memo<String>>) {
        let clock = SimClock::manual(Timestamp::from_secs(1_800_000_000));
        let memo = Memo::new(clock.process(), ReviewMetrics::default()).unwrap();
        (clock, memo)
    }

    async fn ask(memo: &Arc<Memo<String>>, question: &str, answer: &str) -> String {
        let answer = answer.to_owned();
        let review = async move { Ok((answer, Lifetime(TTL))) };
        memo.answer(question.as_bytes(), || Ok(review))
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn an_answer_is_remembered_for_its_time() {
        let (clock, memo) = memo();
        assert_eq!(ask(&memo, "q", "first").await, "first");
        clock.advance(TTL - Duration::from_millis(1));
        assert_eq!(ask(&memo, "q", "second").await, "first");
        assert_eq!(ask(&memo, "another", "third").await, "third");
        clock.advance(Duration::from_millis(1));
        assert_eq!(ask(&memo, "q", "fourth").await, "fourth");
        let metrics = &memo.metrics;
        assert_eq!((metrics.hits.get(), metrics.misses.get()), (1, 3));
    }

    #[tokio::test]
    async fn without_a_lifetime_nothing_is_remembered() {
        let (_clock, memo) = memo();
        for answer in ["first", "second"] {
            let review = async move { Ok((answer.to_owned(), Lifetime(Duration::ZERO))) };
            assert_eq!(memo.answer(b"q", || Ok(review)).await.unwrap(), answer);
        }
        assert_eq!(memo.cached().entries, 0);
    }

    #[tokio::test]
    async fn a_failure_is_told_and_not_remembered() {
        let (_clock, memo) = memo();
        let failed = memo.answer(b"q", || Ok(async { Err(ReviewError::TimedOut) }));
        assert!(matches!(failed.await, Err(ReviewError::TimedOut)));
        assert_eq!(ask(&memo, "q", "well").await, "well");
    }

    #[tokio::test]
    async fn many_who_ask_the_same_share_one_review() {
        let (_clock, memo) = memo();
        let (go, reviews) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
        let asking: Vec<_> = (0..100)
            .map(|_| {
                let (memo, go, reviews) =
                    (Arc::clone(&memo), Arc::clone(&go), Arc::clone(&reviews));
                tokio::spawn(async move {
                    let review = async move {
                        reviews.fetch_add(1, Ordering::Relaxed);
                        go.notified().await;
                        Ok(("answer".to_owned(), Lifetime(TTL)))
                    };
                    memo.answer(b"q", || Ok(review)).await
                })
            })
            .collect();
        while memo.metrics.misses.get() + memo.metrics.joined.get() < 100 {
            tokio::task::yield_now().await;
        }
        // The first who asked goes away; the others are answered all the same.
        asking[0].abort();
        go.notify_one();
        for asking in asking.into_iter().skip(1) {
            assert_eq!(asking.await.unwrap().unwrap(), "answer");
        }
        assert_eq!(reviews.load(Ordering::Relaxed), 1);
        assert!(memo.flights.lock().is_empty());
    }

    #[tokio::test]
    async fn a_review_that_breaks_leaves_no_trace() {
        let (_clock, memo) = memo();
        let broken = memo.answer(b"q", || Ok(async { panic!("as a defect would") }));
        assert!(matches!(broken.await, Err(ReviewError::Broken)));
        assert_eq!(ask(&memo, "q", "well").await, "well");
    }

    #[tokio::test]
    async fn what_is_remembered_is_bounded_in_number_and_bytes() {
        let (_clock, memo) = memo();
        for question in 0..40_000 {
            ask(&memo, &question.to_string(), "yes").await;
        }
        let counts = memo.cached();
        assert!(counts.entries <= MOST / LEAST && counts.bytes <= MOST);
        let long = "x".repeat(100 << 10);
        for question in 0..200 {
            ask(&memo, &question.to_string(), &long).await;
        }
        assert!(memo.cached().bytes <= MOST);
    }
}
