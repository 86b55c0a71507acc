//! The last steps of every chain: complete, and fresh.

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::why::{Freshness, StepName};
use kubevitals_proto::words::capital;

use super::chain::{Chain, Outcome, with_next_scrape};
use super::explain::{self, Explanation, span};
use crate::clock::Age;
use crate::cluster::Node;
use crate::query::sources::Sources;
use crate::store::{Absent, Latest};

/// Adds whether the newest sample is fresh. `trouble` is the outcome of a failed scrape.
pub(super) fn add_fresh(
    sources: &Sources,
    chain: &mut Chain,
    latest: &Latest,
    arrived: Age,
    trouble: Option<Outcome>,
) -> Result<Outcome, Outcome> {
    let (now, unseen) = (sources.now(), sources.retention.unseen);
    let (age, silence) = (now.since(arrived), now.since(latest.scraped));
    if sources.retention.is_fresh(arrived, latest.scraped, now) {
        chain.ok(
            StepName::Fresh,
            format!("its newest point came in {} ago", span(age)),
        );
        let (verdict, hint) = match trouble {
            None => (
                format!("Metrics are there, {} old.", span(age)),
                String::new(),
            ),
            Some(trouble) => (
                format!(
                    "Metrics are there, {} old, but will not be for long: {}",
                    span(age),
                    uncapital(&trouble.verdict)
                ),
                trouble.hint,
            ),
        };
        return Ok(Outcome::new("available", verdict, hint));
    }
    if silence > unseen {
        chain.fail(
            StepName::Fresh,
            format!(
                "its node's last answer is {} old, and {} is as long as one is believed",
                span(silence),
                span(unseen)
            ),
        );
        return Err(trouble.unwrap_or_else(|| {
            Outcome::new(
                "stale",
                format!("Its node has not answered for {}.", span(silence)),
                "look into the server's log, and at /livez: the node should have been asked since",
            )
        }));
    }
    chain.fail(
        StepName::Fresh,
        format!(
            "the kubelet goes on repeating a point that came in {} ago, and {} is as long as one is believed",
            span(age),
            span(sources.retention.unchanged)
        ),
    );
    let Explanation { what, hint } = explain::absent("it", &Absent::Stale);
    Err(Outcome::new("stale", format!("{}.", capital(&what)), hint))
}

/// Ends a chain because a reading is incomplete or has no rate.
pub(super) fn add_incomplete(
    sources: &Sources,
    chain: &mut Chain,
    node: &str,
    whom: &str,
    absent: &Absent,
) -> Outcome {
    let (name, passes) = match absent {
        Absent::Incomplete { container, .. } => (container, false),
        Absent::NoRate { container, .. } => (container, true),
        Absent::Stale | Absent::NotReported => (&None, false),
    };
    let whom = format!("{whom}{}", name.as_deref().unwrap_or_default());
    let Explanation { what, hint } = explain::absent(&whom, absent);
    chain.fail(StepName::Whole, what.clone());
    let hint = if passes {
        with_next_scrape(sources, node, hint)
    } else {
        hint.to_owned()
    };
    Outcome::new(absent.reason(), format!("{}.", capital(&what)), hint)
}

/// The age of a response, for the end of a sentence.
pub(super) fn age_of_scrape(sources: &Sources, latest: &Latest) -> String {
    format!(", of {} ago", span(sources.now().since(latest.scraped)))
}

pub(super) fn freshness(
    sources: &Sources,
    timestamp: Timestamp,
    window: GoDuration,
    arrived: Age,
) -> Freshness {
    let age = sources.now().since(arrived).as_millis();
    Freshness {
        timestamp,
        window,
        age: GoDuration::from_millis(i64::try_from(age).unwrap_or(i64::MAX)),
    }
}

pub(super) fn nothing_yet(node: &Node) -> Outcome {
    Outcome::new(
        "first_scrape",
        format!("Nothing of node {} is taken in yet.", node.name),
        "wait for its first scrape to end",
    )
}

fn uncapital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}
