//! The last steps of every chain: complete, and fresh.

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::why::{Freshness, StepName};

use super::chain::{Chain, Outcome};
use super::explain::{self, span};
use crate::clock::Age;
use crate::cluster::Node;
use crate::store::{Absent, Latest};

impl Chain<'_> {
    /// Adds whether the newest sample is fresh: it arrived at `arrived`, and its rate has this timestamp and window.
    /// `trouble` is the outcome of a failed scrape.
    pub(super) fn add_fresh(
        &mut self,
        latest: &Latest,
        (timestamp, window): (Timestamp, GoDuration),
        arrived: Age,
        trouble: Option<Outcome>,
    ) -> Result<Outcome, Outcome> {
        let (now, retention) = (self.sources.now(), self.sources.retention);
        let (since, silence) = (now.since(arrived), now.since(latest.scraped));
        let age = span(since);
        if retention.is_fresh(arrived, latest.scraped, now) {
            let millis = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
            self.freshness = Some(Freshness {
                timestamp,
                window,
                age: GoDuration::from_millis(millis),
            });
            let message = format!("its newest sample arrived {age} ago");
            self.ok(StepName::Fresh, message);
            let (verdict, hint) = match trouble {
                None => (format!("Metrics are there, {age} old."), String::new()),
                Some(Outcome { verdict, hint, .. }) => {
                    let verdict = uncapital(&verdict);
                    let soon = format!(
                        "Metrics are there, {age} old, but will not be for long: {verdict}"
                    );
                    (soon, hint)
                }
            };
            return Ok(Outcome::new("available", verdict, hint));
        }
        if silence > retention.unseen {
            let (silence, unseen) = (span(silence), span(retention.unseen));
            self.fail(
                StepName::Fresh,
                format!(
                    "its node's last response is {silence} old, and a response counts for {unseen}"
                ),
            );
            return Err(trouble.unwrap_or_else(|| {
                Outcome::new(
                    "stale",
                    format!("Its node has not responded for {silence}."),
                    "look into the server's log, and at /livez: the node should have been scraped since",
                )
            }));
        }
        self.fail(
            StepName::Fresh,
            format!(
                "the kubelet repeats a sample that arrived {age} ago, and a sample counts for {}",
                span(retention.unchanged)
            ),
        );
        Err(Outcome::explained(
            "stale",
            explain::absent("it", &Absent::Stale),
        ))
    }

    /// Ends a chain because a reading is incomplete or has no rate.
    pub(super) fn add_incomplete(&mut self, node: &str, whom: &str, absent: &Absent) -> Outcome {
        let whom = format!("{whom}{}", absent.container().unwrap_or_default());
        let explanation = explain::absent(&whom, absent);
        self.fail(StepName::Whole, explanation.what.clone());
        let mut outcome = Outcome::explained(absent.reason(), explanation);
        if matches!(absent, Absent::NoRate { .. }) {
            outcome.hint = self.with_next_scrape(node, &outcome.hint);
        }
        outcome
    }

    /// The age of a response, for the end of a sentence.
    pub(super) fn age_of_scrape(&self, latest: &Latest) -> String {
        let age = self.sources.now().since(latest.scraped);
        format!(", of {} ago", span(age))
    }
}

pub(super) fn nothing_yet(node: &Node) -> Outcome {
    Outcome::new(
        "first_scrape",
        format!("No metrics of node {} are stored yet.", node.name),
        "wait for its first scrape to end",
    )
}

fn uncapital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}
