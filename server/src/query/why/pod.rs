//! A pod's chain.

use std::sync::Arc;

use kubevitals_proto::why::{Container, StepName};

use super::Found;
use super::chain::{Chain, Outcome, early};
use super::ends::{capital, nothing_yet};
use super::words::{self, Words};
use crate::cluster::{Pod, PodKey};
use crate::query::{Query, Unready};
use crate::store::Absent;

impl Query {
    pub(super) fn follow_pod(
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
            chain.breaks(
                StepName::Running,
                format!("its phase is {}", pod.phase.as_str()),
            );
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
                let outcome = self.not_whole(chain, node_name, "container ", absent);
                // What would pass with the next scrape does not while there is none.
                return trouble.unwrap_or(outcome);
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
