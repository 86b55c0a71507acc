//! A cluster with too many pods to send all: the source requests the pods on the screen, now and in the past.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kubevitals::cli::Connection;
use kubevitals::model::{
    Action, Edit, Effect, Extent, Message, Part, Settings, SourceKind, State, Time, View, act,
    apply, refresh,
};
use kubevitals::source::{Connector, Feed, SelectionLimits, Subset};
use kubevitals::view::theme::{Depth, Ground, Theme};
use kubevitals_proto::time::Timestamp;
use kubevitals_server::Server;
use kubevitals_sim::{Cluster, Config, Fault, Faults, SimClock};
use tempfile::TempDir;

use crate::picture::{draw, text};

const NODES: u32 = 4;
const PODS_PER_NODE: u32 = 20;
const RESOLUTION: Duration = Duration::from_secs(15);

/// The limit of pods here, instead of a thousand.
const MOST: usize = 10;

/// Longer than anything takes that must happen; it bounds a hang, not a speed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A cluster in which one pod crashes, its server, and a dashboard without a terminal.
struct Running {
    cluster: Cluster,
    server: Server,
    state: State,
    feed: Feed,
    _folder: TempDir,
}

impl Running {
    async fn start() -> Self {
        Self::start_with(Subset::default()).await
    }

    /// As [`Running::start`], with a source that reads only a subset.
    async fn start_with(subset: Subset) -> Self {
        let cluster = Cluster::start(Config {
            nodes: NODES,
            pods_per_node: PODS_PER_NODE,
            faults: Faults::None,
            clock: Some(SimClock::manual(Timestamp::from_secs(1_800_000_000))),
            ..Config::default()
        })
        .await
        .unwrap();
        let settings = kubevitals_server::config::Settings::embedded(
            cluster.server_kubeconfig(),
            cluster.clock().process(),
        )
        .await
        .unwrap();
        let server = Server::start(settings).await.unwrap();
        cluster.set_aggregated(server.local_addr());
        scraped(&server, 1).await;
        assert!(cluster.inject(Fault::CrashLoop));
        for step in 2..=10 {
            cluster.advance(RESOLUTION);
            scraped(&server, step).await;
        }
        let folder = TempDir::new().unwrap();
        let kubeconfig = folder.path().join("kubeconfig");
        cluster.write_kubeconfig(&kubeconfig).unwrap();
        let connection = Connection {
            kubeconfig: Some(kubeconfig.display().to_string()),
            ..Connection::default()
        };
        let clock = cluster.clock().clone();
        let many = SelectionLimits {
            above: 50,
            most: MOST,
        };
        let connector = Connector::new(
            connection,
            Some(SourceKind::Vitals),
            kubevitals::clock::Clock::new(move || clock.now(), 1.0),
        )
        .with(many)
        .only(subset);
        let (session, feed) = connector.connect(None).await.unwrap();
        let mut running = Self {
            cluster,
            server,
            state: State::new(session, Settings::default()),
            feed,
            _folder: folder,
        };
        running.press(Action::Resize(160, 40));
        running.press(Action::Show(View::Pods));
        running
    }

    fn press(&mut self, action: Action) {
        let effects = act(&mut self.state, action);
        self.follow(effects);
    }

    fn filter(&mut self, text: &str) {
        self.press(Action::ClearFilter);
        self.press(Action::Filter);
        self.press(Action::Edit(Edit::Insert(text.to_owned())));
        self.press(Action::Enter);
    }

    /// Filters by a namespace and a name.
    fn seek(&mut self, pod: &str) {
        let (namespace, name) = pod.split_once('/').unwrap();
        self.filter(&format!("ns={namespace} {name}"));
    }

    fn follow(&self, effects: Vec<Effect>) {
        for effect in effects {
            if let Effect::Request(request) = effect {
                self.feed.request(request);
            }
        }
    }

    /// Applies messages until the condition is true.
    async fn until(&mut self, what: &str, is_so: impl Fn(&State) -> bool) {
        let began = Instant::now();
        loop {
            refresh(&mut self.state);
            if is_so(&self.state) {
                return;
            }
            let left = PATIENCE.saturating_sub(began.elapsed());
            let Ok(message) = tokio::time::timeout(left, self.feed.next()).await else {
                panic!("{what}: never\n{}", self.screen_text());
            };
            let effects = apply(&mut self.state, message);
            self.follow(effects);
            let effects = apply(&mut self.state, Message::Tick(self.cluster.clock().now()));
            self.follow(effects);
        }
    }

    fn screen_text(&self) -> String {
        let theme = Theme::new(Depth::None, Ground::Dark, false);
        text(&draw(&self.state, &theme, 160, 40))
    }

    /// Waits until what is looked at is here, and is these.
    async fn until_here(&mut self, what: &str, is_so: impl Fn(&State, &Extent) -> bool) {
        self.until(what, |state| {
            let extent = state.world().extent.as_ref();
            !state.is_awaited() && extent.is_some_and(|extent| is_so(state, extent))
        })
        .await;
    }

    /// The namespaces and names of all pods there are, or of those of a node.
    fn all(&self, node: Option<&str>) -> BTreeSet<String> {
        let pods = Arc::clone(self.server.query().vitals().now().pods());
        let of = pods
            .values()
            .filter(|pod| node.is_none_or(|node| pod.node.as_deref() == Some(node)));
        of.map(|pod| format!("{}/{}", pod.key.namespace, pod.key.name))
            .collect()
    }

    async fn stop(self) {
        drop(self.feed);
        self.server.shutdown().await;
        self.cluster.shutdown().await;
    }
}

async fn scraped(server: &Server, step: u64) {
    let began = Instant::now();
    loop {
        let scrapes = server.query().scrapes();
        if scrapes.succeeded + scrapes.failed.values().sum::<u64>() >= u64::from(NODES) * step {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "step {step}: never");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The namespaces and names of the rows that are shown.
fn listed(state: &State) -> BTreeSet<String> {
    let table = state.world().table(state.screen().view);
    let order = state.screen().list.order.iter();
    let keys = order.filter_map(|at| table.key_at(*at));
    keys.map(|key| format!("{}/{}", key.namespace, key.name))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pods_on_the_screen_are_requested() {
    let mut running = Running::start().await;
    let total = u64::from(NODES * PODS_PER_NODE);
    let crashes = |state: &State| {
        let mut pods = state.world().pods.rows().iter();
        pods.any(|pod| pod.restarts.count > 0)
    };
    running
        .until_here("the first, and the one that crashes", |state, extent| {
            let truncation = extent.truncation.is_some_and(|truncation| {
                truncation.first == MOST as u64
                    && truncation.by == "CPU"
                    && truncation.all_unhealthy
            });
            truncation && extent.total == total && crashes(state)
        })
        .await;
    let sent = listed(&running.state);
    let unhealthy = sent.len() - MOST;
    let said = format!("10 by CPU and {unhealthy} unhealthy of {total}");
    assert!(
        running.screen_text().contains(&said),
        "{}",
        running.screen_text()
    );

    // A pod that was not sent is found by its name.
    let others: Vec<String> = running.all(None).difference(&sent).cloned().collect();
    let other = others[0].clone();
    running.seek(&other.to_uppercase());
    running
        .until_here("the pod of this name", |state, extent| {
            extent.truncation.is_none() && listed(state) == BTreeSet::from([other.clone()])
        })
        .await;
    assert!(running.screen_text().contains(&format!("1 of {total}")));
    // By another order the others come.
    running.press(Action::ClearFilter);
    running.press(Action::SortBy(kubevitals::model::Field::Memory));
    running
        .until_here("those with the most memory", |_, extent| {
            extent
                .truncation
                .is_some_and(|truncation| truncation.by == "memory")
        })
        .await;

    // All pods of a node, which are more than come first of all.
    running.press(Action::Show(View::Nodes));
    running
        .until("nodes", |state| state.live.nodes.len() == NODES as usize)
        .await;
    running.press(Action::Enter);
    let node = running.state.screen().scope.text();
    let of_node = running.all(Some(&node));
    running.filter("ready=true");
    running
        .until_here("pods of the node", |state, extent| {
            extent.interest.scope == state.screen().scope && !listed(state).is_empty()
        })
        .await;
    assert!(listed(&running.state).is_subset(&of_node));

    // The pod of the open page is sent, whether it comes first or not.
    running.press(Action::ClearFilter);
    running.press(Action::Last);
    running.press(Action::Enter);
    let page = running.state.screen().pod().cloned().unwrap();
    running
        .until_here("its page", |state, extent| {
            extent.interest.pod.as_ref() == Some(&page) && state.world().pods.get(&page).is_some()
        })
        .await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_the_past_the_pods_on_the_screen_are_requested_too() {
    let mut running = Running::start().await;
    running
        .until_here("the first", |_, extent| extent.truncation.is_some())
        .await;
    let sent = listed(&running.state);
    running
        .until("how far back", |state| state.live.cluster.oldest.is_some())
        .await;
    running.press(Action::Step(-2));
    let at = running.state.shown_time();
    let here = |state: &State| state.time == Time::Past { at, here: true };
    running
        .until_here("the first of then", |state, extent| {
            here(state)
                && extent
                    .truncation
                    .is_some_and(|truncation| truncation.first == MOST as u64)
        })
        .await;
    // A search in the past finds another pod as it was then.
    let other = running.all(None).difference(&sent).next().cloned().unwrap();
    running.seek(&other);
    running
        .until_here("the pod of this name, of then", |state, extent| {
            here(state) && extent.truncation.is_none() && listed(state).len() == 1
        })
        .await;
    let pod = Arc::clone(&running.state.world().pods.rows()[0]);
    assert!(pod.usage_time().is_some_and(|time| time <= at));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_works_while_paused() {
    let mut running = Running::start().await;
    running
        .until_here("the first", |_, extent| extent.truncation.is_some())
        .await;
    running
        .until("how far back", |state| state.live.cluster.oldest.is_some())
        .await;
    running.cluster.advance(RESOLUTION);
    scraped(&running.server, 11).await;
    let sent = listed(&running.state);
    running.press(Action::Pause);
    let paused = running.state.shown_time();
    running.cluster.advance(RESOLUTION);
    scraped(&running.server, 12).await;
    let other = running.all(None).difference(&sent).next().cloned().unwrap();
    running.seek(&other);
    running
        .until_here("the pod of this name, of the pause", |state, _| {
            matches!(state.time, Time::Past { at, here: true } if at == paused)
                && listed(state).len() == 1
        })
        .await;
    running.stop().await;
}

/// A command prints all pods, however many there are, and reads nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_gets_all_pods_and_only_pods() {
    let mut running = Running::start_with(Subset::of(View::Pods, "", "")).await;
    running
        .until("all pods", |state| state.has_answered(Part::Pods))
        .await;
    refresh(&mut running.state);
    assert_eq!(listed(&running.state), running.all(None));
    let state = &running.state;
    assert!(state.live.nodes.is_empty() && state.live.extent.is_none());
    // The state requests the history of the cluster by itself; a command does not.
    let parts = state.parts.keys().filter(|part| **part != Part::History);
    assert_eq!(parts.collect::<Vec<_>>(), [&Part::Pods]);
    running.stop().await;
}
