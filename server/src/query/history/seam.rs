//! Where the history in memory begins.

use kubevitals_proto::time::{Timestamp, nanos};

use super::steps::Steps;
use super::subject::{HistorySubject, histories_of};
use crate::query::sources::Sources;

/// The start of the first step that the ring has; `None` if it has all.
pub(super) fn seam(
    sources: &Sources,
    subject: HistorySubject<'_>,
    steps: &Steps,
) -> Option<Timestamp> {
    // A sample covers the time since the one before.
    let margin = nanos(sources.resolution * 5) / 2;
    let ring = ring_since(sources, subject).plus_nanos(-margin);
    let lacking = ring.since(steps.since());
    if lacking <= 0 {
        return None;
    }
    let n = lacking.unsigned_abs().div_ceil(steps.step().unsigned_abs());
    let n = usize::try_from(n).unwrap_or(usize::MAX).min(steps.len());
    Some(steps.start(n))
}

/// The time since which the rings of a subject's nodes have samples. Nodes that were created within the retention did not
/// exist before.
pub(in crate::query) fn ring_since(sources: &Sources, subject: HistorySubject<'_>) -> Timestamp {
    let (now, wall) = (sources.now(), sources.wall());
    let retained = wall.plus_nanos(-nanos(sources.store.history().retention()));
    let nodes = sources.cluster.nodes();
    let (mut of_old, mut of_young) = (None, None);
    for (name, history) in histories_of(sources.history(), subject) {
        let Some(oldest) = history.oldest() else {
            continue;
        };
        let since = history.offset(now, wall).ours(oldest.time());
        let created = nodes.get(&name).and_then(|node| node.created());
        let of_age = match created.is_some_and(|created| created > retained) {
            true => &mut of_young,
            false => &mut of_old,
        };
        *of_age = (*of_age).max(Some(since));
    }
    of_old.or(of_young).unwrap_or(wall)
}
