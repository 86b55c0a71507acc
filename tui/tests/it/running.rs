//! A cluster, its server and a dashboard without a terminal, whose time is moved by hand: what is shown is the same at
//! each run.
//!
//! What could come in either order is made to come in one. Time is moved to just before each scrape, what there is by
//! then is taken in by the server's watches, pods before events; then to the scrape, and that is waited for.

use std::cmp::max;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kubevitals::cli::Connection;
use kubevitals::input::{Key, KeyMap};
use kubevitals::model::{
    Action, Edit, Effect, Message, Part, PartState, Settings, SourceKind, SourceRequest, State,
    Subject, Time, View, VolumeChange, act, apply, refresh,
};
use kubevitals::source::{Connector, Feed};
use kubevitals::view::theme::{Depth, Ground, Theme};
use kubevitals_proto::time::Timestamp;
use kubevitals_server::Server;
use kubevitals_server::clock::Clock;
use kubevitals_server::cluster::EVENT_SELECTOR;
use kubevitals_server::scrape::{Page, Phase};
use kubevitals_sim::objects::{MetaLite, Resource, Subscription};
use kubevitals_sim::{Cluster, Config, Fault, Replay, SimClock, fixtures};
use tempfile::TempDir;

use crate::ask::{At, Said, vitals};
use crate::picture::{draw, text};

/// How long a step is: a scrape of each node.
const RESOLUTION: Duration = Duration::from_secs(15);

/// Longer than anything takes that must happen; it bounds a hang, not a speed.
const PATIENCE: Duration = Duration::from_secs(60);

const MILLISECOND: Duration = Duration::from_millis(1);

/// The node of the recording, and how many looks at it there are.
const LAB: (&str, usize) = ("lab", 24);

/// A request that the server makes of a node again and again.
struct Turn {
    /// `/metrics/resource` if none.
    page: Option<Page>,
    phase: Phase,
    due: Timestamp,
}

/// What a watch of the server is told, and the version that it must have taken in.
struct Watched {
    resource: Resource,
    changes: Subscription,
    version: u64,
}

/// A running cluster, its server, and a dashboard that looks at it.
pub(crate) struct Running {
    pub(crate) cluster: Cluster,
    pub(crate) state: State,
    server: Server,
    turns: Vec<Turn>,
    watched: Vec<Watched>,
    /// How often each page was asked for, `/metrics/resource` first.
    asked: [u64; 3],
    feed: Option<Feed>,
    folder: TempDir,
}

impl Running {
    /// Starts a cluster, whose clock stands still, and its server, which sees nodes when it knows all else.
    async fn start(config: Config) -> Self {
        let cluster = Cluster::start(config).await.unwrap();
        let store = cluster.store();
        let mut nodes = Vec::new();
        for name in cluster.node_names() {
            let node = store.get(Resource::Nodes, None, &name).unwrap();
            nodes.push(node.to_value(Resource::Nodes));
            store.delete(Resource::Nodes, None, &name);
        }
        let watched = [
            Resource::Nodes,
            Resource::Pods,
            Resource::Events,
            Resource::Jobs,
        ]
        .map(|resource| Watched {
            resource,
            changes: store.snapshot_and_watch(resource).1,
            version: 0,
        });
        let settings = kubevitals_server::config::Settings::embedded(
            cluster.server_kubeconfig(),
            clock_of(cluster.clock()),
        )
        .await
        .unwrap();
        let (intervals, now) = (settings.scrape.pages, cluster.clock().now());
        let server = Server::start(settings).await.unwrap();
        cluster.set_aggregated(server.local_addr());
        let mut running = Self {
            cluster,
            state: State::default(),
            server,
            turns: Vec::new(),
            watched: watched.into(),
            asked: [0; 3],
            feed: None,
            folder: TempDir::new().unwrap(),
        };
        let watches = running.server.query().watches();
        patiently("all has been listed", || {
            watches.all().iter().all(|(_, health)| health.synced())
        })
        .await;
        for node in nodes {
            let name = node["metadata"]["name"].as_str().unwrap();
            for page in [None, Some(Page::Probes), Some(Page::Summary)] {
                let (after, interval) = match page {
                    None => (Duration::ZERO, RESOLUTION),
                    Some(page @ Page::Probes) => (RESOLUTION / 3, intervals.of(page).unwrap()),
                    Some(page @ Page::Summary) => (RESOLUTION * 2 / 3, intervals.of(page).unwrap()),
                };
                let path = page.map_or("", Page::path);
                let between = |interval| match page {
                    None => Phase::of(name, RESOLUTION),
                    Some(_) => Phase::between(name, RESOLUTION, path, interval, after),
                };
                // The first turn of a page is the first of its places between the node's turns.
                let wait = between(RESOLUTION).until_next(now, 0, 1);
                running.turns.push(Turn {
                    page,
                    phase: between(interval),
                    due: later(now, wait + late(page)),
                });
            }
            running.cluster.store().apply(Resource::Nodes, node);
            // The first scrape comes at once.
            running.asked[0] += 1;
        }
        running.taken_in().await;
        running.scraped().await;
        running
    }

    /// A simulated cluster.
    pub(crate) async fn simulated(config: Config) -> Self {
        Self::start(config).await
    }

    /// Lets so much time pass.
    pub(crate) async fn pass_for(&mut self, long: Duration) {
        let until = later(self.now(), long);
        self.pass(until).await;
    }

    /// Lets something go wrong with somebody who is well.
    pub(crate) async fn strike(&mut self, fault: Fault) {
        assert!(self.cluster.inject(fault), "{fault:?} strikes nobody");
        self.taken_in().await;
    }

    /// The recording, played at the times at which it was recorded, up to its last look.
    pub(crate) async fn recorded() -> Self {
        let replay = Replay::from_dir(fixtures().join("recording")).unwrap();
        let (node, looks) = LAB;
        let times: Vec<Timestamp> = (1..=looks)
            .map(|look| replay.recorded(node, look).unwrap())
            .collect();
        let mut running = Self::start(Config {
            replay: Some(replay),
            clock: Some(SimClock::manual(times[0])),
            ..Config::default()
        })
        .await;
        // The server's first scrape has taken the first look.
        assert!(running.cluster.replay_hold(node));
        for time in &times[1..] {
            running.pass(*time).await;
            for resource in [Resource::Pods, Resource::Events] {
                assert!(running.cluster.replay_objects(node, resource));
                running.taken_in().await;
            }
            running.cluster.replay_step(node).unwrap();
        }
        running
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.cluster.clock().now()
    }

    /// Lets time pass, scrape by scrape.
    async fn pass(&mut self, until: Timestamp) {
        loop {
            let due = self.turns.iter().map(|turn| turn.due).min().unwrap();
            let before = until.min(due.plus_nanos(-nanos(MILLISECOND)));
            self.advance(before).await;
            if due > until {
                return;
            }
            for turn in self.turns.iter_mut().filter(|turn| turn.due == due) {
                let page = match turn.page {
                    None => 0,
                    Some(Page::Probes) => 1,
                    Some(Page::Summary) => 2,
                };
                self.asked[page] += 1;
                let exactly = due.plus_nanos(-nanos(late(turn.page)));
                turn.due = later(due, turn.phase.until_next(exactly, 0, 1));
            }
            self.advance(due).await;
            self.scraped().await;
        }
    }

    /// Moves time on to `at`, and waits until all that has changed by then has been taken in.
    ///
    /// It goes second by second: pods and events come over two watches, and what they say of different seconds would
    /// otherwise be taken in in either order.
    async fn advance(&mut self, at: Timestamp) {
        loop {
            let left = u64::try_from(at.since(self.now())).unwrap_or_default();
            let by = Duration::from_nanos(left).min(Duration::from_secs(1));
            self.cluster.advance(by);
            self.server.query().health().tick(self.now());
            self.taken_in().await;
            if self.now() >= at {
                return;
            }
        }
    }

    /// Waits until the server's watches have taken in what has changed.
    async fn taken_in(&mut self) {
        for watched in &mut self.watched {
            let (events, _) = watched.changes.next(usize::MAX).unwrap();
            let relevant = events.iter().filter(|event| {
                watched.resource != Resource::Events || is_asked_for(event.object.meta())
            });
            watched.version = relevant.fold(watched.version, |version, event| {
                max(version, event.resource_version())
            });
            let watches = self.server.query().watches();
            let health = match watched.resource {
                Resource::Nodes => &watches.nodes,
                Resource::Pods => &watches.pods,
                Resource::Events => &watches.events,
                _ => &watches.jobs,
            };
            let what = format!("{:?} at {} are applied", watched.resource, watched.version);
            let version = || health.last_version().parse::<u64>().unwrap_or_default();
            patiently(&what, || version() >= watched.version).await;
        }
    }

    /// Waits until all that was asked for has been answered.
    async fn scraped(&self) {
        let what = format!("{:?} requests are answered", self.asked);
        patiently(&what, || {
            let scrapes = self.server.query().scrapes();
            let pages = [Page::Probes, Page::Summary].map(|page| {
                let counts = &scrapes.pages[page.name()];
                counts.succeeded + counts.failed.values().sum::<u64>()
            });
            let resource = scrapes.succeeded + scrapes.failed.values().sum::<u64>();
            [resource, pages[0], pages[1]] == self.asked
        })
        .await;
    }

    /// Opens the dashboard, and waits until it has been told all that there is.
    pub(crate) async fn open(&mut self) {
        self.connect(SourceKind::Vitals).await;
        self.until_complete().await;
    }

    /// The same with source `metrics`.
    pub(crate) async fn look_by_metrics(&mut self) {
        self.connect(SourceKind::Metrics).await;
        let (nodes, pods) = self.count();
        self.until("all parts, by metrics", |state, message| {
            let _asks = apply(state, message);
            let parts = [Part::Nodes, Part::Pods, Part::Usage, Part::Jobs, Part::Hpas];
            parts.iter().all(|part| state.has_answered(*part))
                && state.live.nodes.len() == nodes
                && state.live.pods.len() == pods
        })
        .await;
    }

    /// Nodes and pods that there are.
    fn count(&self) -> (usize, usize) {
        let store = self.cluster.store();
        let count = |resource| store.snapshot(resource).len();
        (count(Resource::Nodes), count(Resource::Pods))
    }

    /// Makes the server look: what it lists is what was there when it looked last.
    pub(crate) fn detect(&self) {
        self.server.query().detector().detect();
    }

    /// The kubeconfig of an administrator.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        let kubeconfig = self.folder.path().join("kubeconfig");
        self.cluster.write_kubeconfig(&kubeconfig).unwrap();
        kubeconfig
    }

    async fn connect(&mut self, kind: SourceKind) {
        self.detect();
        let kubeconfig = self.kubeconfig();
        let connection = Connection {
            kubeconfig: Some(kubeconfig.display().to_string()),
            ..Connection::default()
        };
        let clock = self.cluster.clock().clone();
        let clock = kubevitals::clock::Clock::new(move || clock.now(), 1.0);
        let connector = Connector::new(connection, Some(kind), clock);
        let (session, feed) = connector.connect(None).await.unwrap();
        self.state = State::new(session, Settings::default());
        self.feed = Some(feed);
        self.press(Action::Resize(120, 40));
        self.apply(Message::Tick(self.now()));
    }

    /// Waits until everything that views show has been told of.
    async fn until_complete(&mut self) {
        let store = self.cluster.store();
        let count = |resource| store.snapshot(resource).len();
        let (nodes, pods) = self.count();
        let replicas: usize = [
            Resource::Deployments,
            Resource::StatefulSets,
            Resource::DaemonSets,
        ]
        .into_iter()
        .map(count)
        .sum();
        // Sparklines begin with what the server remembers of nodes and pods, and go on with what is told of each: the
        // other way round they would be others.
        let mut trends = Vec::new();
        self.until("all parts", |state, message| {
            if let Message::Trends(_) = &message {
                trends.push(message);
            } else {
                let _asks = apply(state, message);
            }
            let parts = [
                Part::Nodes,
                Part::Pods,
                Part::Incidents,
                Part::Cluster,
                Part::Hpas,
                Part::Availability,
            ];
            let live = &state.live;
            parts
                .iter()
                .all(|part| *state.part(*part) == PartState::Live)
                && state.histories.contains_key(&Subject::Cluster)
                && live.nodes.len() == nodes
                && live.pods.len() == pods
                && live.replicas.len() == replicas
                && !state.all_namespaces.is_empty()
                && trends.len() == 2
        })
        .await;
        // Both are of other rows.
        for message in trends {
            self.apply(message);
        }
        self.apply(Message::Tick(self.now()));
        if self.state.awaits_baseline() {
            self.until("the earlier state", |state, message| {
                let _asks = apply(state, message);
                !state.awaits_baseline()
            })
            .await;
        }
        refresh(&mut self.state);
    }

    /// Takes in what is told until it is so.
    async fn until(&mut self, what: &str, mut is_so: impl FnMut(&mut State, Message) -> bool) {
        let began = Instant::now();
        loop {
            let message = tokio::time::timeout(
                PATIENCE.saturating_sub(began.elapsed()),
                self.feed.as_mut().unwrap().next(),
            );
            let Ok(message) = message.await else {
                let theme = Theme::new(Depth::None, Ground::Dark, false);
                let screen_text = text(&draw(&self.state, &theme, 120, 40));
                panic!("{what}: never; {:?}\n{screen_text}", self.state.parts);
            };
            let is_so = is_so(&mut self.state, message);
            refresh(&mut self.state);
            // What asks on a tick asks now, though the time stands still.
            self.apply(Message::Tick(self.now()));
            if is_so {
                return;
            }
        }
    }

    pub(crate) fn press(&mut self, action: Action) {
        let effects = act(&mut self.state, action);
        self.follow(effects);
        refresh(&mut self.state);
    }

    /// Presses a key, and waits for all that it asks for.
    pub(crate) async fn press_key(&mut self, key: &str) -> Vec<Effect> {
        let parsed: Key = key.parse().unwrap();
        let action = KeyMap::default().action(self.state.mode(), parsed);
        let effects = act(
            &mut self.state,
            action.unwrap_or_else(|| panic!("{key} does nothing")),
        );
        self.follow(effects.clone());
        refresh(&mut self.state);
        if effects
            .iter()
            .any(|effect| matches!(effect, Effect::Request(SourceRequest::Past(..))))
        {
            self.until_past().await;
        }
        if effects
            .iter()
            .any(|effect| matches!(effect, Effect::Request(SourceRequest::History { .. })))
        {
            self.until_answered().await;
        }
        if effects
            .iter()
            .any(|effect| matches!(effect, Effect::Request(SourceRequest::Facts(_))))
        {
            self.until_facts().await;
        }
        effects
    }

    fn apply(&mut self, message: Message) {
        let effects = apply(&mut self.state, message);
        self.follow(effects);
    }

    fn follow(&self, effects: Vec<Effect>) {
        for effect in effects {
            if let (Effect::Request(ask), Some(feed)) = (effect, &self.feed) {
                feed.request(ask);
            }
        }
    }

    /// Opens the page of a pod, as a person does, and waits until everything that it shows is read.
    pub(crate) async fn open_pod(&mut self, name: &str) {
        self.press(Action::Show(View::Pods));
        self.press(Action::ClearFilter);
        self.press(Action::Filter);
        self.press(Action::Edit(Edit::Insert(format!("name={name}"))));
        self.press(Action::Enter);
        self.press(Action::First);
        self.press(Action::Enter);
        self.until_answered().await;
    }

    /// Shows a view, and waits until everything that only this view reads is there.
    pub(crate) async fn show(&mut self, view: View) {
        self.press(Action::Show(view));
        if view != View::Volumes {
            return;
        }
        let (mut has_usage, mut has_reasons) = (false, false);
        self.until("all about volumes", |state, message| {
            match &message {
                Message::Volumes(VolumeChange::Usage(_)) => has_usage = true,
                Message::Volumes(VolumeChange::Reasons(_)) => has_reasons = true,
                _ => {}
            }
            let _asks = apply(state, message);
            let parts = [Part::Claims, Part::Volumes, Part::Events];
            has_usage && has_reasons && parts.iter().all(|part| state.has_answered(*part))
        })
        .await;
    }

    /// Opens the page of a node, a workload or a namespace, as a person does, and waits until its objects are read.
    pub(crate) async fn open_page(&mut self, view: View, name: &str) {
        self.press(Action::Show(view));
        self.press(Action::ClearFilter);
        self.press(Action::Filter);
        self.press(Action::Edit(Edit::Insert(format!("name={name}"))));
        self.press(Action::Enter);
        self.press(Action::First);
        self.press(Action::Enter);
        self.until_facts().await;
    }

    /// Waits until the objects of the open page are read.
    async fn until_facts(&mut self) {
        self.until("the objects of the page", |state, message| {
            let _asks = apply(state, message);
            state.screen().facts.is_some()
        })
        .await;
    }

    /// Goes to a past time, and waits until it is shown.
    pub(crate) async fn go_back(&mut self, steps: i32) {
        self.press(Action::Step(-steps));
        self.until_past().await;
        self.until_answered().await;
    }

    /// Waits until the past that was asked for is shown.
    async fn until_past(&mut self) {
        let mut asks = Vec::new();
        self.until("the past", |state, message| {
            asks.extend(apply(state, message));
            matches!(state.time, Time::Past { here: true, .. }) && !state.awaits_baseline()
        })
        .await;
        self.follow(asks);
    }

    /// Goes on from a past time to now.
    pub(crate) async fn go_on(&mut self) {
        self.press(Action::Live);
        self.until_answered().await;
    }

    /// Waits for what the dashboard asks whenever another time or page is opened: what the cluster used, and all of the
    /// page. The answers come in any order.
    async fn until_answered(&mut self) {
        let page = self.state.screen().pod().cloned().map(Subject::Pod);
        let (mut cluster, mut history, mut detail) = (false, page.is_none(), page.is_none());
        self.until("what was asked", |state, message| {
            match &message {
                Message::History(Subject::Cluster, _) => cluster = true,
                Message::History(of, _) => history |= Some(of) == page.as_ref(),
                Message::Detail(..) => detail = true,
                _ => {}
            }
            let _asks = apply(state, message);
            cluster && history && detail
        })
        .await;
    }

    /// What `vitals` prints for this cluster as it is now.
    pub(crate) fn vitals(&self, arguments: &[&str]) -> Said {
        // What is listed is what was there when the server looked last.
        self.server.query().detector().detect();
        self.cluster.write_kubeconfig(self.kubeconfig()).unwrap();
        tokio::task::block_in_place(|| vitals(self, arguments))
    }

    pub(crate) async fn stop(self) {
        drop(self.feed);
        self.server.shutdown().await;
        self.cluster.shutdown().await;
    }
}

impl At for Running {
    fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    fn directory(&self) -> &Path {
        self.folder.path()
    }
}

/// How much later than at its phase a page is asked for: ages are whole milliseconds.
fn late(page: Option<Page>) -> Duration {
    page.map_or(Duration::ZERO, |_| 2 * MILLISECOND)
}

/// The server's clock, told by the cluster's.
fn clock_of(clock: &SimClock) -> Arc<dyn Clock> {
    clock.process()
}

/// Whether the server's watch of events asks for this one.
fn is_asked_for(event: &MetaLite) -> bool {
    EVENT_SELECTOR.split(',').all(|term| {
        let (path, value, wanted) = match term.split_once("!=") {
            Some((path, value)) => (path, value, false),
            None => {
                let (path, value) = term.split_once('=').unwrap();
                (path, value, true)
            }
        };
        (event.field(path).unwrap() == value) == wanted
    })
}

async fn patiently(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "{what}: never");
        tokio::time::sleep(MILLISECOND).await;
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap()
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.plus_nanos(nanos(by))
}
