//! Reads a cluster like the dashboard, without a screen: applies the messages of a source until the data of a view is
//! complete.

use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::query::{At, Namespaces, Query};
use super::terminal::Progress;
use crate::batch::Error;
use crate::cli::Connection;
use crate::clock::Clock;
use crate::model::{
    self, Action, Effect, Fault, FaultKind, Interest, Key, Link, Message, Name, Part, PartState,
    Scope, Screen, Session, Settings, SourceKind, SourceRequest, State, Time, View, World,
};
use crate::source::kubeconfig::Settings as Kubeconfig;
use crate::source::{
    self, ApiClient, Connector, Failure, Feed, MetricsApi, SelectionLimits, Subset, Terminal,
};

/// How long a failure may last that can end by itself: the source tries again, or another one takes over.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long messages are collected after the first one before the table is printed again.
const BURST: Duration = Duration::from_millis(20);

/// A cluster of which the rows of one view are read.
pub(super) struct Reader {
    pub(super) state: State,
    /// The only namespace whose objects are read; `None` for several.
    pub(super) namespace: Option<Name>,
    feed: Feed,
    view: View,
    required: Option<SourceKind>,
    at: Option<At>,
    /// Whether the rows are listed once, at a time or with statistics.
    is_listed: bool,
    /// Whether the availability of workloads is read.
    has_availability: bool,
    /// When the first failure was seen that can end by itself.
    failing_since: Option<Instant>,
    /// Why the requested time cannot be read.
    no_past: Option<String>,
}

impl Reader {
    /// Connects to the cluster of the flags and the kubeconfig.
    ///
    /// # Errors
    /// The kubeconfig is invalid, or the cluster does not answer.
    pub(super) async fn connect(connection: &Connection, query: &Query) -> Result<Self, Error> {
        let kubeconfig = Kubeconfig::read(connection)?;
        let own = kubeconfig.namespace()?;
        let clock = Clock::system();
        let target = kubeconfig.target(&Terminal::default())?;
        let client = ApiClient::with_clock(target, clock.clone())?;
        // The first request: its failure has the words of kubectl. Without permission for discovery, the source tries
        // what there may be.
        match MetricsApi::new(client.clone(), false).version().await {
            Ok(_) | Err(source::Error::Server(Failure { code: 403, .. })) => {}
            Err(error) => return Err(error.into()),
        }
        let subset = Subset::of(query.view, &query.labels, &query.fields)
            .with_availability(query.availability);
        let subset = match (query.span, query.at) {
            (Some((stat, span)), at) => subset.of_span(stat, span, at.is_none()),
            (None, Some(_)) => subset.of_past(),
            (None, None) => subset,
        };
        let connector = Connector::new(connection.clone(), query.source, clock)
            .with(SelectionLimits::NONE)
            .only(subset);
        // Objects without a namespace, and sums over namespaces, follow from all namespaces.
        let is_wide = matches!(query.view, View::Nodes | View::Namespaces);
        let (namespace, only, shown) = match &query.namespaces {
            _ if is_wide => (Name::from(own), false, Vec::new()),
            Namespaces::All => (Name::from(own), false, Vec::new()),
            Namespaces::Own => (Name::from(own), true, Vec::new()),
            Namespaces::These(names) => match names.as_slice() {
                [one] => (Name::clone(one), true, Vec::new()),
                several => (Name::from(own), false, several.to_vec()),
            },
        };
        let mut state = State::new(Session::default(), Settings::default());
        model::act(&mut state, Action::Show(query.view));
        state.namespaces = shown;
        let feed = connector.follow(client, Name::clone(&namespace), only);
        state.now = feed.clock().now();
        Ok(Self {
            state,
            namespace: only.then_some(namespace),
            feed,
            view: query.view,
            required: query.source,
            at: query.at,
            is_listed: query.at.is_some() || query.span.is_some(),
            has_availability: query.availability.is_some(),
            failing_since: None,
            no_past: None,
        })
    }

    /// Reads until the data is complete, or a part of it is missing.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub(super) async fn read(&mut self, progress: &mut Progress) -> Result<(), Error> {
        while !self.is_complete()? {
            let due = progress.due().min(self.give_up_at());
            if let Ok(message) = timeout_at(due, self.feed.next()).await {
                self.apply(message);
            }
            progress.show(&self.loading());
        }
        if !self.is_listed {
            return Ok(());
        }
        self.request_list()?;
        while matches!(self.state.time, Time::Past { here: false, .. }) {
            if let Ok(message) = timeout_at(progress.due(), self.feed.next()).await {
                self.apply(message);
            }
            progress.show("loading the history");
            if let Some(why) = self.no_past.take() {
                return Err(Error::Failed(format!("cannot read the history: {why}")));
            }
        }
        Ok(())
    }

    /// Opens the page of a pod, and reads its details, or why there are none.
    pub(super) async fn open_page(&mut self, pod: &Key, progress: &mut Progress) {
        let page = Screen::new(View::Pod, Scope::Pod(pod.clone()));
        self.state.stack.push(page);
        self.feed.request(SourceRequest::Detail(pod.clone(), None));
        let since = Instant::now();
        loop {
            let screen = self.state.screen();
            let is_read = screen.detail.is_some() || screen.no_detail.is_some();
            if is_read || since.elapsed() > PATIENCE {
                return;
            }
            if let Ok(message) = timeout_at(progress.due(), self.feed.next()).await {
                self.apply(message);
            }
            progress.show("loading the pod");
        }
    }

    /// Reads until the data has changed, and for some time more.
    pub(super) async fn read_changes(&mut self, until: Instant) {
        let message = self.feed.next().await;
        self.apply(message);
        let until = until.max(Instant::now() + BURST);
        while let Ok(message) = timeout_at(until, self.feed.next()).await {
            self.apply(message);
        }
        sleep_until(until).await;
    }

    fn apply(&mut self, message: Message) {
        self.state.now = self.feed.clock().now();
        if let Message::NoPast(_, why) = &message {
            self.no_past = Some(why.clone());
        }
        for effect in model::apply(&mut self.state, message) {
            if let Effect::Request(request) = effect {
                self.feed.request(request);
            }
        }
    }

    /// The kind of the source, once it has been chosen.
    pub(super) fn kind(&self) -> Option<SourceKind> {
        self.state.source.as_ref().map(|(kind, _)| *kind)
    }

    /// The parts of the source that are read.
    fn parts(&self, kind: SourceKind) -> impl Iterator<Item = Part> + '_ {
        let is_listed = self.is_listed;
        let availability = self.has_availability.then_some(Part::Availability);
        let needs = self.view.needs().of(kind).iter().copied();
        needs.chain(availability).filter(move |part| match part {
            Part::Incidents => true,
            // A user who chose no metrics does not miss them.
            Part::Usage | Part::NodeUsage if self.required == Some(SourceKind::None) => false,
            _ => !is_listed,
        })
    }

    /// Whether every part has been read or is missing for good.
    fn is_complete(&mut self) -> Result<bool, Error> {
        if let Some(why) = self.lost() {
            return Err(Error::Failed(format!("cannot reach the cluster: {why}")));
        }
        let Some(kind) = self.kind() else {
            return Ok(false);
        };
        self.check_source(kind)?;
        let mut is_complete = true;
        let mut is_failing = false;
        let rows = self.view.info().part;
        for part in self.parts(kind) {
            match self.state.part(part) {
                PartState::Live | PartState::Stale { .. } => {}
                PartState::Loading { .. } => is_complete = false,
                PartState::Missing { why, .. } => {
                    let is_final = self.is_final(kind, part, why);
                    // Who judges a whole cluster does so without a part too.
                    let is_required = part == rows || part == Part::Availability;
                    if is_final && is_required && self.view != View::Overview {
                        return Err(cannot_read(part, why));
                    }
                    is_failing |= !is_final;
                    is_complete &= is_final;
                }
            }
        }
        if !is_failing {
            self.failing_since = None;
        } else if self.failing_since.is_none() {
            self.failing_since = Some(Instant::now());
        }
        Ok(is_complete)
    }

    /// Fails if the source does not have the rows.
    fn check_source(&self, kind: SourceKind) -> Result<(), Error> {
        let why = self.state.source.as_ref().map_or("", |(_, why)| why);
        let problem = if kind == SourceKind::Vitals {
            return Ok(());
        } else if self.view == View::Incidents {
            "only vitals-server has incidents"
        } else if self.is_listed {
            "only vitals-server has a history"
        } else if self.has_availability {
            "only vitals-server has the availability of workloads"
        } else {
            return Ok(());
        };
        Err(Error::Failed(format!(
            "{problem}; the source is {kind}: {why}"
        )))
    }

    /// Whether a failure lasts: the source was denied, or it has failed for long enough.
    fn is_final(&self, kind: SourceKind, part: Part, why: &Fault) -> bool {
        // Without permission for kubevitals.io, the source reads the pods of the API server.
        let has_other = kind == SourceKind::Vitals && part == Part::Pods && self.required.is_none();
        let lasts = why.kind.is_refusal() || why.kind == FaultKind::Invalid;
        let is_over = self.give_up_at() <= Instant::now();
        is_over || (lasts && !has_other)
    }

    /// When a failure that can end by itself counts as final.
    fn give_up_at(&self) -> Instant {
        let since = self.failing_since.unwrap_or_else(Instant::now);
        since + PATIENCE
    }

    /// Requests the rows of a time, or those of now with statistics.
    fn request_list(&mut self) -> Result<(), Error> {
        let now = self.state.now;
        let at = match self.at {
            Some(At::Time(at)) => at,
            Some(At::Before(nanos)) => now.plus_nanos(-nanos),
            None => now,
        };
        if at > now {
            return Err(Error::Flag(format!(
                "--at {}: this time is in the future",
                at.to_rfc3339_seconds()
            )));
        }
        self.state.time = Time::Past { at, here: false };
        self.state.frozen = Some(World::default());
        let interest = Box::new(Interest::default());
        self.feed.request(SourceRequest::Past(at, interest));
        Ok(())
    }

    /// The parts that could never be read, each with the cause.
    pub(super) fn missing(&self) -> Vec<String> {
        let Some(kind) = self.kind() else {
            return Vec::new();
        };
        let missing = |part| match self.state.part(part) {
            PartState::Missing { why, .. } => Some(format!("{part}: {}", why.text)),
            _ => None,
        };
        self.parts(kind).filter_map(missing).collect()
    }

    /// What is being read, for the line of progress.
    fn loading(&self) -> String {
        let Some(kind) = self.kind() else {
            return "connecting".to_owned();
        };
        let loading = self
            .parts(kind)
            .find_map(|part| match self.state.part(part) {
                PartState::Loading { progress } => Some((part, *progress)),
                _ => None,
            });
        match loading {
            Some((part, Some(progress))) => match progress.total {
                Some(total) => format!("loading {part}: {} of {total}", progress.done),
                None => format!("loading {part}: {}", progress.done),
            },
            Some((part, None)) => format!("loading {part}"),
            None => "waiting for the cluster".to_owned(),
        }
    }

    /// Why the cluster does not answer, if it does not.
    pub(super) fn lost(&self) -> Option<&str> {
        match &self.state.link {
            Link::Lost { why, .. } => Some(why),
            Link::Connecting | Link::Up => None,
        }
    }

    /// The time of the rows.
    pub(super) fn time(&self) -> Timestamp {
        self.state.shown_time()
    }
}

fn cannot_read(part: Part, why: &Fault) -> Error {
    Error::Failed(format!("cannot read {part}: {}", why.text))
}
