//! Why a pod or a node has metrics, or has none: a chain of checks from the API server to the last sample.
//!
//! A container that the kubelet does not report is not a reason, as in metrics-server. For a pod without metrics the
//! state of its containers comes first ([`not_running`]): a container that does not run has no usage.

mod chain;
pub(super) mod explain;
mod final_steps;
mod findings;
mod node;
pub(super) mod not_running;
mod pod;

use kubevitals_proto::metrics::{GROUP, Version};
use kubevitals_proto::why::{Kind, Subject, Why};

use super::sources::Sources;
use chain::{Chain, Outcome};
use findings::Findings;

/// Answers why a pod or a node has metrics, or has none.
#[derive(Debug, Clone, Copy)]
pub struct WhyQuery<'a>(&'a Sources);

impl<'a> WhyQuery<'a> {
    pub(super) fn new(sources: &'a Sources) -> Self {
        Self(sources)
    }

    /// Why a pod has metrics, or has none.
    pub fn pod(self, version: Version, namespace: &str, name: &str) -> Why {
        let (mut chain, mut found) = (Chain::default(), Findings::default());
        let outcome = pod::follow_pod(self.0, &mut chain, &mut found, namespace, name);
        let subject = Subject {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
        };
        answer(Kind::PodMetricsWhy, version, subject, chain, found, outcome)
    }

    /// Why a node has metrics, or has none.
    pub fn node(self, version: Version, name: &str) -> Why {
        let (mut chain, mut found) = (Chain::default(), Findings::default());
        let outcome = node::follow_node(self.0, &mut chain, &mut found, name);
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
}

fn answer(
    kind: Kind,
    version: Version,
    metadata: Subject,
    chain: Chain,
    found: Findings,
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
