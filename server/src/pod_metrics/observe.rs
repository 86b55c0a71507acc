//! Notes the changes of pods.

use std::sync::Arc;

use super::PodMetrics;
use crate::cluster::{Event, Node, Observer, Pod};

impl Observer for PodMetrics {
    fn pod(&self, before: Option<&Arc<Pod>>, after: Option<&Arc<Pod>>) {
        let has_endpoint = |pod: Option<&Arc<Pod>>| pod.is_some_and(|pod| pod.endpoint().is_some());
        if !has_endpoint(before) && !has_endpoint(after) {
            return;
        }
        let Some(key) = after.or(before).map(|pod| pod.key.clone()) else {
            return;
        };
        self.pending.put(key, after.cloned());
    }

    fn node(&self, _: Option<&Arc<Node>>, _: Option<&Arc<Node>>) {}

    fn event(&self, _: &Event) {}
}
