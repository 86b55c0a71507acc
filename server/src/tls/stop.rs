//! The end of serving, as connections and the accept loop wait for it.

use tokio::sync::watch;

/// Completes when `stop` is true, or nobody is left who could make it so.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _true_or_gone = stop.wait_for(|stop| *stop).await;
}
