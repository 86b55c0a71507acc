//! What the dashboard shows of a simulated cluster: all the way from the kubelets' pages over the server and the source, with clocks that are moved by hand.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kubevitals::cli::Connection;
use kubevitals::model::{
    Action, Effect, Message, Part, Settings, SourceKind, State, Subject, View, act, refresh, tell,
};
use kubevitals::source::{Connector, Feed};
use kubevitals::view::theme::{Depth, Ground, Theme};
use kubevitals_proto::time::Timestamp;
use kubevitals_server::Server;
use kubevitals_server::clock::ToldClock;
use kubevitals_sim::{Cluster, Config, Faults, SimClock};
use tempfile::TempDir;

use crate::picture::{draw, text};

/// How long a step is: a scrape of each node.
const RESOLUTION: Duration = Duration::from_secs(15);

/// Longer than anything takes that must happen; it bounds a hang, not a speed.
const PATIENCE: Duration = Duration::from_secs(60);

/// When the simulation begins.
const SIMULATION_BEGAN: i64 = 1_800_000_000;

/// A cluster, its server, and a dashboard without a terminal.
struct Running {
    cluster: Cluster,
    server: Server,
    state: State,
    feed: Option<Feed>,
    folder: TempDir,
}

impl Running {
    /// Starts a cluster and its server, lets so many steps pass, and only then looks at it.
    async fn after(steps: usize, config: Config) -> Self {
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let cluster = Cluster::start(config).await.unwrap();
        let (now, sleeper) = (cluster.clock().clone(), cluster.clock().clone());
        let told = ToldClock::new(
            move || now.now(),
            move |until| {
                let clock = sleeper.clone();
                Box::pin(async move { clock.sleep_until(until).await })
            },
        );
        let settings = kubevitals_server::config::Settings::embedded(
            cluster.server_kubeconfig(),
            Arc::new(told),
        )
        .await
        .unwrap();
        let server = Server::start(settings).await.unwrap();
        cluster.set_aggregated(server.local_addr());
        let running = Self {
            cluster,
            server,
            state: State::default(),
            feed: None,
            folder: TempDir::new().unwrap(),
        };
        let nodes = u64::try_from(running.cluster.node_names().len()).unwrap();
        for step in 1..=u64::try_from(steps).unwrap() {
            running.scraped(nodes * step).await;
            if step < u64::try_from(steps).unwrap() {
                running.cluster.advance(RESOLUTION);
            }
        }
        running
    }

    /// Waits until so many scrapes have been taken in.
    async fn scraped(&self, wanted: u64) {
        let began = Instant::now();
        loop {
            let scrapes = self.server.query().scrapes();
            if scrapes.succeeded + scrapes.failed.values().sum::<u64>() >= wanted {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{wanted} scrapes: never");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Opens the dashboard.
    async fn look(&mut self) {
        let kubeconfig = self.folder.path().join("kubeconfig");
        self.cluster.write_kubeconfig(&kubeconfig).unwrap();
        let connection = Connection {
            kubeconfig: Some(kubeconfig.display().to_string()),
            ..Connection::default()
        };
        let clock = self.cluster.clock().clone();
        let now = Arc::new(move || clock.now());
        let connector = Connector::new(connection, Some(SourceKind::Vitals), now);
        let (session, feed) = connector.connect(None).await.unwrap();
        self.state = State::new(session, Settings::default());
        self.feed = Some(feed);
        self.press(Action::Resize(120, 40));
        self.tell(Message::Tick(self.cluster.clock().now()));
    }

    fn press(&mut self, action: Action) {
        let effects = act(&mut self.state, action);
        self.follow(effects);
    }

    fn tell(&mut self, message: Message) {
        let effects = tell(&mut self.state, message);
        self.follow(effects);
    }

    fn follow(&self, effects: Vec<Effect>) {
        for effect in effects {
            if let (Effect::Ask(ask), Some(feed)) = (effect, &self.feed) {
                feed.ask(ask);
            }
        }
    }

    /// Takes in what is told until all that is wanted has been.
    async fn until(&mut self, what: &str, is_so: impl Fn(&State) -> bool) {
        let began = Instant::now();
        loop {
            refresh(&mut self.state);
            if is_so(&self.state) {
                return;
            }
            let message = tokio::time::timeout(
                PATIENCE.saturating_sub(began.elapsed()),
                self.feed.as_mut().unwrap().next(),
            );
            let Ok(message) = message.await else {
                let theme = Theme::new(Depth::None, Ground::Dark, false);
                let shown = text(&draw(&self.state, &theme, 120, 40));
                panic!("{what}: never; {:?}\n{shown}", self.state.told);
            };
            // Sparklines grow from what is told next: whether the past of all rows has come by now is chance.
            if !matches!(message, Message::Trends(_)) {
                self.tell(message);
            }
            // What asks on a tick asks now, though the time stands still.
            self.tell(Message::Tick(self.cluster.clock().now()));
        }
    }

    /// Waits until everything that views show has been told of.
    async fn until_told(&mut self, nodes: usize, pods: usize) {
        self.until("all parts", |state| {
            let parts = [
                Part::Nodes,
                Part::Pods,
                Part::Incidents,
                Part::Cluster,
                Part::Hpas,
            ];
            let live = &state.live;
            parts.iter().all(|part| state.told.contains(part))
                && state.progress.is_empty()
                && state.histories.contains_key(&Subject::Cluster)
                && live.nodes.len() == nodes
                && live.pods.len() == pods
        })
        .await;
    }

    /// Compares what is shown with what was, in two sizes.
    fn snapshot(&self, name: &str) {
        let theme = Theme::new(Depth::Sixteen, Ground::Dark, false);
        for (columns, rows) in [(120, 40), (80, 24)] {
            let shown = text(&draw(&self.state, &theme, columns, rows));
            insta::assert_snapshot!(format!("{name}-{columns}x{rows}"), shown);
        }
    }

    fn shows(&mut self, view: View, name: &str) {
        self.press(Action::Show(view));
        refresh(&mut self.state);
        self.snapshot(name);
    }

    async fn stop(self) {
        drop(self.feed);
        self.server.shutdown().await;
        self.cluster.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_simulated_cluster_is_shown_as_its_seed_has_it() {
    let mut running = Running::after(
        12,
        Config {
            nodes: 3,
            pods_per_node: 12,
            seed: 1,
            faults: Faults::None,
            clock: Some(SimClock::manual(Timestamp::from_secs(SIMULATION_BEGAN))),
            ..Config::default()
        },
    )
    .await;
    running.look().await;
    running.until_told(3, 36).await;
    running
        .until("all usage, and what the controllers say", |state| {
            let mut pods = state.live.pods.rows().iter();
            let measured = pods.all(|pod| pod.measured().is_some());
            let kinds = ["Deployment", "StatefulSet", "DaemonSet"];
            measured
                && kinds
                    .iter()
                    .all(|kind| state.live.replicas.keys().any(|key| *key.part == **kind))
        })
        .await;
    running.shows(View::Overview, "simulation-overview");
    running.shows(View::Pods, "simulation-pods");
    running.shows(View::Workloads, "simulation-workloads");
    running.stop().await;
}
