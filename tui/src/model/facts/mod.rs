//! Facts: what the objects of a page say, and the lines of the page.

mod hpa;
mod line;

use std::sync::Arc;

use kubevitals_proto::objects::{Budget, LimitRange, Node, NodeImage, Quota, Rollout};

pub use hpa::{HpaFacts, MetricApi, MetricFacts, MetricServer};
pub(super) use line::flow;
pub use line::{BAR, Fact, FactLine};

use super::scope::Scope;

/// What the objects of a page say.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// The objects.
    pub objects: Objects,
    /// What could not be read, each in one line.
    pub missing: Vec<String>,
}

/// The objects of a page.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Objects {
    /// None: the request failed, or the kind of workload has no rollout.
    #[default]
    None,
    /// Of a node, with its largest images.
    Node(Arc<Node>, Vec<NodeImage>),
    /// Of a workload: its rollout, and the budgets of its pods.
    Workload(Box<Rollout>, Vec<Budget>),
    /// Of a HorizontalPodAutoscaler.
    Hpa(Box<HpaFacts>),
    /// Of a namespace.
    Namespace(Vec<Quota>, Vec<LimitRange>),
}

impl Scope {
    /// Whether the pods of this scope have a page with facts above them.
    #[must_use]
    pub const fn has_facts(&self) -> bool {
        matches!(
            self,
            Self::Node(_) | Self::Workload(..) | Self::Hpa(..) | Self::Namespace(_)
        )
    }
}
