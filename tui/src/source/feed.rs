//! Connects to clusters. A feed is the channel between a source's tasks and the dashboard.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use kubevitals_proto::backoff::{Random, random};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::direct::Direct;
use super::kubeconfig::Settings;
use super::kubernetes::Kubernetes;
use super::message_sender::MessageSender;
use super::selection_limits::SelectionLimits;
use super::source_choice::Source;
use super::subset::Subset;
use super::{ApiClient, Error, MetricsApi, Terminal};
use crate::cli::Connection;
use crate::clock::Clock;
use crate::model::{DirectRequest, Message, Name, Session, SourceKind, SourceRequest};

/// The capacity of the channels. A source that is faster than the dashboard waits.
const WAITING: usize = 64;

/// How long a server may be silent before a request counts as failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// The messages of a source, and the channel for requests to it. The source ends when the feed is dropped.
#[derive(Debug)]
pub struct Feed {
    messages: mpsc::Receiver<Message>,
    requests: mpsc::Sender<SourceRequest>,
    direct: mpsc::Sender<DirectRequest>,
    clock: Clock,
    /// Aborted when the feed is dropped.
    _tasks: JoinSet<()>,
}

impl Feed {
    /// A feed of no cluster, without messages.
    fn idle(clock: Clock) -> Self {
        Self {
            messages: mpsc::channel(1).1,
            requests: mpsc::channel(1).0,
            direct: mpsc::channel(1).0,
            clock,
            _tasks: JoinSet::new(),
        }
    }

    /// The cluster's clock.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The next message. Waits for ever after the source has ended.
    pub async fn next(&mut self) -> Message {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// As [`Feed::next`], polled.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Message> {
        match self.messages.poll_recv(cx) {
            Poll::Ready(Some(message)) => Poll::Ready(message),
            _ => Poll::Pending,
        }
    }

    /// The next message, if there is one already.
    pub fn try_next(&mut self) -> Option<Message> {
        self.messages.try_recv().ok()
    }

    /// Sends a request to the source. A busy source drops it; the dashboard repeats requests.
    pub fn request(&self, request: SourceRequest) {
        let _ = self.requests.try_send(request);
    }

    /// Sends a request for single objects. Returns whether it was accepted.
    #[must_use]
    pub fn request_directly(&self, request: DirectRequest) -> bool {
        self.direct.try_send(request).is_ok()
    }
}

/// Connects the dashboard to clusters.
#[derive(Clone)]
pub struct Connector {
    connection: Connection,
    required: Option<SourceKind>,
    clock: Clock,
    limits: SelectionLimits,
    subset: Arc<Subset>,
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
    /// A connector for the clusters of these flags and the kubeconfig, with a required kind of source or the best one.
    #[must_use]
    pub fn new(connection: Connection, required: Option<SourceKind>, clock: Clock) -> Self {
        Self {
            connection,
            required,
            clock,
            limits: SelectionLimits::default(),
            subset: Arc::default(),
            patience: PATIENCE,
            random,
            terminal: Terminal::default(),
        }
    }

    /// Replaces the limits above which the server selects pods.
    #[must_use]
    pub const fn with(mut self, limits: SelectionLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Reads only this subset of the cluster.
    #[must_use]
    pub fn only(mut self, subset: Subset) -> Self {
        self.subset = Arc::new(subset);
        self
    }

    /// Replaces the time that a server may be silent.
    #[must_use]
    pub const fn within(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The names of all contexts of the kubeconfig.
    ///
    /// # Errors
    /// The kubeconfig is invalid.
    pub fn contexts(&self) -> Result<Vec<Name>, Error> {
        let settings = Settings::read(&self.connection)?;
        Ok(settings.contexts().map(Name::from).collect())
    }

    /// The terminal that credential plugins use.
    #[must_use]
    pub const fn terminal(&self) -> &Terminal {
        &self.terminal
    }

    /// The flags of the command line with which kubectl reaches the same cluster as the same user. Secrets are left out:
    /// other programs could read them in the list of processes.
    #[must_use]
    pub fn kubectl_flags(&self) -> Vec<String> {
        self.connection.kubectl_flags()
    }

    /// Connects to the cluster of a context, or of the current one. If the kubeconfig has contexts and neither it nor a
    /// flag chooses one, the session has no context and its feed is idle.
    ///
    /// # Errors
    /// The kubeconfig is invalid, or a credential plugin failed. An unreachable cluster is no error here: the feed
    /// reports it.
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
            // A credential plugin can prompt for a password only before the dashboard draws.
            target.authenticate().await?;
            self.terminal.reserve();
        }
        let clock = self.clock.for_another_server();
        let client = ApiClient::with_clock(target, clock.clone())?;
        let session = Session {
            context: settings.context_name().to_owned(),
            cluster: match settings.cluster_name() {
                name if name.is_empty() => client.host().to_owned(),
                name => name,
            },
            contexts,
            namespace: connection.namespace().map(Name::from),
        };
        let namespace = Name::from(settings.namespace()?);
        let only = session.namespace.is_some();
        Ok((session, self.follow_by(clock, client, namespace, only)))
    }

    /// Runs a source on a client. If a cluster-wide list is denied, the source lists `namespace`; with `only` it lists
    /// nothing else.
    #[must_use]
    pub fn follow(&self, client: ApiClient, namespace: Name, only: bool) -> Feed {
        self.follow_by(self.clock.clone(), client, namespace, only)
    }

    fn follow_by(&self, clock: Clock, client: ApiClient, namespace: Name, only: bool) -> Feed {
        let client = client.impatient(self.patience);
        let (messages, received) = mpsc::channel(WAITING);
        let (requests, queue) = mpsc::channel(WAITING);
        let (direct, direct_queue) = mpsc::channel(WAITING);
        let source = Source {
            kubernetes: Kubernetes {
                sender: MessageSender::new(messages, clock.clone(), self.random),
                metrics: MetricsApi::new(client.clone(), true),
                client,
                namespace,
                only,
                subset: Arc::clone(&self.subset),
                volumes_on_screen: Arc::new(watch::Sender::new(!self.subset.is_everything())),
            },
            required: self.required,
            limits: self.limits,
        };
        let objects = Direct::new(&source.kubernetes.client, &source.kubernetes.sender);
        let mut tasks = JoinSet::new();
        tasks.spawn(objects.run(direct_queue));
        tasks.spawn(async move { source.run(queue).await });
        Feed {
            messages: received,
            requests,
            direct,
            clock,
            _tasks: tasks,
        }
    }
}
