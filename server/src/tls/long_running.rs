//! Responses without an end, such as watches.

use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// An extension of a response: it has no end, so the timeout applies to each of its chunks.
#[derive(Debug, Clone)]
pub struct LongRunning(watch::Receiver<Option<Instant>>);

impl LongRunning {
    /// `waiting` holds the time since when a chunk waits for the client to read it, and nothing while none waits.
    pub fn new(waiting: watch::Receiver<Option<Instant>>) -> Self {
        Self(waiting)
    }

    /// Completes when a chunk has waited for `limit`.
    pub(super) fn stalled(&self, limit: Duration) -> impl Future<Output = ()> + use<> {
        let mut waiting = self.0.clone();
        async move {
            loop {
                let since = *waiting.borrow_and_update();
                let deadline = async {
                    match since {
                        Some(since) => sleep_until(since + limit).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    changed = waiting.changed() => if changed.is_err() {
                        // The response is complete, and so is its request.
                        std::future::pending::<()>().await;
                    },
                    () = deadline => return,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::timeout;

    const LIMIT: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn a_response_stalls_only_while_a_chunk_waits() {
        let (chunk, waiting) = watch::channel(None);
        let long = LongRunning::new(waiting);
        let hours = Duration::from_secs(36_000);
        assert!(timeout(hours, long.stalled(LIMIT)).await.is_err());
        let began = Instant::now();
        chunk.send_replace(Some(began));
        long.stalled(LIMIT).await;
        assert_eq!(began.elapsed(), LIMIT);
        chunk.send_replace(None);
        assert!(timeout(hours, long.stalled(LIMIT)).await.is_err());
    }
}
