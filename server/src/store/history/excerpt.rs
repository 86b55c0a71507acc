//! Blocks that a reader has copied from a node's history, to decode them without the lock.

use std::ops::Range;
use std::sync::Arc;

use super::pod_id::PodId;
use crate::store::ring::{Block, Sample, Samples, Tick, sample_at, samples};

/// Copied series. One excerpt can be reused for many nodes, so that a query over the whole cluster allocates hardly
/// more than a query for one node.
#[derive(Debug, Default)]
pub struct Excerpt {
    blocks: Vec<Block>,
    series: Vec<SeriesRange>,
    pods: Vec<PodId>,
}

#[derive(Debug)]
struct SeriesRange {
    /// The index of the pod; none for the node itself.
    pod: Option<usize>,
    container: Option<Arc<str>>,
    run: u32,
    blocks: Range<usize>,
}

/// A copied series.
#[derive(Clone, Copy, Debug)]
pub struct CopiedSeries<'a> {
    /// The pod; none for the node itself.
    pub pod: Option<&'a PodId>,
    /// The container; none for the node itself.
    pub container: Option<&'a Arc<str>>,
    /// The number of the run to which its newest sample belongs.
    pub(super) run: u32,
    pub(super) blocks: &'a [Block],
}

impl<'a> CopiedSeries<'a> {
    /// The samples, oldest first. Blocks are copied as a whole, so there are samples before and after the span.
    pub fn samples(&self) -> Samples<'a> {
        samples(self.blocks)
    }

    /// The newest sample at or before a time.
    pub fn sample_at(&self, tick: Tick) -> Option<Sample> {
        sample_at(self.blocks, tick)
    }
}

impl Excerpt {
    /// The copied series: the node's own, then the containers' by namespace, pod and name. Of pods that had the same name,
    /// the last pod is last. Series without a block in the span are left out.
    pub fn series(&self) -> impl Iterator<Item = CopiedSeries<'_>> {
        self.series.iter().map(|copied| CopiedSeries {
            pod: copied.pod.and_then(|pod| self.pods.get(pod)),
            container: copied.container.as_ref(),
            run: copied.run,
            blocks: self.blocks.get(copied.blocks.clone()).unwrap_or_default(),
        })
    }

    pub(super) fn clear(&mut self) {
        self.blocks.clear();
        self.series.clear();
        self.pods.clear();
    }

    /// Starts the series of a pod.
    pub(super) fn begin_pod(&mut self, pod: &PodId) {
        self.pods.push(pod.clone());
    }

    /// Adds a series, if `copy` adds a block: a container's of the last pod, or the node's own.
    pub(super) fn add(
        &mut self,
        container: Option<&Arc<str>>,
        run: u32,
        copy: impl FnOnce(&mut Vec<Block>),
    ) {
        let from = self.blocks.len();
        copy(&mut self.blocks);
        if self.blocks.len() > from {
            self.series.push(SeriesRange {
                pod: container.and(self.pods.len().checked_sub(1)),
                container: container.cloned(),
                run,
                blocks: from..self.blocks.len(),
            });
        }
    }
}
