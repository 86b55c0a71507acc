//! The pages of a kubelet, and where they come from: the world, or a recording.

use std::sync::Arc;

use super::summary::Extent;
use super::{probes, resource, summary};
use crate::objects::{Resource, Store};
use crate::world::World;

/// A page of a kubelet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    /// `/metrics/resource`.
    Resource,
    /// `/metrics/probes`.
    Probes,
    /// `/stats/summary`.
    Summary(Extent),
    /// `/pods`.
    Pods,
}

impl Page {
    /// The page at a path; `None` when there is none.
    pub(crate) fn at(path: &str, query: Option<&str>) -> Option<Self> {
        let only = query
            .unwrap_or_default()
            .split('&')
            .any(|q| matches!(q, "only_cpu_and_memory=true" | "only_cpu_and_memory=1"));
        match path.trim_end_matches('/') {
            "/metrics/resource" => Some(Self::Resource),
            "/metrics/probes" => Some(Self::Probes),
            "/stats/summary" if only => Some(Self::Summary(Extent::CpuAndMemory)),
            "/stats/summary" => Some(Self::Summary(Extent::Full)),
            "/pods" => Some(Self::Pods),
            _ => None,
        }
    }

    /// What a kubelet says it is.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Resource | Self::Probes => {
                "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
            }
            Self::Summary(_) | Self::Pods => "application/json",
        }
    }
}

/// How a page was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The page is written.
    Written,
    /// There is no such page here.
    NotFound,
    /// The kubelet fails, with this status.
    Failed(u16),
    /// The kubelet says nothing.
    Silent,
}

/// Where the kubelets' pages come from: the world, or a recording.
pub(crate) trait Pages: Send + Sync + 'static {
    /// Writes a page of the node of this index, its clock being off by `clock_off` nanoseconds.
    fn write(&self, node: usize, page: Page, clock_off: i64, out: &mut Vec<u8>) -> Answer;
}

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
    store: &Store,
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
