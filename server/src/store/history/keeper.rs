//! What looks after the history while the server runs.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::store::Store;
use crate::telemetry::Quiet;

/// How often history is tidied up. In so long a cluster of 5,000 nodes adds less than a mebibyte.
const ROUNDS: Duration = Duration::from_secs(10);

/// How often it is said that memory does not do.
const SAID: Duration = Duration::from_secs(3600);

/// Drops what is too old, and more where memory does not do, for ever.
pub async fn keep(store: Arc<Store>, clock: Arc<dyn Clock>) {
    let mut quiet = Quiet::new(SAID);
    loop {
        clock.sleep(ROUNDS).await;
        let (store, now) = (Arc::clone(&store), clock.elapsed());
        // Some milliseconds' work in a large cluster, during which nobody else should have to wait.
        let tidied = tokio::task::spawn_blocking(move || {
            let history = store.history();
            let cut = history.tidy(now);
            (cut, history.remembers())
        });
        let Ok((true, remembers)) = tidied.await else {
            continue;
        };
        if quiet.speak().is_some() {
            tracing::warn!(
                "--history-memory-limit is reached: points are kept for {} s and no longer; give more memory, or less to remember with --history-retention or a longer --history-step",
                remembers.as_secs(),
            );
        }
    }
}
