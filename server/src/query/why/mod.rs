//! Why a pod or a node has metrics, or has none: the way of a number followed link by link, from the API server to
//! the last point.
//!
//! Which containers a pod should have is not known here, because watching that of 150,000 pods would cost more than
//! it tells: a container that the kubelet does not report at all is not missed, as it is not at the peer.

mod chain;
mod words;

use std::sync::Arc;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::metrics::{GROUP, Version};
use kubevitals_proto::why::{Container, Freshness, Kind, StepName, Subject, Why};

use super::{Query, Unready};
use crate::clock::Age;
use crate::cluster::{Node, Pod, PodKey};
use crate::store::{Absent, Latest};
use chain::{Chain, Outcome, early};
use words::{Words, span};

/// What is found at the end of the chain beside its outcome.
#[derive(Debug, Default)]
struct Found {
    freshness: Option<Freshness>,
    containers: Vec<Container>,
}

impl Query {
    /// Why a pod has metrics, or has none.
    pub fn why_pod(&self, version: Version, namespace: &str, name: &str) -> Why {
        let (mut chain, mut found) = (Chain::default(), Found::default());
        let outcome = self.follow_pod(&mut chain, &mut found, namespace, name);
        let subject = Subject {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
        };
        answer(Kind::PodMetricsWhy, version, subject, chain, found, outcome)
    }

    /// Why a node has metrics, or has none.
    pub fn why_node(&self, version: Version, name: &str) -> Why {
        let (mut chain, mut found) = (Chain::default(), Found::default());
        let outcome = self.follow_node(&mut chain, &mut found, name);
        let subject = Subject {
            name: name.to_owned(),
            namespace: String::new(),
        };
        answer(
            Kind::NodeMetricsWhy,
            version,
            subject,
            chain,
            found,
            outcome,
        )
    }

    fn follow_pod(
        &self,
        chain: &mut Chain,
        found: &mut Found,
        namespace: &str,
        name: &str,
    ) -> Outcome {
        if !self.watches.pods.synced() {
            return early(chain, Unready::Pods);
        }
        let key = PodKey {
            namespace: Arc::from(namespace),
            name: Arc::from(name),
        };
        let pods = self.cluster.pods();
        let Some(pod) = pods.get(&key) else {
            chain.breaks(StepName::Known, "the API server has no such pod");
            return Outcome::new(
                "unknown",
                format!("There is no pod {namespace}/{name}."),
                "check the name and the namespace: kubectl get pods -A",
            );
        };
        chain.holds(StepName::Known, "the API server has it");
        if let Some((reason, Words { what, hint })) = words::not_running(pod.phase) {
            chain.breaks(StepName::Running, format!("its phase is {:?}", pod.phase));
            return Outcome::new(reason, format!("{what}."), hint);
        }
        let started = pod
            .started()
            .map(|at| format!("; its kubelet took it over at {}", at.to_rfc3339_seconds()))
            .unwrap_or_default();
        chain.holds(StepName::Running, format!("its phase is Running{started}"));
        let Some(node_name) = &pod.node else {
            chain.breaks(StepName::Node, "it is bound to no node");
            return Outcome::new(
                "unbound",
                "It is bound to no node.",
                "look with kubectl describe pod: the scheduler has not found a node for it",
            );
        };
        let nodes = self.cluster.nodes();
        let node = match self.known_node(chain, &nodes, node_name) {
            Ok(node) => node,
            Err(outcome) => return outcome,
        };
        self.why_ready(chain, node);
        let trouble = self.why_scraped(chain, node);
        let cells = self.store.cells();
        let Some(latest) = cells.get(node_name).and_then(|cell| cell.latest()) else {
            return trouble.unwrap_or_else(|| nothing_yet(node));
        };
        let Some((at, reported)) = latest.find(namespace, name) else {
            chain.breaks(
                StepName::Reported,
                format!(
                    "it is not in node {node_name}'s last answer{}",
                    self.taken(&latest)
                ),
            );
            return trouble.unwrap_or_else(|| self.not_reported(pod, node_name));
        };
        chain.holds(
            StepName::Reported,
            format!(
                "it is in node {node_name}'s last answer{}",
                self.taken(&latest)
            ),
        );
        let rates = match &reported.rates {
            Ok(rates) => rates,
            Err(absent) => {
                found.containers = latest
                    .incomplete_containers(at)
                    .iter()
                    .map(|container| of_container(&container.name, container.absent.as_ref()))
                    .collect();
                return self.not_whole(chain, node_name, "container ", absent);
            }
        };
        chain.holds(StepName::Whole, "all its containers have what a rate needs");
        let whole = latest.pod(namespace, name, self.retention, self.now());
        if let Ok((_, containers)) = whole {
            let whole = containers
                .iter()
                .map(|container| of_container(&container.name, None));
            found.containers = whole.collect();
        }
        match self.fresh(chain, &latest, rates.arrived, trouble) {
            Ok(outcome) => {
                found.freshness = Some(self.freshness_of(rates.at, rates.window, rates.arrived));
                outcome
            }
            Err(outcome) => outcome,
        }
    }

    fn follow_node(&self, chain: &mut Chain, found: &mut Found, name: &str) -> Outcome {
        if !self.watches.nodes.synced() {
            return early(chain, Unready::Nodes);
        }
        let nodes = self.cluster.nodes();
        let node = match self.known_node(chain, &nodes, name) {
            Ok(node) => node,
            Err(outcome) => return outcome,
        };
        self.why_ready(chain, node);
        let trouble = self.why_scraped(chain, node);
        let Some(latest) = self.store.cells().get(name).and_then(|cell| cell.latest()) else {
            return trouble.unwrap_or_else(|| nothing_yet(node));
        };
        chain.holds(
            StepName::Reported,
            format!("its last answer is taken in{}", self.taken(&latest)),
        );
        let usage = match &latest.node {
            Ok(usage) => usage,
            Err(absent) => return self.not_whole(chain, name, "the node itself", absent),
        };
        chain.holds(StepName::Whole, "the node itself has what a rate needs");
        match self.fresh(chain, &latest, usage.arrived, trouble) {
            Ok(outcome) => {
                let rate = usage.usage;
                found.freshness = Some(self.freshness_of(rate.at, rate.window, usage.arrived));
                outcome
            }
            Err(outcome) => outcome,
        }
    }

    fn known_node<'a>(
        &self,
        chain: &mut Chain,
        nodes: &'a crate::cluster::Nodes,
        name: &str,
    ) -> Result<&'a Node, Outcome> {
        if !self.watches.nodes.synced() {
            return Err(early(chain, Unready::Nodes));
        }
        if let Some(node) = nodes.get(name) {
            chain.holds(
                StepName::Node,
                format!("node {name} is one that the server asks"),
            );
            return Ok(node);
        }
        let (what, hint) = match &self.watches.node_selector {
            None => (
                format!("The API server has no node {name}."),
                "check the name: kubectl get nodes; pods of a node that is gone go with it after a while",
            ),
            Some(selector) => (
                format!(
                    "There is no node {name} among those that --node-selector {selector} selects."
                ),
                "check with kubectl get nodes --show-labels, and the server's --node-selector",
            ),
        };
        chain.breaks(StepName::Node, what.clone());
        Err(Outcome::new("unknown_node", what, hint))
    }

    /// Whether the newest point is still believed.
    fn fresh(
        &self,
        chain: &mut Chain,
        latest: &Latest,
        arrived: Age,
        trouble: Option<Outcome>,
    ) -> Result<Outcome, Outcome> {
        let (now, unseen) = (self.now(), self.retention.unseen);
        let (age, silence) = (now.since(arrived), now.since(latest.scraped));
        if self.retention.keeps(arrived, latest.scraped, now) {
            chain.holds(
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
            chain.breaks(
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
        chain.breaks(
            StepName::Fresh,
            format!(
                "the kubelet goes on repeating a point that came in {} ago, and {} is as long as one is believed",
                span(age),
                span(self.retention.unchanged)
            ),
        );
        let Words { what, hint } = words::absent("it", &Absent::Stale);
        Err(Outcome::new("stale", format!("{}.", capital(&what)), hint))
    }

    /// A pod that its kubelet does not report.
    fn not_reported(&self, pod: &Pod, node: &str) -> Outcome {
        let record = self.stats.records().get(node);
        let asked = record.and_then(|record| {
            record.read(|history| history.last.as_ref().map(|last| last.began.wall))
        });
        if pod
            .started()
            .zip(asked)
            .is_some_and(|(started, asked)| started >= asked)
        {
            return Outcome::new(
                "just_started",
                "It was started after its node was last asked.",
                self.until_next(node, "wait for the next scrape"),
            );
        }
        let Words { what, hint } = words::absent("it", &Absent::NotReported);
        let hint = self.until_next(node, hint);
        Outcome::new("not_reported", format!("{}.", capital(&what)), hint)
    }

    /// A chain that breaks because a reading is not whole, or gives no rate.
    fn not_whole(&self, chain: &mut Chain, node: &str, whom: &str, absent: &Absent) -> Outcome {
        let (name, passes) = match absent {
            Absent::Incomplete { container, .. } => (container, false),
            Absent::NoRate { container, .. } => (container, true),
            Absent::Stale | Absent::NotReported => (&None, false),
        };
        let whom = format!("{whom}{}", name.as_deref().unwrap_or_default());
        let Words { what, hint } = words::absent(&whom, absent);
        chain.breaks(StepName::Whole, what.clone());
        let hint = if passes {
            self.until_next(node, hint)
        } else {
            hint.to_owned()
        };
        Outcome::new(absent.reason(), format!("{}.", capital(&what)), hint)
    }

    /// When an answer was in, for the end of a sentence.
    fn taken(&self, latest: &Latest) -> String {
        format!(", of {} ago", span(self.now().since(latest.scraped)))
    }

    fn freshness_of(
        &self,
        timestamp: kubevitals_proto::time::Timestamp,
        window: GoDuration,
        arrived: Age,
    ) -> Freshness {
        let age = self.now().since(arrived).as_millis();
        Freshness {
            timestamp,
            window,
            age: GoDuration::from_millis(i64::try_from(age).unwrap_or(i64::MAX)),
        }
    }
}

fn answer(
    kind: Kind,
    version: Version,
    metadata: Subject,
    chain: Chain,
    found: Found,
    outcome: Outcome,
) -> Why {
    Why {
        kind,
        api_version: format!("{GROUP}/{}", version.as_str()),
        metadata,
        available: found.freshness.is_some(),
        reason: outcome.reason.to_owned(),
        verdict: outcome.verdict,
        hint: outcome.hint,
        freshness: found.freshness,
        steps: chain.0,
        containers: found.containers,
    }
}

fn of_container(name: &str, absent: Option<&Absent>) -> Container {
    Container {
        name: name.to_owned(),
        whole: absent.is_none(),
        lack: absent.map(Absent::reason).unwrap_or_default().to_owned(),
        message: absent
            .map(|absent| words::absent("it", absent).what)
            .unwrap_or_default(),
    }
}

fn nothing_yet(node: &Node) -> Outcome {
    Outcome::new(
        "first_scrape",
        format!("Nothing of node {} is taken in yet.", node.name),
        "wait for its first scrape to end",
    )
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn uncapital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}
