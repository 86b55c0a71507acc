//! Answers that go on for as long as the client takes them.

use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// As an extension of a response: it has no end of its own, and is bounded not as a whole but piece by piece.
#[derive(Debug, Clone)]
pub struct LongRunning(watch::Receiver<Option<Instant>>);

impl LongRunning {
    /// `waits` tells since when a piece of the answer waits to be taken; nothing while none does.
    pub fn new(waits: watch::Receiver<Option<Instant>>) -> Self {
        Self(waits)
    }

    /// Completes when a piece has waited for so long.
    pub(super) fn stalled(&self, limit: Duration) -> impl Future<Output = ()> + use<> {
        let mut waits = self.0.clone();
        async move {
            loop {
                let since = *waits.borrow_and_update();
                let too_long = async {
                    match since {
                        Some(since) => sleep_until(since + limit).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    changed = waits.changed() => if changed.is_err() {
                        // The answer is over, and so is its request.
                        std::future::pending::<()>().await;
                    },
                    () = too_long => return,
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
    async fn it_is_stalled_when_a_piece_has_waited_and_not_when_there_is_none() {
        let (handed, waits) = watch::channel(None);
        let long = LongRunning::new(waits);
        let hours = Duration::from_secs(36_000);
        assert!(timeout(hours, long.stalled(LIMIT)).await.is_err());
        let began = Instant::now();
        handed.send_replace(Some(began));
        long.stalled(LIMIT).await;
        assert_eq!(began.elapsed(), LIMIT);
        handed.send_replace(None);
        assert!(timeout(hours, long.stalled(LIMIT)).await.is_err());
    }
}
