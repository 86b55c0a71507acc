//! Metrics of authentication and authorization.

use std::time::Duration;

use prometheus_client::metrics::histogram::Histogram;

use crate::telemetry::metrics::{Counter, Labelled, Registry, by_result};

/// The upper bounds of a review's duration, in seconds.
const REVIEW_BUCKETS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// Metrics of authentication and authorization.
#[derive(Debug, Clone)]
pub struct AuthMetrics {
    /// Requests by the result of authentication.
    pub authenticated: Labelled<Counter, 1>,
    /// Requests by the result of authorization.
    pub authorized: Labelled<Counter, 1>,
    /// Reloads of the CAs, names and headers of front proxies that succeeded.
    pub trust_changes: Counter,
    /// Reloads that failed.
    pub trust_failures: Counter,
    /// TokenReviews.
    pub tokens: ReviewMetrics,
    /// SubjectAccessReviews.
    pub access: ReviewMetrics,
}

/// Metrics of one kind of review, and of the cache before it.
#[derive(Debug, Clone)]
pub struct ReviewMetrics {
    /// Reviews with a positive result.
    pub yes: Counter,
    /// Reviews with a negative result.
    pub no: Counter,
    /// Reviews that failed.
    pub failed: Counter,
    /// Durations of reviews.
    pub duration: Histogram,
    /// Lookups that a cached result answered.
    pub hits: Counter,
    /// Lookups that began a review.
    pub misses: Counter,
    /// Lookups that waited for a review in flight.
    pub joined: Counter,
}

impl Default for AuthMetrics {
    fn default() -> Self {
        fn counters<const N: usize>(results: [&'static str; N]) -> Labelled<Counter, 1> {
            Labelled::of(["result"], results.map(|it| ([it], Counter::default())))
        }
        Self {
            authenticated: counters([
                "front-proxy",
                "client-certificate",
                "token",
                "anonymous",
                "refused",
                "not-ready",
                "failed",
            ]),
            authorized: counters(["always-allowed", "allowed", "denied", "failed"]),
            trust_changes: Counter::default(),
            trust_failures: Counter::default(),
            tokens: ReviewMetrics::default(),
            access: ReviewMetrics::default(),
        }
    }
}

impl Default for ReviewMetrics {
    fn default() -> Self {
        Self {
            yes: Counter::default(),
            no: Counter::default(),
            failed: Counter::default(),
            duration: Histogram::new(REVIEW_BUCKETS),
            hits: Counter::default(),
            misses: Counter::default(),
            joined: Counter::default(),
        }
    }
}

impl ReviewMetrics {
    /// Counts a review: whether its result is positive; `None` if it failed.
    pub(super) fn reviewed(&self, positive: Option<bool>, took: Duration) {
        match positive {
            Some(true) => &self.yes,
            Some(false) => &self.no,
            None => &self.failed,
        }
        .inc();
        self.duration.observe(took.as_secs_f64());
    }
}

impl AuthMetrics {
    /// Registers the metrics.
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "kubevitals_authentication_requests",
            "Requests by the result of authentication: front-proxy, client-certificate, token, anonymous, refused (401), \
             not-ready (503), failed (500)",
            self.authenticated.clone(),
        );
        registry.register(
            "kubevitals_authorization_requests",
            "Requests by the result of authorization: always-allowed, allowed, denied (403), failed (500)",
            self.authorized.clone(),
        );
        registry.register(
            "kubevitals_authentication_configuration_reloads",
            "Reloads of the authentication configuration after the ConfigMap or a CA file had changed, by result",
            by_result(&self.trust_changes, &self.trust_failures),
        );
        let reviews = || {
            [
                ("tokenreviews", self.tokens.clone()),
                ("subjectaccessreviews", self.access.clone()),
            ]
            .into_iter()
        };
        let results = reviews().flat_map(|(resource, review)| {
            [
                ([resource, "yes"], review.yes),
                ([resource, "no"], review.no),
                ([resource, "failed"], review.failed),
            ]
        });
        registry.register(
            "kubevitals_reviews",
            "Reviews sent to the API server, by resource and result",
            Labelled::of(["resource", "result"], results),
        );
        let durations = reviews().map(|(resource, review)| ([resource], review.duration));
        registry.register(
            "kubevitals_review_duration_seconds",
            "Duration of reviews, by resource",
            Labelled::of(["resource"], durations),
        );
        let lookups = reviews().flat_map(|(resource, review)| {
            [
                ([resource, "hit"], review.hits),
                ([resource, "miss"], review.misses),
                ([resource, "joined"], review.joined),
            ]
        });
        registry.register(
            "kubevitals_review_cache_questions",
            "Lookups in the cache of reviews, by resource and result: hit, miss (began a review), joined (waited for a review \
             that was under way)",
            Labelled::of(["resource", "result"], lookups),
        );
    }
}
