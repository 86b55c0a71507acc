//! The memory limit. When it is reached, the history of nodes with far more memory for each pod than others is
//! shortened first, and then the history of all nodes alike.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::node::{HistorySize, NodeHistory};
use super::settings::Shared;
use crate::clock::Age;
use crate::store::ring::{BLOCK_BYTES, Tick};

/// The number of parts of the retention by which ages of blocks are counted.
const PARTS: usize = 256;

/// A node's share for each bound pod, as a multiple of the median node's memory for each bound pod. Nodes differ by the
/// number of containers of their pods and by how often those restart. A kubelet that invents pods or containers exceeds
/// its share.
const SHARE: usize = 4;

type Nodes = [(Arc<str>, Arc<NodeHistory>)];

/// The nodes whose history was shortened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    /// The nodes above their share.
    pub nodes: Vec<Arc<str>>,
    /// Whether the history of all nodes was shortened.
    pub all: bool,
}

/// Shortens the retention until memory is below the limit, or extends it step by step when memory is available. Returns
/// the nodes whose history was shortened.
pub(super) fn enforce(shared: &Shared, nodes: &Nodes, now: Age) -> Cut {
    let limit = shared.memory_limit();
    let configured = Tick::count(shared.settings.retention).max(1);
    let step = (configured / PARTS as i64).max(1);
    let bytes = || shared.bytes.load(Ordering::Relaxed);
    if bytes() <= limit {
        // Older samples are gone: the history grows again with new samples.
        if bytes() < limit / 20 * 19 {
            if shared.retention_ticks() < configured {
                shared.set_retention_ticks(shared.retention_ticks() + step);
            }
            for (_, node) in nodes {
                node.extend_retention(step, configured);
            }
        }
        return Cut::default();
    }
    let mut cut = Cut {
        nodes: over_share(shared, nodes, now),
        all: false,
    };
    if bytes() > limit {
        cut.all = true;
        let retention_ticks = || shared.retention_ticks();
        shorten(
            nodes,
            now,
            configured,
            limit,
            bytes,
            retention_ticks,
            |retention_ticks| shared.set_retention_ticks(retention_ticks),
        );
    }
    cut
}

/// Shortens the history of each node above its share. Returns those nodes.
fn over_share(shared: &Shared, nodes: &Nodes, now: Age) -> Vec<Arc<str>> {
    let configured = Tick::count(shared.settings.retention).max(1);
    let sizes: Vec<HistorySize> = nodes.iter().map(|(_, node)| node.size()).collect();
    let mut rates: Vec<usize> = sizes
        .iter()
        .map(|it| it.bytes / (it.bound_pods + 1))
        .collect();
    // Of two nodes the smaller is the measure.
    let middle = rates.len().saturating_sub(1) / 2;
    rates.sort_unstable();
    let Some(median) = rates.get(middle) else {
        return Vec::new();
    };
    shared.set_share(median.saturating_mul(SHARE));
    let mut shortened = Vec::new();
    for ((name, node), size) in nodes.iter().zip(sizes) {
        let share = shared.share(size.bound_pods);
        if size.bytes > share {
            let one = [(Arc::clone(name), Arc::clone(node))];
            let retention_ticks = || node.retention_ticks();
            shorten(
                &one,
                now,
                configured,
                share,
                || node.size().bytes,
                retention_ticks,
                |retention_ticks| {
                    node.set_retention_ticks(retention_ticks);
                },
            );
            shortened.push(Arc::clone(name));
        }
    }
    shortened
}

/// Shortens the retention of `nodes` with `set_retention_ticks`, until their `bytes` are below `most`.
fn shorten(
    nodes: &Nodes,
    now: Age,
    configured: i64,
    most: usize,
    bytes: impl Fn() -> usize,
    retention_ticks: impl Fn() -> i64,
    set_retention_ticks: impl Fn(i64),
) {
    // Names and lists are freed with their last block, unused blocks when there are many: repeat until it is enough.
    let mut before = i64::MAX;
    while bytes() > most && retention_ticks() < before {
        before = retention_ticks();
        let parts = by_age(nodes, now, configured);
        // A tenth below, so that not every round has to.
        let mut excess = (bytes() - most / 10 * 9).div_ceil(BLOCK_BYTES);
        let mut left = usize::try_from(before * PARTS as i64 / configured).unwrap_or(PARTS);
        while excess > 0 && left > 1 {
            left -= 1;
            let older = parts.get(left).copied().unwrap_or_default();
            excess = excess.saturating_sub(older);
        }
        set_retention_ticks(configured * left as i64 / PARTS as i64);
        for (_, node) in nodes {
            node.tidy(now, true);
        }
    }
}

/// The number of blocks of each age, in parts of the configured retention; the last part contains all older blocks.
fn by_age(nodes: &Nodes, now: Age, configured: i64) -> [usize; PARTS] {
    let mut parts = [0; PARTS];
    for (_, node) in nodes {
        node.ages(now, |age| {
            let part = usize::try_from(age.max(0) / (configured / PARTS as i64).max(1));
            if let Some(blocks) = parts.get_mut(part.unwrap_or(PARTS).min(PARTS - 1)) {
                *blocks += 1;
            }
        });
    }
    parts
}
