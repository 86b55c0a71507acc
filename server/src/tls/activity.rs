//! Tracks what a connection is doing, and how long that may take.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::sync::watch;
use tokio::time::Instant;

use super::Limits;
use super::idle_eviction::{EvictionClass, Slot};
use super::long_running::LongRunning;

/// The activity of one connection. Its requests write it, and its deadlines follow it.
#[derive(Debug, Clone)]
pub(super) struct Activity {
    state: watch::Sender<State>,
    slot: Arc<Slot>,
}

#[derive(Debug, Clone)]
struct State {
    /// A request has come in.
    received: bool,
    /// A request was authenticated.
    authenticated: bool,
    /// Requests in flight.
    open: usize,
    /// The start of the current activity.
    since: Instant,
    /// Set while a response without an end is in flight.
    long: Option<LongRunning>,
}

/// Which deadline has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overdue {
    /// No first request came.
    Silent,
    /// No further request came.
    Idle,
    /// The client does not read the response.
    Stalled,
}

impl Activity {
    /// The activity of a connection that starts now.
    pub(super) fn new(slot: &Arc<Slot>) -> Self {
        let state = watch::Sender::new(State {
            received: false,
            authenticated: false,
            open: 0,
            since: Instant::now(),
            long: None,
        });
        let slot = Arc::clone(slot);
        Self { state, slot }
    }

    /// Begins a request. It is in flight until the returned value is dropped.
    pub(super) fn begin(&self) -> ActiveRequest {
        self.state.send_modify(|state| {
            if state.open == 0 {
                self.slot.set_busy();
            }
            state.received = true;
            state.open += 1;
            state.since = Instant::now();
        });
        ActiveRequest(self.clone())
    }

    /// Completes when the deadline of the current activity passes. `response` limits a response, on connections that
    /// carry one at a time.
    pub(super) async fn overdue(&self, limits: Limits, response: Option<Duration>) -> Overdue {
        let mut changes = self.state.subscribe();
        loop {
            let state = changes.borrow_and_update().clone();
            let (overdue, limit) = match &state {
                State {
                    received: false, ..
                } => (Overdue::Silent, Some(limits.header)),
                State { open: 0, .. } => (Overdue::Idle, Some(limits.idle)),
                State { .. } => (Overdue::Stalled, response),
            };
            let deadline = async {
                match (&state.long, limit) {
                    (_, None) => std::future::pending().await,
                    (Some(long), Some(limit)) => long.stalled(limit).await,
                    (None, Some(limit)) => tokio::time::sleep_until(state.since + limit).await,
                }
            };
            tokio::select! {
                // `self` owns the sender, so the channel stays open.
                _changed = changes.changed() => {}
                () = deadline => return overdue,
            }
        }
    }
}

/// A request in flight.
#[derive(Debug)]
pub(super) struct ActiveRequest(Activity);

impl ActiveRequest {
    /// Marks the response as one without an end.
    pub(super) fn set_long_running(&self, long: &LongRunning) {
        self.0
            .state
            .send_modify(|state| state.long = Some(long.clone()));
    }

    /// Marks the request as authenticated.
    pub(super) fn set_authenticated(&self) {
        self.0.state.send_if_modified(|state| {
            state.authenticated = true;
            // No deadline depends on it.
            false
        });
    }
}

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        let Activity { state, slot } = &self.0;
        state.send_modify(|state| {
            state.open -= 1;
            state.since = Instant::now();
            state.long = None;
            if state.open == 0 {
                slot.set_idle(match state.authenticated {
                    true => EvictionClass::Authenticated,
                    false => EvictionClass::Anonymous,
                });
            }
        });
    }
}

/// A response body that keeps its request in flight and yields chunks of a limited size.
#[derive(Debug)]
pub(super) struct ResponseBody {
    body: Body,
    chunk_bytes: usize,
    /// Data of `body` that is not yet yielded.
    buffered: Bytes,
    _request: ActiveRequest,
}

impl ResponseBody {
    /// Splits `body` into chunks of at most `chunk_bytes` bytes.
    pub(super) fn new(body: Body, chunk_bytes: usize, request: ActiveRequest) -> Self {
        Self {
            body,
            chunk_bytes,
            buffered: Bytes::new(),
            _request: request,
        }
    }
}

impl hyper::body::Body for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.buffered.is_empty() {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => frame,
                end => return Poll::Ready(end),
            };
            match frame.into_data() {
                Ok(data) => self.buffered = data,
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            }
        }
        let length = self.buffered.len().min(self.chunk_bytes);
        Poll::Ready(Some(Ok(Frame::data(self.buffered.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.buffered.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (buffered, body) = (self.buffered.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower() + buffered);
        if let Some(upper) = body.upper() {
            hint.set_upper(upper + buffered);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    use crate::tls::idle_eviction::IdlePool;

    const LIMITS: Limits = Limits {
        unauthenticated: 1,
        connections: 1,
        header: Duration::from_millis(1),
        idle: Duration::from_millis(2),
        request: Duration::from_millis(3),
        drain: Duration::from_millis(4),
    };

    #[tokio::test]
    async fn a_connection_is_silent_then_stalled_then_idle() {
        let activity = Activity::new(&Arc::new(IdlePool::default().add()));
        let limit = Some(LIMITS.request);
        assert_eq!(activity.overdue(LIMITS, limit).await, Overdue::Silent);
        let active = (activity.begin(), activity.begin());
        assert_eq!(activity.overdue(LIMITS, limit).await, Overdue::Stalled);
        drop(active.0);
        assert_eq!(activity.overdue(LIMITS, limit).await, Overdue::Stalled);
        drop(active.1);
        assert_eq!(activity.overdue(LIMITS, limit).await, Overdue::Idle);
    }

    #[tokio::test]
    async fn a_change_of_activity_changes_the_deadline() {
        let activity = Activity::new(&Arc::new(IdlePool::default().add()));
        let unlimited = Limits {
            header: Duration::from_secs(3600),
            ..LIMITS
        };
        let request = async { drop(activity.begin()) };
        let (overdue, ()) = tokio::join!(activity.overdue(unlimited, None), request);
        assert_eq!(overdue, Overdue::Idle);
    }

    #[tokio::test]
    async fn an_authenticated_connection_goes_after_anonymous_ones_and_a_busy_one_never() {
        let pool = IdlePool::default();
        let (authenticated, anonymous) = (Arc::new(pool.add()), Arc::new(pool.add()));
        let (of_authenticated, of_anonymous) =
            (Activity::new(&authenticated), Activity::new(&anonymous));
        let request = of_authenticated.begin();
        request.set_authenticated();
        drop(request);
        // A later anonymous request does not change the class.
        drop(of_authenticated.begin());
        drop(of_anonymous.begin());
        assert!(pool.evict(0));
        anonymous.evicted().await;
        let _active = (of_authenticated.begin(), of_anonymous.begin());
        drop(of_authenticated.begin());
        assert!(!pool.evict(0));
    }

    #[tokio::test]
    async fn a_body_is_split_into_chunks_and_its_length_stays() {
        let activity = Activity::new(&Arc::new(IdlePool::default().add()));
        let mut body = ResponseBody::new(Body::from("abcdefg"), 3, activity.begin());
        assert_eq!(hyper::body::Body::size_hint(&body).exact(), Some(7));
        let mut chunks = Vec::new();
        while let Some(frame) = body.frame().await {
            chunks.push(frame.unwrap().into_data().unwrap());
            let left = 7 - chunks.iter().map(|chunk| chunk.len() as u64).sum::<u64>();
            assert_eq!(hyper::body::Body::size_hint(&body).exact(), Some(left));
        }
        assert_eq!(chunks, ["abc", "def", "g"]);
        assert!(hyper::body::Body::is_end_stream(&body));
    }
}
