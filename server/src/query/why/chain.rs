//! The steps that chains of pods and nodes share.

use kubevitals_proto::why::{State, Step, StepName};

use super::explain::{self, span};
use crate::cluster::Node;
use crate::query::sources::Sources;
use crate::scrape::{Failed, History};

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
}

/// The steps so far.
#[derive(Debug, Default)]
pub(super) struct Chain(pub(super) Vec<Step>);

impl Chain {
    pub(super) fn ok(&mut self, name: StepName, message: impl Into<String>) {
        self.push(name, State::Ok, message.into());
    }

    pub(super) fn warn(&mut self, name: StepName, message: impl Into<String>) {
        self.push(name, State::Warning, message.into());
    }

    pub(super) fn fail(&mut self, name: StepName, message: impl Into<String>) {
        self.push(name, State::Failed, message.into());
    }

    fn push(&mut self, name: StepName, state: State, message: String) {
        self.0.push(Step {
            name,
            state,
            message,
        });
    }
}

/// Adds whether the node is Ready, and since when. The kubelet of a node that is not Ready may respond nevertheless.
pub(super) fn add_ready(chain: &mut Chain, node: &Node) {
    let since = node
        .ready_since
        .map(|since| format!(" since {}", since.to_rfc3339_seconds()))
        .unwrap_or_default();
    if node.ready {
        chain.ok(
            StepName::Ready,
            format!("node {} is Ready{since}", node.name),
        );
    } else {
        chain.warn(
            StepName::Ready,
            format!("node {} is not Ready{since}", node.name),
        );
    }
}

/// Appends the time of the node's next scrape to a hint.
pub(super) fn with_next_scrape(sources: &Sources, node: &str, hint: &str) -> String {
    let record = sources.stats.records().get(node);
    let next = record.and_then(|record| record.read(|history| history.next));
    match next {
        Some(next) => format!(
            "{hint}; node {node} is asked again at {}",
            next.to_rfc3339_seconds()
        ),
        None => format!("{hint}; node {node} is being asked now"),
    }
}

/// Adds the last scrape of the node, its address and its result. Returns the outcome of a failure, which counts only if
/// the metrics of an earlier scrape are stale.
pub(super) fn add_scraped(sources: &Sources, chain: &mut Chain, node: &Node) -> Option<Outcome> {
    let name = &node.name;
    let Some(record) = sources.stats.records().get(name) else {
        chain.fail(
            StepName::Scraped,
            format!("node {name} has not been asked yet"),
        );
        return Some(Outcome::new(
            "not_asked",
            format!("Node {name} is new to the server, which has not asked it yet."),
            "wait a second",
        ));
    };
    let history = record.read(Clone::clone);
    let next = match history.next {
        _ if history.waits => format!("; {}", waits(&history)),
        Some(next) => format!("; it is asked again at {}", next.to_rfc3339_seconds()),
        None => "; it is being asked again now".to_owned(),
    };
    let Some(last) = &history.last else {
        if history.waits && history.skipped_turns > 0 {
            chain.fail(
                StepName::Scraped,
                format!("node {name} has not been asked yet; {}", waits(&history)),
            );
            return Some(overloaded(node, &history));
        }
        chain.fail(
            StepName::Scraped,
            format!("node {name} is being asked for the first time"),
        );
        return Some(Outcome::new(
            "first_scrape",
            format!("Node {name} is being asked for the first time."),
            "wait for the answer; it comes within the timeout (--kubelet-request-timeout), or fails",
        ));
    };
    let began = format!(
        "asked at {} ({} ago)",
        last.began.wall.to_rfc3339_seconds(),
        span(sources.now().since(last.began.age)),
    );
    match &last.failed {
        None => {
            let address = history.answered.as_ref().map_or("", |(address, _)| address);
            chain.ok(
                StepName::Scraped,
                format!(
                    "{began} at {address}, node {name} answered after {}{next}",
                    span(last.took)
                ),
            );
            let since = sources.now().since(last.began.age);
            (history.waits && since > 2 * sources.resolution).then(|| overloaded(node, &history))
        }
        Some(failed) => {
            let Failed { address, error } = failed;
            let message = format!(
                "{began} at {address}, node {name} gave nothing: {error}{}{next}",
                in_a_row(&history)
            );
            chain.warn(StepName::Scraped, message);
            Some(failure(node, failed, &history))
        }
    }
}

/// Adds which of the node's other pages fail, and what is missing for that.
pub(super) fn add_pages(sources: &Sources, chain: &mut Chain, node: &Node) {
    let Some(record) = sources.stats.records().get(&node.name) else {
        return;
    };
    let history = record.read(Clone::clone);
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
        chain.warn(StepName::Pages, failing.join("; "));
    } else if history.pages().any(|(_, of)| of.answered.is_some()) {
        chain.ok(StepName::Pages, "its other pages answer");
    }
}

/// Describes a scrape that is due and waits for admission.
fn waits(history: &History) -> String {
    let turns = history.skipped_turns;
    format!(
        "it waits until fewer kubelets are asked at once; {turns} of its turns have been skipped so far"
    )
}

fn overloaded(node: &Node, history: &History) -> Outcome {
    Outcome::new(
        "overloaded",
        format!(
            "Node {} is asked less often than it should be: {}.",
            node.name,
            waits(history)
        ),
        "kubelets answer more slowly than the server asks: give the server more CPU, look at the network between it \
         and the nodes, or raise --metric-resolution",
    )
}

fn in_a_row(history: &History) -> String {
    let answered = match &history.answered {
        Some((_, at)) => format!("its last answer is of {}", at.wall.to_rfc3339_seconds()),
        None => "it has never answered".to_owned(),
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
        false => "mend the node first, which is not Ready; or else ".to_owned(),
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

/// Ends a chain because the server has not read its lists yet.
pub(super) fn not_ready(chain: &mut Chain, error: crate::query::readiness::Unready) -> Outcome {
    chain.fail(StepName::Known, error.to_string());
    let (reason, hint) = explain::unready(error);
    Outcome::new(reason, "The server does not know the cluster yet.", hint)
}
