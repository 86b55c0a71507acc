//! Ours: kubelets, and what came of asking them.

use std::fmt;

use super::Known;
use super::families::Families;

/// From a kubelet next door to the longest timeout.
const SCRAPE_BOUNDS: [f64; 12] = [
    0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

pub(super) fn write(families: &mut Families<'_>, known: &Known<'_>) -> fmt::Result {
    families.histogram(
        "kubevitals_scrape_duration_seconds",
        "How long scrapes that succeeded took: connection, answer and taking in.",
        |family| {
            let latency = &known.latency;
            let mut before = 0;
            let mut buckets: Vec<(f64, u64)> = Vec::with_capacity(SCRAPE_BOUNDS.len() + 1);
            for bound in SCRAPE_BOUNDS {
                let at_most = latency.at_most(bound);
                buckets.push((bound, at_most.saturating_sub(before)));
                before = at_most;
            }
            buckets.push((f64::INFINITY, latency.count().saturating_sub(before)));
            family.buckets(&[], latency.sum.as_secs_f64(), &buckets)
        },
    )?;
    families.counter(
        "kubevitals_scrape_failures",
        "Scrapes that failed, by reason.",
        |family| {
            let failed = &known.scrapes.failed;
            failed
                .iter()
                .try_for_each(|(reason, count)| family.total(&[("reason", reason)], *count))
        },
    )?;
    families.counter(
        "kubevitals_first_rates_failures",
        "Requests for a kubelet's own first rates that failed, by reason; the second scrape brings them instead.",
        |family| {
            let failed = &known.scrapes.no_first_rates;
            failed.iter().try_for_each(|(reason, count)| family.total(&[("reason", reason)], *count))
        },
    )?;
    families.counter(
        "kubevitals_scrape_skipped_lines",
        "Lines of kubelets' answers that could not be read and were left out.",
        |family| family.total(&[], known.scrapes.skipped_lines),
    )?;
    families.counter(
        "kubevitals_scrape_duplicate_series",
        "Containers and nodes of which a kubelet's answer held different figures with the same name.",
        |family| family.total(&[], known.scrapes.duplicate_series),
    )?;
    families.counter(
        "kubevitals_node_clock_steps",
        "How often the clock of a node was set between two scrapes.",
        |family| family.total(&[], known.scrapes.clock_steps),
    )?;
    pages(families, known)?;
    families.gauge(
        "kubevitals_scrapes_under_way",
        "Nodes whose turn has come and is not over.",
        |family| family.value(&[], known.scrapes.asking as u64),
    )?;
    families.counter(
        "kubevitals_scrape_turns_skipped",
        "Turns of nodes that were skipped, because an earlier turn of the node still waited or was under way.",
        |family| family.total(&[], known.scrapes.skipped_turns),
    )?;
    families.gauge(
        "kubevitals_kubelet_requests",
        "Requests to kubelets for any page, by state: under_way, or waiting until they may be sent.",
        |family| {
            let requests = known.scrapes.requests;
            family.value(&[("state", "under_way")], requests.under_way as u64)?;
            family.value(&[("state", "waiting")], requests.waiting as u64)
        },
    )?;
    families.gauge(
        "kubevitals_kubelet_requests_limit",
        "How many requests to kubelets may be under way at once: it adapts to how fast they are answered.",
        |family| family.value(&[], known.scrapes.requests.limit as u64),
    )?;
    families.gauge(
        "kubevitals_nodes",
        "Nodes by what came of asking them last: answering, failing, or waiting for the end of their first scrape.",
        |family| {
            let (mut answering, mut failing, mut waiting) = (0, 0, 0);
            for (_, record) in &known.records {
                record.read(|history| match &history.last {
                    None => waiting += 1,
                    Some(last) if last.failed.is_some() => failing += 1,
                    Some(_) => answering += 1,
                });
            }
            family.value(&[("state", "answering")], answering)?;
            family.value(&[("state", "failing")], failing)?;
            family.value(&[("state", "waiting")], waiting)
        },
    )?;
    families.counter(
        "kubevitals_watch_failures",
        "How often listing or watching at the API server failed, by resource.",
        |family| {
            for (resource, health) in known.query.watches().all() {
                family.total(&[("resource", resource)], health.failures())?;
            }
            Ok(())
        },
    )?;
    families.gauge(
        "kubevitals_watch_refused",
        "Whether the API server denies this account a watch, by resource: 1 if it does.",
        |family| {
            for (resource, health) in known.query.watches().all() {
                family.value(&[("resource", resource)], health.refused().into())?;
            }
            Ok(())
        },
    )?;
    families.counter(
        "kubevitals_watch_restarts",
        "How often a watch could not be resumed and all was listed anew, by resource.",
        |family| {
            for (resource, health) in known.query.watches().all() {
                let restarts = health.lists().saturating_sub(1);
                family.total(&[("resource", resource)], restarts)?;
            }
            Ok(())
        },
    )
}

/// The pages that are asked for beside /metrics/resource.
fn pages(families: &mut Families<'_>, known: &Known<'_>) -> fmt::Result {
    let pages = &known.scrapes.pages;
    families.counter(
        "kubevitals_page_answers",
        "Answers of kubelets' other pages that were taken in, by page: probes (/metrics/probes), summary (/stats/summary).",
        |family| {
            pages
                .iter()
                .try_for_each(|(page, counts)| family.total(&[("page", page)], counts.succeeded))
        },
    )?;
    families.counter(
        "kubevitals_page_bytes",
        "Bytes of those answers, by page.",
        |family| {
            pages
                .iter()
                .try_for_each(|(page, counts)| family.total(&[("page", page)], counts.bytes))
        },
    )?;
    families.counter(
        "kubevitals_page_failures",
        "Requests for kubelets' other pages that failed, by page and reason; /metrics/resource is not concerned.",
        |family| {
            pages.iter().try_for_each(|(page, counts)| {
                counts.failed.iter().try_for_each(|(reason, count)| {
                    family.total(&[("page", page), ("reason", reason)], *count)
                })
            })
        },
    )?;
    families.counter(
        "kubevitals_page_turns_skipped",
        "Turns of kubelets' other pages that were skipped, because nodes waited to be asked for /metrics/resource, by page.",
        |family| {
            pages
                .iter()
                .try_for_each(|(page, counts)| family.total(&[("page", page)], counts.skipped))
        },
    )
}
