//! The steps that chains of pods and nodes share.

use kubevitals_proto::why::{
    Container, Explanation, Freshness, Kind, State, Step, StepName, Subject, Why,
};
use kubevitals_proto::words::capital;

use super::explain::{self, span};
use crate::cluster::Node;
use crate::query::readiness::Unready;
use crate::query::sources::Sources;
use crate::scrape::{Failed, History};
use crate::shard::Scraper;

/// The result of a chain: its reason, a verdict and a hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) reason: &'static str,
    pub(super) verdict: String,
    pub(super) hint: String,
}

impl Outcome {
    pub(super) fn new(
        reason: &'static str,
        verdict: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            reason,
            verdict: verdict.into(),
            hint: hint.into(),
        }
    }

    /// The outcome of an object with metrics that has this problem nevertheless.
    pub(super) fn beside(mut self, problem: Explanation) -> Self {
        self.verdict = format!("{}; {}.", self.verdict.trim_end_matches('.'), problem.what);
        if self.hint.is_empty() {
            problem.hint.clone_into(&mut self.hint);
        }
        self
    }

    /// The outcome of a problem, with this reason.
    pub(super) fn explained(reason: &'static str, problem: Explanation) -> Self {
        let verdict = format!("{}.", capital(&problem.what));
        Self::new(reason, verdict, problem.hint)
    }
}

/// The checks of one object, from the API server to its last sample: the steps so far, and what they have found.
#[derive(Debug)]
pub(super) struct Chain<'a> {
    pub(super) sources: &'a Sources,
    steps: Vec<Step>,
    pub(super) freshness: Option<Freshness>,
    pub(super) containers: Vec<Container>,
}

impl<'a> Chain<'a> {
    pub(super) fn new(sources: &'a Sources) -> Self {
        Self {
            sources,
            steps: Vec::new(),
            freshness: None,
            containers: Vec::new(),
        }
    }

    /// Converts the chain of the object `metadata` to the API object.
    pub(super) fn into_why(
        self,
        kind: Kind,
        api_version: String,
        metadata: Subject,
        outcome: Outcome,
    ) -> Why {
        Why {
            kind,
            api_version,
            metadata,
            available: self.freshness.is_some(),
            reason: outcome.reason.to_owned(),
            verdict: outcome.verdict,
            hint: outcome.hint,
            freshness: self.freshness,
            steps: self.steps,
            containers: self.containers,
        }
    }

    pub(super) fn ok(&mut self, name: StepName, message: impl Into<String>) {
        self.push(name, State::Ok, message.into());
    }

    pub(super) fn warn(&mut self, name: StepName, message: impl Into<String>) {
        self.push(name, State::Warning, message.into());
    }

    pub(super) fn fail(&mut self, name: StepName, message: impl Into<String>) {
        self.push(name, State::Failed, message.into());
    }

    pub(super) fn extend(&mut self, steps: Vec<Step>) {
        self.steps.extend(steps);
    }

    fn push(&mut self, name: StepName, state: State, message: String) {
        self.steps.push(Step {
            name,
            state,
            message,
        });
    }

    /// The scrapes of a node.
    pub(super) fn scrapes(&self, node: &str) -> Option<History> {
        let record = self.sources.stats.records().get(node)?;
        Some(record.read(Clone::clone))
    }

    /// Adds whether the node is Ready, and since when. The kubelet of a node that is not Ready may respond nevertheless.
    pub(super) fn add_ready(&mut self, node: &Node) {
        let since = node.ready_since.map(|since| since.to_rfc3339_seconds());
        let since = since.map(|since| format!(" since {since}"));
        let (name, since) = (&node.name, since.unwrap_or_default());
        if node.ready {
            self.ok(StepName::Ready, format!("node {name} is Ready{since}"));
        } else {
            self.warn(StepName::Ready, format!("node {name} is not Ready{since}"));
        }
    }

    /// Appends the time of the node's next scrape to a hint.
    pub(super) fn with_next_scrape(&self, node: &str, hint: &str) -> String {
        match self.scrapes(node).and_then(|history| history.next) {
            Some(next) => format!(
                "{hint}; node {node} is scraped again at {}",
                next.to_rfc3339_seconds()
            ),
            None => format!("{hint}; node {node} is being scraped now"),
        }
    }

    /// Adds the last scrape of the node, its address and its result. Returns the outcome of a failure, which counts only
    /// if the metrics of an earlier scrape are stale.
    pub(super) fn add_scraped(&mut self, node: &Node) -> Option<Outcome> {
        let name = &node.name;
        if let Some(Scraper {
            name: shard,
            problem,
        }) = self.sources.scraper(name)
        {
            let message = format!("node {name} is scraped by {shard}");
            let Some(problem) = problem else {
                self.ok(StepName::Scraped, message);
                return None;
            };
            let message = format!("{message}, which {problem}");
            self.fail(StepName::Scraped, message.clone());
            return Some(Outcome::new(
                "shard_absent",
                format!("{}.", capital(&message)),
                "look at the pods of vitals-server and into the log of that shard; its nodes are scraped again when it \
                 runs, or when the number of shards is reduced",
            ));
        }
        let Some(history) = self.scrapes(name) else {
            let message = format!("node {name} has not been scraped yet");
            self.fail(StepName::Scraped, message);
            return Some(Outcome::new(
                "not_asked",
                format!("Node {name} is new to the server, which has not scraped it yet."),
                "wait a second",
            ));
        };
        let next = match history.next {
            _ if history.waits => format!("; {}", waits(&history)),
            Some(next) => format!("; it is scraped again at {}", next.to_rfc3339_seconds()),
            None => "; it is being scraped again now".to_owned(),
        };
        if history.left_out {
            let message =
                format!("node {name} is not scraped: the memory limit of the server is near");
            self.fail(StepName::Scraped, message.clone());
            return Some(self.left_out(format!("{}.", capital(&message))));
        }
        let Some(last) = &history.last else {
            if history.waits && history.skipped_turns > 0 {
                let waits = waits(&history);
                let message = format!("node {name} has not been scraped yet; {waits}");
                self.fail(StepName::Scraped, message);
                return Some(overloaded(node, &history));
            }
            let message = format!("node {name} is being scraped for the first time");
            let verdict = format!("{}.", capital(&message));
            self.fail(StepName::Scraped, message);
            return Some(Outcome::new(
                "first_scrape",
                verdict,
                "wait for the response; it comes within the timeout (--kubelet-request-timeout), or fails",
            ));
        };
        let since = self.sources.now().since(last.began.age);
        let at = last.began.wall.to_rfc3339_seconds();
        let began = format!("scraped at {at} ({} ago)", span(since));
        match &last.failed {
            None => {
                let address = history.answered.as_ref().map_or("", |(address, _)| address);
                let took = span(last.took);
                self.ok(
                    StepName::Scraped,
                    format!("{began} at {address}, node {name} responded after {took}{next}"),
                );
                let is_late = history.waits && since > 2 * self.sources.resolution;
                is_late.then(|| overloaded(node, &history))
            }
            Some(failed) => {
                let Failed { address, error } = failed;
                let in_a_row = in_a_row(&history);
                self.warn(
                    StepName::Scraped,
                    format!(
                        "{began} at {address}, node {name} gave no metrics: {error}{in_a_row}{next}"
                    ),
                );
                Some(failure(node, failed, &history))
            }
        }
    }

    /// Adds which of the node's other pages fail, and what is missing for that.
    pub(super) fn add_pages(&mut self, node: &Node) {
        let Some(history) = self.scrapes(&node.name) else {
            return;
        };
        let failing: Vec<String> = history
            .pages()
            .filter_map(|(page, of)| {
                let Failed { address, error } = of.failed.as_deref()?;
                let times = of.failures;
                Some(format!(
                    "{} fails at {address}, {times} times in a row: {error}; {}: {}",
                    page.path(),
                    page.missing_data(),
                    page.hint(error)
                ))
            })
            .collect();
        if !failing.is_empty() {
            self.warn(StepName::Pages, failing.join("; "));
        } else if history.pages().any(|(_, of)| of.answered.is_some()) {
            self.ok(StepName::Pages, "its other pages respond");
        }
    }

    /// The outcome for an object that is left out, or may be, because the memory limit is near.
    pub(super) fn left_out(&self, verdict: String) -> Outcome {
        Outcome::new("memory_limit", verdict, self.sources.watches.memory.hint())
    }

    /// Ends a chain because the server has not read its lists yet.
    pub(super) fn not_ready(&mut self, error: Unready) -> Outcome {
        self.fail(StepName::Known, error.to_string());
        let (reason, hint) = explain::unready(error);
        Outcome::new(reason, "The server does not know the cluster yet.", hint)
    }
}

/// Describes a scrape that is due and waits for admission.
fn waits(history: &History) -> String {
    let turns = history.skipped_turns;
    format!(
        "it waits until fewer kubelets are scraped at once; {turns} of its turns have been skipped so far"
    )
}

fn overloaded(node: &Node, history: &History) -> Outcome {
    Outcome::new(
        "overloaded",
        format!(
            "Node {} is scraped less often than it should be: {}.",
            node.name,
            waits(history)
        ),
        "kubelets respond more slowly than the server scrapes: give the server more CPU, check the network between it \
         and the nodes, or raise --metric-resolution",
    )
}

fn in_a_row(history: &History) -> String {
    let answered = match &history.answered {
        Some((_, at)) => format!("its last response is of {}", at.wall.to_rfc3339_seconds()),
        None => "it has never responded".to_owned(),
    };
    match history.failures {
        0 | 1 => format!("; {answered}"),
        failures => format!("; {failures} times in a row, {answered}"),
    }
}

fn failure(node: &Node, failed: &Failed, history: &History) -> Outcome {
    let Failed { address, error } = failed;
    let lost = match node.ready {
        true => String::new(),
        false => "repair the node first, which is not Ready; or ".to_owned(),
    };
    let times = match history.failures {
        0 | 1 => String::new(),
        failures => format!(", {failures} times in a row"),
    };
    Outcome::new(
        error.reason(),
        format!(
            "Node {} gives no metrics at {address}{times}: {error}.",
            node.name
        ),
        format!("{lost}{}", error.hint()),
    )
}
