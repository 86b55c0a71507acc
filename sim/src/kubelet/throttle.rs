//! A rate limit that all kubelets share, as of a small server, network or proxy.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// The cost of a request.
pub(crate) const REQUEST: f64 = 1.0;
/// The cost of a TLS handshake, in requests.
pub(crate) const HANDSHAKE: f64 = 5.0;

/// A bottleneck that serves one request after the other. A request that the client cancels uses its time all the same.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Requests a second; nothing for as many as there are.
    rate: Option<f64>,
    /// When all that has come so far is done.
    free: Option<Instant>,
}

impl Throttle {
    /// Lets through so many requests a second from now on.
    pub(crate) fn set(&self, rate: Option<f64>) {
        *self.0.lock() = State { rate, free: None };
    }

    /// Waits until everything that came before, and this request or handshake, is done.
    pub(crate) async fn serve(&self, cost: f64) {
        let done = {
            let mut state = self.0.lock();
            let Some(rate) = state.rate else {
                return;
            };
            let now = Instant::now();
            let begins = state.free.map_or(now, |free| free.max(now));
            let done = begins + Duration::from_secs_f64(cost / rate);
            state.free = Some(done);
            done
        };
        tokio::time::sleep_until(done).await;
    }
}
