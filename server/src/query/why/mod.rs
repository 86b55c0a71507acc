//! Why a pod or a node has metrics, or has none: a chain of checks from the API server to the last sample. And why a pod
//! has a metric of its own, or has none.
//!
//! A container that the kubelet does not report is not a reason, as in metrics-server. For a pod without metrics the
//! state of its containers comes first ([`kubevitals_proto::objects::not_running`]): a container that does not run has no usage.

mod chain;
pub(super) mod explain;
mod final_steps;
pub(super) mod metric;
mod node;
mod pod;

use kubevitals_proto::metrics::{GROUP, Version};
use kubevitals_proto::selector::LabelSelector;
use kubevitals_proto::vitals::API_VERSION;
use kubevitals_proto::why::{Kind, Subject, Why};

use super::sources::Sources;
use chain::Chain;

/// Answers why a pod or a node has metrics, or has none.
#[derive(Debug, Clone, Copy)]
pub struct WhyQuery<'a>(pub(super) &'a Sources);

impl WhyQuery<'_> {
    /// Why a pod has metrics, or has none.
    pub fn pod(self, version: Version, namespace: &str, name: &str) -> Why {
        let mut chain = Chain::new(self.0);
        let (Ok(outcome) | Err(outcome)) = chain.follow_pod(namespace, name);
        let subject = Subject {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
        };
        chain.into_why(Kind::PodMetricsWhy, api_version(version), subject, outcome)
    }

    /// Why a node has metrics, or has none.
    pub fn node(self, version: Version, name: &str) -> Why {
        let mut chain = Chain::new(self.0);
        let (Ok(outcome) | Err(outcome)) = chain.follow_node(name);
        let subject = Subject {
            name: name.to_owned(),
            namespace: String::new(),
        };
        chain.into_why(Kind::NodeMetricsWhy, api_version(version), subject, outcome)
    }

    /// Why a pod has a value of one of its own metrics, or has none.
    pub fn metric(
        self,
        namespace: &str,
        name: &str,
        metric: &str,
        selector: &LabelSelector,
    ) -> Why {
        let mut chain = Chain::new(self.0);
        let (Ok(outcome) | Err(outcome)) = chain.follow_metric(namespace, name, metric, selector);
        let subject = Subject {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
        };
        chain.into_why(Kind::OwnMetricWhy, API_VERSION.to_owned(), subject, outcome)
    }
}

fn api_version(version: Version) -> String {
    format!("{GROUP}/{}", version.as_str())
}
