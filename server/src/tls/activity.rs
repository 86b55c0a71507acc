//! What a connection is doing, and for how long it may.

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
use super::idle_eviction::{Place, Standing};
use super::long_running::LongRunning;

/// What a connection is doing: told by its requests, read by whoever bounds it.
#[derive(Debug, Clone)]
pub(super) struct Activity {
    state: watch::Sender<State>,
    /// Told when no request is under way.
    place: Arc<Place>,
}

#[derive(Debug, Clone)]
struct State {
    /// A request has come in.
    asked: bool,
    /// One was of somebody whom we know.
    known: bool,
    /// Requests whose answers are under way.
    open: usize,
    /// When this began.
    since: Instant,
    /// What is under way goes on for as long as it is taken.
    long: Option<LongRunning>,
}

/// What has lasted too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overdue {
    /// No first request came.
    Silent,
    /// No further request came.
    Idle,
    /// An answer is still not taken.
    Stalled,
}

impl Activity {
    /// A connection that begins now.
    pub(super) fn new(place: &Arc<Place>) -> Self {
        let state = watch::Sender::new(State {
            asked: false,
            known: false,
            open: 0,
            since: Instant::now(),
            long: None,
        });
        let place = Arc::clone(place);
        Self { state, place }
    }

    /// A request came in; it is under way until the returned value is dropped.
    pub(super) fn begin(&self) -> Busy {
        self.state.send_modify(|state| {
            if state.open == 0 {
                self.place.work();
            }
            state.asked = true;
            state.open += 1;
            state.since = Instant::now();
        });
        Busy(self.clone())
    }

    /// Completes when the connection has been at the same thing for too long. `answer` bounds an answer, on
    /// connections that carry one at a time.
    pub(super) async fn overdue(&self, limits: Limits, answer: Option<Duration>) -> Overdue {
        let mut told = self.state.subscribe();
        loop {
            let state = told.borrow_and_update().clone();
            let (overdue, limit) = match &state {
                State { asked: false, .. } => (Overdue::Silent, Some(limits.header)),
                State { open: 0, .. } => (Overdue::Idle, Some(limits.idle)),
                State { .. } => (Overdue::Stalled, answer),
            };
            let too_long = async {
                match (&state.long, limit) {
                    (_, None) => std::future::pending().await,
                    (Some(long), Some(limit)) => long.stalled(limit).await,
                    (None, Some(limit)) => tokio::time::sleep_until(state.since + limit).await,
                }
            };
            tokio::select! {
                // The sender is `self`, so there is always another state to wait for.
                _changed = told.changed() => {}
                () = too_long => return overdue,
            }
        }
    }
}

/// A request under way.
#[derive(Debug)]
pub(super) struct Busy(Activity);

impl Busy {
    /// Its answer goes on for as long as it is taken.
    pub(super) fn runs_long(&self, long: &LongRunning) {
        self.0
            .state
            .send_modify(|state| state.long = Some(long.clone()));
    }

    /// It is of somebody whom we know.
    pub(super) fn is_known(&self) {
        self.0.state.send_if_modified(|state| {
            state.known = true;
            // Of no concern to who bounds the connection.
            false
        });
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let Activity { state, place } = &self.0;
        state.send_modify(|state| {
            state.open -= 1;
            state.since = Instant::now();
            state.long = None;
            if state.open == 0 {
                place.rest(match state.known {
                    true => Standing::Known,
                    false => Standing::Stranger,
                });
            }
        });
    }
}

/// An answer's body, which keeps its request under way, and is handed on in pieces.
#[derive(Debug)]
pub(super) struct Answer {
    body: Body,
    piece: usize,
    rest: Bytes,
    _busy: Busy,
}

impl Answer {
    /// `body` in pieces of at most `piece` bytes.
    pub(super) fn new(body: Body, piece: usize, busy: Busy) -> Self {
        Self {
            body,
            piece,
            rest: Bytes::new(),
            _busy: busy,
        }
    }

    fn next_piece(&mut self) -> Frame<Bytes> {
        let length = self.rest.len().min(self.piece);
        Frame::data(self.rest.split_to(length))
    }
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => frame,
                end => return Poll::Ready(end),
            };
            match frame.into_data() {
                Ok(data) => self.rest = data,
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            }
        }
        Poll::Ready(Some(Ok(self.next_piece())))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, body) = (self.rest.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower() + rest);
        if let Some(upper) = body.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    use crate::tls::idle_eviction::Room;

    const LIMITS: Limits = Limits {
        unknown: 1,
        connections: 1,
        header: Duration::from_millis(1),
        idle: Duration::from_millis(2),
        request: Duration::from_millis(3),
        drain: Duration::from_millis(4),
    };

    #[tokio::test]
    async fn a_connection_is_silent_then_stalled_then_idle() {
        let activity = Activity::new(&Arc::new(Room::default().enter()));
        let answer = Some(LIMITS.request);
        assert_eq!(activity.overdue(LIMITS, answer).await, Overdue::Silent);
        let busy = (activity.begin(), activity.begin());
        assert_eq!(activity.overdue(LIMITS, answer).await, Overdue::Stalled);
        drop(busy.0);
        assert_eq!(activity.overdue(LIMITS, answer).await, Overdue::Stalled);
        drop(busy.1);
        assert_eq!(activity.overdue(LIMITS, answer).await, Overdue::Idle);
    }

    #[tokio::test]
    async fn what_changes_while_it_is_waited_for_counts() {
        let activity = Activity::new(&Arc::new(Room::default().enter()));
        let unbounded = Limits {
            header: Duration::from_secs(3600),
            ..LIMITS
        };
        let asked = async { drop(activity.begin()) };
        let (overdue, ()) = tokio::join!(activity.overdue(unbounded, None), asked);
        assert_eq!(overdue, Overdue::Idle);
    }

    #[tokio::test]
    async fn who_was_known_once_makes_room_after_strangers_and_no_request_under_way_does() {
        let room = Room::default();
        let (known, stranger) = (Arc::new(room.enter()), Arc::new(room.enter()));
        let (of_known, of_stranger) = (Activity::new(&known), Activity::new(&stranger));
        let busy = of_known.begin();
        busy.is_known();
        drop(busy);
        // Also by what it asks later.
        drop(of_known.begin());
        drop(of_stranger.begin());
        assert!(room.make(0));
        stranger.cut().await;
        let _busy = (of_known.begin(), of_stranger.begin());
        drop(of_known.begin());
        assert!(!room.make(0));
    }

    #[tokio::test]
    async fn a_body_is_handed_on_in_pieces_and_keeps_its_length() {
        let activity = Activity::new(&Arc::new(Room::default().enter()));
        let mut answer = Answer::new(Body::from("abcdefg"), 3, activity.begin());
        assert_eq!(hyper::body::Body::size_hint(&answer).exact(), Some(7));
        let mut pieces = Vec::new();
        while let Some(frame) = answer.frame().await {
            pieces.push(frame.unwrap().into_data().unwrap());
            let left = 7 - pieces.iter().map(|piece| piece.len() as u64).sum::<u64>();
            assert_eq!(hyper::body::Body::size_hint(&answer).exact(), Some(left));
        }
        assert_eq!(pieces, ["abc", "def", "g"]);
        assert!(hyper::body::Body::is_end_stream(&answer));
    }
}
