//! Why a pod or a node has metrics, or has none: the way of a number followed link by link, from the API server to
//! the last point.
//!
//! A container that the kubelet does not report at all is not missed, as it is not at the peer. Where a pod has no
//! metrics, the state of its containers is considered first ([`not_running`]): what does not run is not measured.

mod chain;
pub(super) mod explain;
mod final_steps;
mod node;
pub(super) mod not_running;
mod pod;

use kubevitals_proto::metrics::{GROUP, Version};
use kubevitals_proto::why::{Container, Freshness, Kind, Subject, Why};

use super::Query;
use chain::{Chain, Outcome};

/// What is found at the end of the chain beside its outcome.
#[derive(Debug, Default)]
struct Findings {
    freshness: Option<Freshness>,
    containers: Vec<Container>,
}

impl Query {
    /// Why a pod has metrics, or has none.
    pub fn why_pod(&self, version: Version, namespace: &str, name: &str) -> Why {
        let (mut chain, mut found) = (Chain::default(), Findings::default());
        let outcome = self.follow_pod(&mut chain, &mut found, namespace, name);
        let subject = Subject {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
        };
        answer(Kind::PodMetricsWhy, version, subject, chain, found, outcome)
    }

    /// Why a node has metrics, or has none.
    pub fn why_node(&self, version: Version, name: &str) -> Why {
        let (mut chain, mut found) = (Chain::default(), Findings::default());
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
