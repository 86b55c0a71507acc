//! A node's chain, and the links of it that a pod's has too.

use kubevitals_proto::why::StepName;

use super::Findings;
use super::chain::{Chain, Outcome, early};
use super::final_steps::nothing_yet;
use crate::cluster::{Node, Nodes};
use crate::query::{Query, Unready};

impl Query {
    pub(super) fn follow_node(
        &self,
        chain: &mut Chain,
        found: &mut Findings,
        name: &str,
    ) -> Outcome {
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
        self.why_pages(chain, node);
        let Some(latest) = self.store.cells().get(name).and_then(|cell| cell.latest()) else {
            return trouble.unwrap_or_else(|| nothing_yet(node));
        };
        chain.ok(
            StepName::Reported,
            format!("its last answer is taken in{}", self.taken(&latest)),
        );
        let usage = match &latest.node {
            Ok(usage) => usage,
            Err(absent) => {
                let outcome = self.not_whole(chain, name, "the node itself", absent);
                return trouble.unwrap_or(outcome);
            }
        };
        chain.ok(StepName::Whole, "the node itself has what a rate needs");
        match self.fresh(chain, &latest, usage.arrived, trouble) {
            Ok(outcome) => {
                let rate = usage.usage;
                found.freshness = Some(self.freshness_of(rate.at, rate.window, usage.arrived));
                outcome
            }
            Err(outcome) => outcome,
        }
    }

    pub(super) fn known_node<'a>(
        &self,
        chain: &mut Chain,
        nodes: &'a Nodes,
        name: &str,
    ) -> Result<&'a Node, Outcome> {
        if !self.watches.nodes.synced() {
            return Err(early(chain, Unready::Nodes));
        }
        if let Some(node) = nodes.get(name) {
            chain.ok(
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
        chain.fail(StepName::Node, what.clone());
        Err(Outcome::new("unknown_node", what, hint))
    }
}
