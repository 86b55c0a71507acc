//! The links that pods and nodes have in common, as they are found.

use kubevitals_proto::why::{State, Step, StepName};

use super::explain::{self, span};
use crate::cluster::Node;
use crate::query::Query;
use crate::scrape::{Failed, History};

/// Where a chain ended, and what is to be said of it.
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

/// The links so far.
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

impl Query {
    /// Whether the node is called ready, and since when. Its kubelet may answer all the same.
    pub(super) fn why_ready(&self, chain: &mut Chain, node: &Node) {
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

    /// A hint to wait, with the time until which.
    pub(super) fn until_next(&self, node: &str, hint: &str) -> String {
        let record = self.stats.records().get(node);
        let next = record.and_then(|record| record.read(|history| history.next));
        match next {
            Some(next) => format!(
                "{hint}; node {node} is asked again at {}",
                next.to_rfc3339_seconds()
            ),
            None => format!("{hint}; node {node} is being asked now"),
        }
    }

    /// When the node was asked, where, and what came of it. Returns the trouble, if there is any: it counts only
    /// if no earlier answer is still good.
    pub(super) fn why_scraped(&self, chain: &mut Chain, node: &Node) -> Option<Outcome> {
        let name = &node.name;
        let Some(record) = self.stats.records().get(name) else {
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
            span(self.now().since(last.began.age)),
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
                let since = self.now().since(last.began.age);
                (history.waits && since > 2 * self.resolution).then(|| overloaded(node, &history))
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
}

impl Query {
    /// Which of the node's other pages fail, and what is not known for that.
    pub(super) fn why_pages(&self, chain: &mut Chain, node: &Node) {
        let Some(record) = self.stats.records().get(&node.name) else {
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
                    page.tells(),
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
}

/// Of a node whose turn has come and is not admitted yet.
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

/// The outcome of a chain that breaks because the server has only just started.
pub(super) fn early(chain: &mut Chain, error: crate::query::Unready) -> Outcome {
    chain.fail(StepName::Known, error.to_string());
    let (reason, hint) = explain::unready(error);
    Outcome::new(reason, "The server does not know the cluster yet.", hint)
}
