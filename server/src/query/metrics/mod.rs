//! Current usage of pods and nodes, for `metrics.k8s.io`.

pub(super) mod freshness;
mod nodes;
mod pods;

pub use nodes::NodeReading;
pub use pods::{PodCursor, PodList, PodReading};
