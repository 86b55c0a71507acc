//! The chain of a node.

use kubevitals_proto::why::StepName;

use super::chain::{Chain, Outcome, add_pages, add_ready, add_scraped, not_ready};
use super::final_steps::{add_fresh, add_incomplete, age_of_scrape, freshness, nothing_yet};
use super::findings::Findings;
use crate::cluster::{Node, Nodes};
use crate::query::readiness::Unready;
use crate::query::sources::Sources;

pub(super) fn follow_node(
    sources: &Sources,
    chain: &mut Chain,
    found: &mut Findings,
    name: &str,
) -> Outcome {
    if !sources.watches.nodes.synced() {
        return not_ready(chain, Unready::Nodes);
    }
    let nodes = sources.cluster.nodes();
    let node = match add_node(sources, chain, &nodes, name) {
        Ok(node) => node,
        Err(outcome) => return outcome,
    };
    add_ready(chain, node);
    let trouble = add_scraped(sources, chain, node);
    add_pages(sources, chain, node);
    let Some(latest) = sources
        .store
        .cells()
        .get(name)
        .and_then(|cell| cell.latest())
    else {
        return trouble.unwrap_or_else(|| nothing_yet(node));
    };
    chain.ok(
        StepName::Reported,
        format!(
            "its last answer is taken in{}",
            age_of_scrape(sources, &latest)
        ),
    );
    let usage = match &latest.node {
        Ok(usage) => usage,
        Err(absent) => {
            let outcome = add_incomplete(sources, chain, name, "the node itself", absent);
            return trouble.unwrap_or(outcome);
        }
    };
    chain.ok(StepName::Whole, "the node itself has what a rate needs");
    match add_fresh(sources, chain, &latest, usage.arrived, trouble) {
        Ok(outcome) => {
            let rate = usage.usage;
            found.freshness = Some(freshness(sources, rate.at, rate.window, usage.arrived));
            outcome
        }
        Err(outcome) => outcome,
    }
}

pub(super) fn add_node<'a>(
    sources: &Sources,
    chain: &mut Chain,
    nodes: &'a Nodes,
    name: &str,
) -> Result<&'a Node, Outcome> {
    if !sources.watches.nodes.synced() {
        return Err(not_ready(chain, Unready::Nodes));
    }
    if let Some(node) = nodes.get(name) {
        chain.ok(
            StepName::Node,
            format!("node {name} is one that the server asks"),
        );
        return Ok(node);
    }
    let (what, hint) = match &sources.watches.node_selector {
        None => (
            format!("The API server has no node {name}."),
            "check the name: kubectl get nodes; pods of a node that is gone go with it after a while",
        ),
        Some(selector) => (
            format!("There is no node {name} among those that --node-selector {selector} selects."),
            "check with kubectl get nodes --show-labels, and the server's --node-selector",
        ),
    };
    chain.fail(StepName::Node, what.clone());
    Err(Outcome::new("unknown_node", what, hint))
}
