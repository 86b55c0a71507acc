//! Periodic clean-up of the history.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::cluster::Watches;
use crate::memory::{Budget, LeftOut};
use crate::store::Store;
use crate::telemetry::LogThrottle;

/// The time between two clean-ups, in which a cluster of 5,000 nodes adds less than a mebibyte.
const INTERVAL: Duration = Duration::from_secs(10);

/// The time between two warnings about the memory limit.
const WARNING_INTERVAL: Duration = Duration::from_secs(3600);

/// Drops old samples and enforces the memory limit, forever.
pub async fn maintain(store: Arc<Store>, watches: Watches, clock: Arc<dyn Clock>) {
    let memory = Arc::clone(&watches.memory);
    let [
        mut quiet,
        mut quiet_of_left_out,
        mut quiet_of_nodes,
        mut quiet_of_refused,
        mut quiet_of_memory,
    ] = [(); 5].map(|()| LogThrottle::new(WARNING_INTERVAL));
    let mut refused = 0;
    loop {
        clock.sleep(INTERVAL).await;
        let budget = memory.measure(store.history().bytes() as u64);
        if let Some(budget) = &budget {
            let left = usize::try_from(budget.history).unwrap_or(usize::MAX);
            store.history().set_memory_limit(left);
        }
        if let Some(budget) = budget {
            let left_out = watches.left_out();
            memory.recommend(budget.recommended(&left_out));
            if memory.is_tight() && quiet_of_memory.allow().is_some() {
                warn_tight(&memory.hint(), &budget);
            }
            if left_out != LeftOut::default() && quiet_of_left_out.allow().is_some() {
                warn_left_out(&memory.hint(), left_out);
            }
        }
        let (store, now) = (Arc::clone(&store), clock.elapsed());
        // It takes some milliseconds in a large cluster, so it must not block other tasks.
        let tidied = tokio::task::spawn_blocking(move || {
            let history = store.history();
            let cut = history.tidy(now);
            if let Some(of_others) = store.history_of_others() {
                of_others.tidy(now);
            }
            (cut, history.retention(), history.refused())
        });
        let Ok((cut, retention, refused_so_far)) = tidied.await else {
            continue;
        };
        let refused_now = refused_so_far - std::mem::replace(&mut refused, refused_so_far);
        if refused_now > 0
            && let Some(unreported) = quiet_of_refused.allow()
        {
            tracing::warn!(
                points = refused_now,
                unreported,
                "samples are not stored: a node reports too many containers or too many pods that the API server has not reported, or --history-memory-limit is reached; /debug/targets shows the number of containers of each node",
            );
        }
        if let Some(node) = cut.nodes.first()
            && let Some(unreported) = quiet_of_nodes.allow()
        {
            tracing::warn!(
                %node, nodes = cut.nodes.len(), unreported,
                "--history-memory-limit is reached, and some nodes have more than four times as much history for each pod as the median node: only their history is shortened; check what their kubelets report",
            );
        }
        if cut.all
            && let Some(unreported) = quiet.allow()
        {
            tracing::warn!(
                seconds = retention.as_secs(),
                unreported,
                "--history-memory-limit is reached, or the memory limit of the container leaves less: the history of all nodes is shortened; raise the limit, or reduce --history-retention, or raise --history-step",
            );
        }
    }
}

/// Warns that there is no memory left for history.
fn warn_tight(hint: &str, budget: &Budget) {
    tracing::warn!(
        used_mib = budget.rest >> 20,
        "the memory limit is too low for this cluster, even without history: {hint}; until then the server stores no history, requests only /metrics/resource of kubelets, and refuses watches, and if it comes nearer to the limit it leaves out nodes and pods",
    );
}

/// Warns that nodes or pods are left out.
fn warn_left_out(hint: &str, LeftOut { nodes, pods }: LeftOut) {
    tracing::warn!(
        nodes,
        pods,
        "nodes and pods are left out, because the memory limit is near: {hint}; until then they have no metrics, and the API leaves out the sums that would include them",
    );
}
