//! Ours: who asked, and whether they might.

use std::fmt;

use super::Known;
use super::families::Families;
use crate::auth::{Counts, REVIEW_BUCKETS, ReviewSnapshot};

pub(super) fn write(families: &mut Families<'_>, known: &Known<'_>) -> fmt::Result {
    let Counts {
        trust_changes,
        trust_failures,
        authenticated,
        authorized,
        tokens,
        access,
    } = known.auth.counts();
    families.counter(
        "kubevitals_authentication_requests",
        "Requests by what authentication found: front-proxy, client-certificate, token, anonymous, or why none passed: \
         refused (401), not-ready (503), failed (500).",
        |family| by(family, "result", &authenticated),
    )?;
    families.counter(
        "kubevitals_authorization_requests",
        "Requests by what authorization found: always-allowed, allowed, denied (403), failed (500).",
        |family| by(family, "result", &authorized),
    )?;
    families.counter(
        "kubevitals_authentication_configuration_reloads",
        "How often whom to believe was read anew, because the configmap or a CA file had changed, by result.",
        |family| {
            family.total(&[("result", "success")], trust_changes)?;
            family.total(&[("result", "failure")], trust_failures)
        },
    )?;
    let reviews = [("tokenreviews", tokens), ("subjectaccessreviews", access)];
    families.counter(
        "kubevitals_reviews",
        "Reviews that the API server was asked for, by resource and what they came to.",
        |family| {
            each(&reviews, |resource, review| {
                let mut results = review.results.iter();
                results.try_for_each(|(result, count)| {
                    family.total(&[("resource", resource), ("result", result)], *count)
                })
            })
        },
    )?;
    families.histogram(
        "kubevitals_review_duration_seconds",
        "How long those reviews took, by resource.",
        |family| {
            each(&reviews, |resource, review| {
                let bounds = REVIEW_BUCKETS.iter().copied().chain([f64::INFINITY]);
                let buckets: Vec<(f64, u64)> = bounds.zip(review.buckets.iter().copied()).collect();
                family.buckets(&[("resource", resource)], review.seconds, &buckets)
            })
        },
    )?;
    families.counter(
        "kubevitals_review_cache_questions",
        "Questions to the cache of reviews, by resource and how it settled them: hit, miss (a review of its own), joined \
         (the review of an earlier one, still under way).",
        |family| {
            each(&reviews, |resource, review| {
                for (result, count) in [
                    ("hit", review.hits),
                    ("miss", review.misses),
                    ("joined", review.joined),
                ] {
                    family.total(&[("resource", resource), ("result", result)], count)?;
                }
                Ok(())
            })
        },
    )?;
    families.gauge(
        "kubevitals_review_cache_entries",
        "Answers in the cache of reviews, by resource.",
        |family| {
            each(&reviews, |resource, review| {
                family.value(&[("resource", resource)], review.entries as u64)
            })
        },
    )?;
    families.gauge(
        "kubevitals_review_cache_bytes",
        "About how many bytes they take, by resource.",
        |family| {
            each(&reviews, |resource, review| {
                family.value(&[("resource", resource)], review.bytes)
            })
        },
    )
}

fn by(
    family: &mut super::families::Family<'_>,
    label: &str,
    counts: &[(&'static str, u64)],
) -> fmt::Result {
    let mut counts = counts.iter();
    counts.try_for_each(|(name, count)| family.total(&[(label, name)], *count))
}

fn each(
    reviews: &[(&str, ReviewSnapshot)],
    mut write: impl FnMut(&str, &ReviewSnapshot) -> fmt::Result,
) -> fmt::Result {
    let mut reviews = reviews.iter();
    reviews.try_for_each(|(resource, review)| write(resource, review))
}
