//! Metrics of authentication and authorization.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::histogram::Histogram;

use super::Auth;
use crate::telemetry::metrics::{Counter, Labelled, Registry, by_result, collect};

/// The upper bounds of a review's duration, in seconds.
const REVIEW_BUCKETS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// Metrics of authentication and authorization.
#[derive(Debug, Clone, Default)]
pub struct AuthMetrics {
    /// Requests by what authentication found.
    pub authenticated: Authenticated,
    /// Requests by what authorization found.
    pub authorized: Authorized,
    /// Reloads of the CAs, names and headers of front proxies that succeeded.
    pub trust_changes: Counter,
    /// Reloads that failed.
    pub trust_failures: Counter,
    /// TokenReviews.
    pub tokens: ReviewMetrics,
    /// SubjectAccessReviews.
    pub access: ReviewMetrics,
}

/// Requests by what authentication found.
#[derive(Debug, Clone, Default)]
pub struct Authenticated {
    /// The user that a front proxy names.
    pub front_proxy: Counter,
    /// The holder of a client certificate.
    pub certificate: Counter,
    /// The owner of a token.
    pub token: Counter,
    /// No credentials.
    pub anonymous: Counter,
    /// Invalid credentials: 401.
    pub refused: Counter,
    /// The CAs are not known yet: 503.
    pub not_ready: Counter,
    /// The API server did not answer: 500.
    pub failed: Counter,
}

/// Requests by what authorization found.
#[derive(Debug, Clone, Default)]
pub struct Authorized {
    /// A path or a group that is always allowed.
    pub always: Counter,
    /// The API server allows it.
    pub allowed: Counter,
    /// The API server denies it: 403.
    pub denied: Counter,
    /// The API server did not answer: 500.
    pub failed: Counter,
}

/// The result of a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reviewed {
    /// The token is valid; the request is allowed.
    Yes,
    No,
    Failed,
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
    /// Lookups that waited for a review that was under way.
    pub joined: Counter,
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
    pub(super) fn reviewed(&self, result: Reviewed, took: Duration) {
        match result {
            Reviewed::Yes => &self.yes,
            Reviewed::No => &self.no,
            Reviewed::Failed => &self.failed,
        }
        .inc();
        self.duration.observe(took.as_secs_f64());
    }
}

impl Auth {
    /// Registers its metrics.
    pub fn register(self: &Arc<Self>, registry: &mut Registry) {
        let metrics = self.metrics();
        let Authenticated {
            front_proxy,
            certificate,
            token,
            anonymous,
            refused,
            not_ready,
            failed,
        } = metrics.authenticated.clone();
        let results = [
            (["front-proxy"], front_proxy),
            (["client-certificate"], certificate),
            (["token"], token),
            (["anonymous"], anonymous),
            (["refused"], refused),
            (["not-ready"], not_ready),
            (["failed"], failed),
        ];
        registry.register(
            "kubevitals_authentication_requests",
            "Requests by the result of authentication: front-proxy, client-certificate, token, anonymous, refused (401), \
             not-ready (503), failed (500)",
            Labelled::of(["result"], results),
        );
        let Authorized {
            always,
            allowed,
            denied,
            failed,
        } = metrics.authorized.clone();
        let results = [
            (["always-allowed"], always),
            (["allowed"], allowed),
            (["denied"], denied),
            (["failed"], failed),
        ];
        registry.register(
            "kubevitals_authorization_requests",
            "Requests by the result of authorization: always-allowed, allowed, denied (403), failed (500)",
            Labelled::of(["result"], results),
        );
        registry.register(
            "kubevitals_authentication_configuration_reloads",
            "Reloads of the authentication configuration after the ConfigMap or a CA file had changed, by result",
            by_result(&metrics.trust_changes, &metrics.trust_failures),
        );
        let reviews = || {
            [
                ("tokenreviews", metrics.tokens.clone()),
                ("subjectaccessreviews", metrics.access.clone()),
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
        registry.register(
            "kubevitals_review_duration_seconds",
            "Duration of reviews, by resource",
            Labelled::of(
                ["resource"],
                reviews().map(|(resource, review)| ([resource], review.duration)),
            ),
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
        collect(registry, Arc::clone(self), |auth, families| {
            let [tokens, access] = auth.cached();
            families.gauges(
                "kubevitals_review_cache_entries",
                "Results in the cache of reviews, by resource",
                ["resource"],
                [
                    (["tokenreviews"], tokens.entries),
                    (["subjectaccessreviews"], access.entries),
                ],
            )?;
            families.gauges(
                "kubevitals_review_cache_bytes",
                "Approximate memory of the cache of reviews, by resource",
                ["resource"],
                [
                    (["tokenreviews"], tokens.bytes),
                    (["subjectaccessreviews"], access.bytes),
                ],
            )
        });
    }
}
