//! The kubelets' pages, read off the world.

use std::sync::Arc;

use super::page::{Answer, Page, Pages};
use super::{probes, resource, summary};
use crate::objects::Resource;
use crate::world::World;

impl Pages for World {
    fn write(&self, node: usize, page: Page, clock_off: i64, out: &mut Vec<u8>) -> Answer {
        let Some(node) = self.nodes.get(node) else {
            return Answer::NotFound;
        };
        // So that a page never shows a container that should have ended before the request.
        self.catch_up();
        let state = node.state.lock();
        if state.down.is_some() {
            return Answer::Silent;
        }
        // A kubelet whose clock is off stamps what it reads with that clock; what it reads is the same.
        let now = self.clock.now().plus_nanos(clock_off);
        match page {
            Page::Resource => resource::write(out, node, &state, self.epoch, now),
            Page::Probes => probes::write(out, node, &state, now),
            Page::Summary(extent) => {
                summary::write(out, node, &state, self.epoch, now, extent);
            }
            Page::Pods => {
                let names = state
                    .pods()
                    .map(|p| (p.revision.namespace.clone(), p.name.clone()));
                pod_list(&self.store, names, out);
            }
        }
        Answer::Written
    }
}

/// The list of these pods, as the API server has them.
pub(crate) fn pod_list(
    store: &crate::objects::Store,
    names: impl Iterator<Item = (Arc<str>, Arc<str>)>,
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(br#"{"kind":"PodList","apiVersion":"v1","metadata":{},"items":["#);
    let mut first = true;
    for (namespace, name) in names {
        if let Some(pod) = store.get(Resource::Pods, Some(&namespace), &name) {
            if !first {
                out.push(b',');
            }
            first = false;
            pod.write_item(out);
        }
    }
    out.extend_from_slice(b"]}\n");
}
