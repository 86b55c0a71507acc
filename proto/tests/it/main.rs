//! What real Kubernetes said, decoded and said again.

mod fixtures;
mod metrics;
mod status;
