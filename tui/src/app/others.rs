//! The clusters that are not on the screen, if there are several.

use std::future::poll_fn;
use std::task::Poll;

use crate::model::{self, Effect, Link, Message, Name, Session, State};
use crate::source::Feed;

/// The clusters that are not on the screen. Each has a state of its own, so a user who returns finds its views as they
/// were.
#[derive(Debug, Default)]
pub(super) struct Others {
    pub(super) members: Vec<Member>,
    /// The member that is asked first for a message, so that a busy cluster does not silence the others.
    first: usize,
    /// The seconds since the last attempt to connect to clusters that failed.
    pub(super) waited: u32,
}

/// A cluster.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) context: Name,
    pub(super) state: State,
    /// `None` if it cannot be connected to.
    pub(super) feed: Option<Feed>,
    pub(super) clock_is_compared: bool,
}

impl Others {
    /// Whether there is only the cluster on the screen.
    pub(super) const fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The next message, and the index of its cluster.
    pub(super) async fn next(&mut self) -> (usize, Message) {
        let count = self.members.len();
        let first = self.first;
        self.first = (first + 1) % count.max(1);
        let members = &mut self.members;
        poll_fn(|cx| {
            for at in (first..count).chain(0..first) {
                let feed = members.get_mut(at).and_then(|member| member.feed.as_mut());
                if let Some(feed) = feed
                    && let Poll::Ready(message) = feed.poll_next(cx)
                {
                    return Poll::Ready((at, message));
                }
            }
            Poll::Pending
        })
        .await
    }
}

impl Member {
    /// A cluster that cannot be connected to.
    pub(super) fn failed(context: &Name, why: String, like: &State) -> Self {
        let session = Session {
            context: context.to_string(),
            ..Session::default()
        };
        let mut state = State::new(session, like.settings.clone());
        state.now = like.now;
        state.started = like.now;
        let link = Link::Lost {
            since: state.now,
            why,
            again: None,
        };
        // Nothing can be requested.
        let _ = model::apply(&mut state, Message::Link(link));
        Self {
            context: context.clone(),
            state,
            feed: None,
            clock_is_compared: false,
        }
    }

    /// Applies a message. Returns the text of which the user is notified, if any.
    pub(super) fn apply(&mut self, message: Message) -> Option<String> {
        let mut notification = None;
        for effect in model::apply(&mut self.state, message) {
            match (effect, &self.feed) {
                (Effect::Request(request), Some(feed)) => feed.request(request),
                (Effect::Notify(text), _) => notification = Some(text),
                _ => {}
            }
        }
        notification
    }
}
