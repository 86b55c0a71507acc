//! Counts of authentication and authorization: what the server can say of its own work.

use std::array;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;

/// The upper bounds of the buckets of a review's duration, in seconds; above the last one is one more.
pub const REVIEW_BUCKETS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

macro_rules! labels {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $variant:ident = $label:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum $name { $($(#[$about])* $variant,)* }

        impl $name {
            const LABELS: &[&str] = &[$($label,)*];
        }
    };
}

labels! {
    /// What came of authenticating a request.
    Authenticated {
        FrontProxy = "front-proxy",
        Certificate = "client-certificate",
        Token = "token",
        Anonymous = "anonymous",
        /// 401.
        Refused = "refused",
        /// 503: the CAs are not known yet.
        NotReady = "not-ready",
        /// 500: the API server could not be asked.
        Failed = "failed",
    }
}

labels! {
    /// What came of authorizing a request.
    Authorized {
        /// A path or a group that is always allowed.
        Always = "always-allowed",
        Allowed = "allowed",
        /// 403.
        Denied = "denied",
        /// 500: the API server could not be asked.
        Failed = "failed",
    }
}

labels! {
    /// What a review came to.
    Reviewed {
        /// The token is good; the request is allowed.
        Yes = "yes",
        No = "no",
        Failed = "failed",
    }
}

/// One counter for each label.
#[derive(Debug)]
struct Tally<const N: usize>([AtomicU64; N]);

impl<const N: usize> Default for Tally<N> {
    fn default() -> Self {
        Self(array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl<const N: usize> Tally<N> {
    fn add(&self, at: usize) {
        if let Some(count) = self.0.get(at) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn read(&self) -> impl Iterator<Item = u64> {
        self.0.iter().map(|count| count.load(Ordering::Relaxed))
    }

    fn labelled(&self, labels: &[&'static str]) -> Vec<(&'static str, u64)> {
        labels.iter().copied().zip(self.read()).collect()
    }
}

/// Running counts of one kind of review.
#[derive(Debug, Default)]
pub(super) struct ReviewCounts {
    results: Tally<3>,
    buckets: Tally<{ REVIEW_BUCKETS.len() + 1 }>,
    microseconds: AtomicU64,
    hits: AtomicU64,
    misses: AtomicU64,
    joined: AtomicU64,
}

impl ReviewCounts {
    pub(super) fn reviewed(&self, result: Reviewed, took: Duration) {
        self.results.add(result as usize);
        let seconds = took.as_secs_f64();
        self.buckets
            .add(REVIEW_BUCKETS.partition_point(|bound| *bound < seconds));
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.microseconds.fetch_add(microseconds, Ordering::Relaxed);
    }

    pub(super) fn hit(&self) {
        self.hits.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn missed(&self) {
        self.misses.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn joined(&self) {
        self.joined.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self, entries: usize, bytes: u64) -> ReviewSnapshot {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        ReviewSnapshot {
            results: self.results.labelled(Reviewed::LABELS),
            buckets: self.buckets.read().collect(),
            seconds: Duration::from_micros(read(&self.microseconds)).as_secs_f64(),
            hits: read(&self.hits),
            misses: read(&self.misses),
            joined: read(&self.joined),
            entries,
            bytes,
        }
    }
}

/// Running counts of requests.
#[derive(Debug, Default)]
pub(super) struct RequestCounts {
    authenticated: Tally<7>,
    authorized: Tally<4>,
}

impl RequestCounts {
    pub(super) fn authenticated(&self, outcome: Authenticated) {
        self.authenticated.add(outcome as usize);
    }

    pub(super) fn authorized(&self, outcome: Authorized) {
        self.authorized.add(outcome as usize);
    }

    pub(super) fn snapshot(
        &self,
        (trust_changes, trust_failures): (u64, u64),
        tokens: ReviewSnapshot,
        access: ReviewSnapshot,
    ) -> Counts {
        Counts {
            trust_changes,
            trust_failures,
            authenticated: self.authenticated.labelled(Authenticated::LABELS),
            authorized: self.authorized.labelled(Authorized::LABELS),
            tokens,
            access,
        }
    }
}

/// The counts at one moment.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// How often new CAs, or other names and headers of front proxies, were taken over from files or the configmap.
    pub trust_changes: u64,
    /// How often what files or the configmap say newly could not be used.
    pub trust_failures: u64,
    /// Requests by what authentication found: front-proxy, client-certificate, token, anonymous; or why it let none
    /// pass: refused (401), not-ready (503), failed (500).
    pub authenticated: Vec<(&'static str, u64)>,
    /// Requests by what authorization found: always-allowed, allowed, denied (403), failed (500).
    pub authorized: Vec<(&'static str, u64)>,
    /// TokenReviews.
    pub tokens: ReviewSnapshot,
    /// SubjectAccessReviews.
    pub access: ReviewSnapshot,
}

/// The counts of one kind of review, and of the cache before it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReviewSnapshot {
    /// Reviews by what they came to: yes, no, failed.
    pub results: Vec<(&'static str, u64)>,
    /// Reviews by duration: one count for each of [`REVIEW_BUCKETS`], not cumulative, and one for all above.
    pub buckets: Vec<u64>,
    /// How long all reviews took together, in seconds.
    pub seconds: f64,
    /// Questions that a cached answer settled.
    pub hits: u64,
    /// Questions that needed a review of their own.
    pub misses: u64,
    /// Questions that shared the review of an earlier one, which was still under way.
    pub joined: u64,
    /// Answers in the cache, those out of date included.
    pub entries: usize,
    /// About how many bytes they take.
    pub bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_a_place_of_its_own() {
        let requests = RequestCounts::default();
        requests.authenticated(Authenticated::Failed);
        requests.authorized(Authorized::Failed);
        let reviews = ReviewCounts::default();
        for (milliseconds, result) in [
            (5, Reviewed::Yes),
            (6, Reviewed::No),
            (9000, Reviewed::Failed),
        ] {
            reviews.reviewed(result, Duration::from_millis(milliseconds));
        }
        let reviews = reviews.snapshot(0, 0);
        assert_eq!(reviews.results, [("yes", 1), ("no", 1), ("failed", 1)]);
        assert_eq!(reviews.buckets, [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert!((reviews.seconds - 9.011).abs() < 1e-9);
        let counts = requests.snapshot((2, 1), reviews.clone(), reviews);
        assert_eq!(counts.authenticated.len(), Authenticated::LABELS.len());
        assert_eq!(counts.authenticated.last(), Some(&("failed", 1)));
        assert_eq!(counts.authorized.last(), Some(&("failed", 1)));
    }
}
