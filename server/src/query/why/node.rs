//! The chain of a node.

use kubevitals_proto::why::StepName;

use super::chain::{Chain, Outcome};
use super::final_steps::nothing_yet;
use crate::cluster::{Node, Nodes};
use crate::query::readiness::Unready;

impl Chain<'_> {
    /// Follows the chain of a node to its outcome: `Ok` if the node has metrics.
    pub(super) fn follow_node(&mut self, name: &str) -> Result<Outcome, Outcome> {
        let nodes = self.sources.cluster.nodes();
        let node = self.add_node(&nodes, name)?;
        self.add_ready(node);
        let trouble = self.add_scraped(node);
        self.add_pages(node);
        let cells = self.sources.store.cells();
        let Some(latest) = cells.get(name).and_then(|cell| cell.latest()) else {
            return Err(trouble.unwrap_or_else(|| nothing_yet(node)));
        };
        let age = self.age_of_scrape(&latest);
        self.ok(
            StepName::Reported,
            format!("its last response is stored{age}"),
        );
        let node = match &latest.node {
            Ok(node) => node,
            Err(absent) => {
                let outcome = self.add_incomplete(name, "the node itself", absent);
                return Err(trouble.unwrap_or(outcome));
            }
        };
        self.ok(StepName::Whole, "the node itself has what a rate needs");
        let rate = (node.usage.at, node.usage.window);
        self.add_fresh(&latest, rate, node.arrived, trouble)
    }

    /// Adds whether the server scrapes the node.
    pub(super) fn add_node<'n>(
        &mut self,
        nodes: &'n Nodes,
        name: &str,
    ) -> Result<&'n Node, Outcome> {
        let watches = &self.sources.watches;
        if !watches.nodes.synced() {
            return Err(self.not_ready(Unready::Nodes));
        }
        if let Some(node) = nodes.get(name) {
            let message = format!("the server scrapes node {name}");
            self.ok(StepName::Node, message);
            return Ok(node);
        }
        if watches.nodes.left_out() > 0 {
            let what = format!(
                "The server has no node {name}, but its memory limit is near, and it leaves out nodes."
            );
            self.fail(StepName::Node, what.clone());
            return Err(self.left_out(what));
        }
        let (what, hint) = match &watches.node_selector {
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
        self.fail(StepName::Node, what.clone());
        Err(Outcome::new("unknown_node", what, hint))
    }
}
