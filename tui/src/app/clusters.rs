//! Several clusters: connects to them, reads their rows, and exchanges the one on the screen.

use std::io;

use tokio::time::Instant;

use super::others::Member;
use super::{App, BURST};
use crate::model::{self, Action, Effect, Entrance, Link, Members, Message, Name, State};
use crate::source::Feed;

/// The seconds between two attempts to connect to a cluster that cannot be connected to, because its context or its
/// credential is missing.
const RETRY_SECONDS: u32 = 30;

impl App {
    /// Connects to more clusters. One that cannot be connected to has a row that tells why.
    pub(super) async fn connect_others(&mut self, contexts: &[Name]) {
        for context in contexts {
            let member = self.member(context).await;
            self.others.members.push(member);
        }
        if !contexts.is_empty() {
            self.read_clusters();
        }
    }

    async fn member(&self, context: &Name) -> Member {
        match self.connector.connect(Some(context)).await {
            Ok((session, feed)) => {
                let mut state = State::new(session, self.state.settings.clone());
                state.now = feed.clock().now();
                state.started = state.now;
                Member {
                    context: context.clone(),
                    state,
                    feed: Some(feed),
                    clock_is_compared: false,
                }
            }
            Err(error) => Member::failed(context, error.to_string(), &self.state),
        }
    }

    /// Adds a cluster that the user has chosen, unless it is one of them.
    pub(super) async fn join(&mut self, context: Name) -> Entrance {
        let members = &self.others.members;
        let is_here = *context == *self.state.session.context;
        if !is_here && !members.iter().any(|member| member.context == context) {
            let member = self.member(&context).await;
            self.others.members.push(member);
        }
        Entrance {
            context,
            incident: None,
        }
    }

    /// Reads the rows of all clusters into the state on the screen.
    pub(super) fn read_clusters(&mut self) {
        let mut all = Members::default();
        let context = Name::from(self.state.session.context.as_str());
        let now = self.state.now;
        all.add(&context, &mut self.state, now);
        for member in &mut self.others.members {
            all.add(&member.context, &mut member.state, now);
        }
        // Rows cause no requests.
        let _ = model::apply(&mut self.state, Message::Clusters(all));
    }

    /// Applies a message of another cluster, and those that have arrived since.
    pub(super) fn receive_of(&mut self, at: usize, message: Message) -> io::Result<()> {
        let until = Instant::now() + BURST;
        if let Some(member) = self.others.members.get_mut(at) {
            let mut notification = member.apply(message);
            while Instant::now() < until {
                let next = member.feed.as_mut().and_then(Feed::try_next);
                let Some(message) = next else { break };
                notification = member.apply(message).or(notification);
            }
            let context = member.context.clone();
            if let Some(text) = notification {
                self.notify(&context, &text)?;
            }
        }
        Ok(())
    }

    /// Runs every second.
    pub(super) async fn tick_others(&mut self) {
        if self.others.is_empty() {
            return;
        }
        for member in &mut self.others.members {
            let feed = member.feed.as_ref();
            let now = feed.map_or(self.state.now, |feed| feed.clock().now());
            // An incident begins with a message of the source, so there is no notification.
            member.apply(Message::Tick(now));
        }
        self.others.waited += 1;
        if self.others.waited >= RETRY_SECONDS {
            self.others.waited = 0;
            self.retry().await;
        }
        if self.state.screen().view.is_of_several_clusters() {
            self.read_clusters();
        }
    }

    /// Connects again to the clusters that failed. The time since when they do not answer stays.
    async fn retry(&mut self) {
        for at in 0..self.others.members.len() {
            let failed = self.others.members.get(at);
            let Some(failed) = failed.filter(|member| member.feed.is_none()) else {
                continue;
            };
            let member = self.member(&failed.context).await;
            if member.feed.is_some()
                && let Some(failed) = self.others.members.get_mut(at)
            {
                *failed = member;
            }
        }
    }

    /// Shows another cluster, or the one on the screen. Returns the work that follows.
    pub(super) async fn enter_cluster(&mut self, entrance: Entrance) -> Vec<Effect> {
        let Entrance { context, incident } = entrance;
        if *context != *self.state.session.context {
            let members = &self.others.members;
            let Some(at) = members.iter().position(|member| member.context == context) else {
                return Vec::new();
            };
            if let Err(why) = self.exchange(at).await {
                self.state.say(why, true);
                return Vec::new();
            }
            self.read_clusters();
        }
        model::act(&mut self.state, Action::EnterCluster(incident))
    }

    /// Exchanges the cluster on the screen with another one.
    ///
    /// # Errors
    /// The other one cannot be connected to.
    async fn exchange(&mut self, at: usize) -> Result<(), String> {
        let Some(member) = self.others.members.get_mut(at) else {
            return Ok(());
        };
        if member.feed.is_none() {
            let context = member.context.clone();
            let again = self.member(&context).await;
            if again.feed.is_none() {
                return Err(match again.state.link {
                    Link::Lost { why, .. } => why,
                    _ => format!("cannot connect to {context}"),
                });
            }
            if let Some(member) = self.others.members.get_mut(at) {
                *member = again;
            }
        }
        let Some(member) = self.others.members.get_mut(at) else {
            return Ok(());
        };
        let Some(feed) = member.feed.take() else {
            return Ok(());
        };
        let here = Name::from(self.state.session.context.as_str());
        // The views of all clusters are opened again by a key.
        let left = Action::EnterCluster(None);
        for effect in model::act(&mut self.state, left) {
            if let Effect::Request(request) = effect {
                self.feed.request(request);
            }
        }
        let (settings, size, span) = (
            self.state.settings.clone(),
            self.state.size,
            self.state.span,
        );
        std::mem::swap(&mut self.state, &mut member.state);
        std::mem::swap(&mut self.clock_is_compared, &mut member.clock_is_compared);
        member.feed = Some(std::mem::replace(&mut self.feed, feed));
        member.context = here;
        self.state.settings = settings;
        self.state.kubectl_flags = self.connector.kubectl_flags();
        self.state.size = size;
        self.state.span = span;
        self.state.now = self.feed.clock().now();
        Ok(())
    }
}
