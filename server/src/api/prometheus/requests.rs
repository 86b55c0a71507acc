//! Ours: the requests of clients.

use std::fmt;

use super::Known;
use super::families::{Families, Family};
use crate::work::Counts;

pub(super) fn write(families: &mut Families<'_>, known: &Known<'_>) -> fmt::Result {
    let answers = known.requests.answers();
    families.counter(
        "kubevitals_api_requests",
        "Requests that were answered, by verb, resource and HTTP status.",
        |family| {
            answers.iter().try_for_each(|((asked, code), count)| {
                let labels = [
                    ("verb", asked.verb),
                    ("resource", asked.resource),
                    ("code", code),
                ];
                family.total(&labels, *count)
            })
        },
    )?;
    families.histogram(
        "kubevitals_api_request_duration_seconds",
        "How long requests took, to the last byte of their answers, by verb and resource.",
        |family| {
            known
                .requests
                .durations()
                .iter()
                .try_for_each(|(asked, counted)| {
                    let labels = [("verb", asked.verb), ("resource", asked.resource)];
                    family.counted(&labels, counted)
                })
        },
    )?;
    families.gauge(
        "kubevitals_api_requests_under_way",
        "Requests whose answers are not over.",
        |family| family.value(&[], known.requests.under_way()),
    )?;
    families.gauge("kubevitals_api_watches", "Watches under way.", |family| {
        family.value(&[], known.watchers.under_way())
    })?;
    families.gauge(
        "kubevitals_api_watch_bytes_held",
        "Bytes of events that are encoded and not yet written to their watches' connections.",
        |family| family.value(&[], known.watchers.bytes_held()),
    )?;
    families.counter(
        "kubevitals_api_watch_events",
        "Events that watches were sent.",
        |family| family.total(&[], known.watchers.events()),
    )?;
    families.counter(
        "kubevitals_api_requests_turned_away",
        "Requests that were answered with 429, because as many as there may be were under way, or as many of their user \
         as one user may have, by which limit.",
        |family| by_limit(family, (known.in_flight.turned_away, known.in_flight.over_share)),
    )?;
    families.counter(
        "kubevitals_api_watches_turned_away",
        "Watches that were answered with 429, by which limit.",
        |family| by_limit(family, known.watchers.turned_away()),
    )?;
    work(families, &known.work)?;
    let Some(limit) = known.in_flight.limit else {
        return Ok(());
    };
    families.gauge(
        "kubevitals_api_requests_under_way_limit",
        "How many requests there may be at once, health checks and administrators aside.",
        |family| family.value(&[], limit.get() as u64),
    )
}

/// Work that visits the whole cluster.
fn work(families: &mut Families<'_>, counts: &Counts) -> fmt::Result {
    families.gauge(
        "kubevitals_api_work",
        "Work of requests that visits the whole cluster (history, sortBy, at, search, /metrics), by state: running, waiting for a thread.",
        |family| {
            family.value(&[("state", "running")], counts.running as u64)?;
            family.value(&[("state", "waiting")], counts.queued as u64)
        },
    )?;
    families.counter(
        "kubevitals_api_work_cancelled",
        "Work of requests that was given up because its client had gone or its time was up.",
        |family| family.total(&[], counts.cancelled),
    )?;
    families.counter(
        "kubevitals_api_work_refused",
        "Requests that were answered with 429, because too much work of their user, or of all, was waiting.",
        |family| family.total(&[], counts.refused),
    )
}

/// What was turned away by the limit for all, and by the one for each user.
fn by_limit(family: &mut Family<'_>, (all, user): (u64, u64)) -> fmt::Result {
    family.total(&[("limit", "all")], all)?;
    family.total(&[("limit", "user")], user)
}
