//! A source of what the dashboard shows: tasks that ask a cluster and tell the dashboard, for as long as it listens.

use std::future::pending;
use std::time::Duration;

use kubevitals_proto::backoff::{Random, random};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::kubeconfig::Settings;
use super::message_sender::MessageSender;
use super::selection_limits::SelectionLimits;
use super::{ApiClient, Error, Terminal, source_choice};
use crate::cli::{Connection, non_empty};
use crate::clock::Clock;
use crate::model::{Message, Name, Session, SourceKind, SourceRequest};

/// How many messages may wait: a source that is faster than the dashboard waits too.
const WAITING: usize = 64;

/// For how long a server may be silent.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a source tells, and the way to ask it. Dropped, the source ends.
#[derive(Debug)]
pub struct Feed {
    messages: mpsc::Receiver<Message>,
    requests: mpsc::Sender<SourceRequest>,
    clock: Clock,
    /// They end with the feed.
    _tasks: JoinSet<()>,
}

impl Feed {
    /// Of no cluster: it has no messages.
    fn idle(clock: Clock) -> Self {
        Self {
            messages: mpsc::channel(1).1,
            requests: mpsc::channel(1).0,
            clock,
            _tasks: JoinSet::new(),
        }
    }

    /// The time of the cluster that is asked.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The next message; waits for ever when the source has ended.
    pub async fn next(&mut self) -> Message {
        match self.messages.recv().await {
            Some(message) => message,
            None => pending().await,
        }
    }

    /// The next message, if there is one already.
    pub fn try_next(&mut self) -> Option<Message> {
        self.messages.try_recv().ok()
    }

    /// Asks for something. What a source that is busy cannot take in is asked for again when it is time to.
    pub fn ask(&self, request: SourceRequest) {
        let _ = self.requests.try_send(request);
    }
}

/// Connects the dashboard to clusters.
#[derive(Clone)]
pub struct Connector {
    connection: Connection,
    required: Option<SourceKind>,
    clock: Clock,
    limits: SelectionLimits,
    patience: Duration,
    random: Random,
    terminal: Terminal,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector")
            .field("required", &self.required)
            .finish_non_exhaustive()
    }
}

impl Connector {
    /// For clusters that these flags and the kubeconfig lead to, with a kind of source, or whichever is best.
    #[must_use]
    pub fn new(connection: Connection, required: Option<SourceKind>, clock: Clock) -> Self {
        Self {
            connection,
            required,
            clock,
            limits: SelectionLimits::default(),
            patience: PATIENCE,
            random,
            terminal: Terminal::default(),
        }
    }

    /// With other limits of the pods that are sent.
    #[must_use]
    pub const fn with(mut self, limits: SelectionLimits) -> Self {
        self.limits = limits;
        self
    }

    /// With another bound on how long a server may be silent before a request counts as not answered.
    #[must_use]
    pub const fn within(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The terminal that credential plugins ask for.
    #[must_use]
    pub const fn terminal(&self) -> &Terminal {
        &self.terminal
    }

    /// Begins to ask the cluster of a context, or of the current one. Where the kubeconfig has contexts and neither it
    /// nor a flag chooses one, the session has no context, and its feed is idle.
    ///
    /// # Errors
    /// What is wrong with the kubeconfig, or why a credential plugin failed. That the cluster does not answer is told by the feed.
    pub async fn connect(&self, context: Option<&Name>) -> Result<(Session, Feed), Error> {
        let mut connection = self.connection.clone();
        if let Some(context) = context {
            connection.context = Some(context.to_string());
        }
        let settings = Settings::read(&connection)?;
        let contexts: Vec<Name> = settings.contexts().map(Name::from).collect();
        if settings.chooses_nothing() && !contexts.is_empty() {
            let session = Session {
                context: String::new(),
                cluster: String::new(),
                contexts,
                namespace: None,
            };
            return Ok((session, Feed::idle(self.clock.clone())));
        }
        let target = settings.target(&self.terminal)?;
        if !self.terminal.is_drawn() {
            // A credential plugin may ask for a password as long as nothing is drawn.
            target.authenticate().await?;
            self.terminal.reserve();
        }
        let clock = self.clock.of_another_server();
        let client = ApiClient::with_clock(target, clock.clone())?;
        let session = Session {
            context: settings.context_name().to_owned(),
            cluster: settings
                .cluster_name()
                .unwrap_or_else(|| client.host().to_owned()),
            contexts,
            namespace: non_empty(connection.namespace.as_ref()).map(Name::from),
        };
        let namespace = Name::from(settings.namespace()?);
        let only = session.namespace.is_some();
        Ok((session, self.follow_by(clock, client, namespace, only)))
    }

    /// Begins to ask the cluster that a client leads to. Cluster-wide lists that are refused fall back to `namespace`;
    /// with `only` nothing else is asked for.
    #[must_use]
    pub fn follow(&self, client: ApiClient, namespace: Name, only: bool) -> Feed {
        self.follow_by(self.clock.clone(), client, namespace, only)
    }

    fn follow_by(&self, clock: Clock, client: ApiClient, namespace: Name, only: bool) -> Feed {
        let client = client.impatient(self.patience);
        let (messages, received) = mpsc::channel(WAITING);
        let (requests, queue) = mpsc::channel(WAITING);
        let sender = MessageSender::new(messages, clock.clone(), self.random);
        let mut tasks = JoinSet::new();
        let (required, limits) = (self.required, self.limits);
        tasks.spawn(async move {
            source_choice::run(sender, client, queue, required, namespace, only, limits).await;
        });
        Feed {
            messages: received,
            requests,
            clock,
            _tasks: tasks,
        }
    }
}
