//! A running simulated cluster.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::apiserver::{ApiServer, ApiServerConfig, Credentials};
use crate::clock::SimClock;
use crate::config::{Config, Faults};
use crate::error::SimError;
use crate::files::{Files, write};
use crate::identity::{Identities, SERVER_ACCOUNT};
use crate::kubelet::{Forged, Kill, Kubelets, Listener, Pages};
use crate::objects::{Now, Resource, Store};
use crate::pki::Pki;
use crate::replay::Player;
use crate::world::fault::{Fault, InjectedFault};
use crate::world::{Scale, World};

/// What is simulated.
enum Source {
    World(Arc<World>),
    Replay(Arc<Player>),
}

/// A simulated cluster that is running. Dropping it stops it.
pub struct Cluster {
    api: ApiServer,
    kubelets: Kubelets,
    source: Source,
    clock: SimClock,
    pki: Arc<Pki>,
    store: Arc<Store>,
    identities: Arc<Identities>,
    kubelet_port: u16,
    files: Files,
    server_kubeconfig: String,
    ca_pem: String,
    /// What makes things happen; none in a replay.
    driver: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster")
            .field("api", &self.api.addr())
            .field("kubelet_port", &self.kubelet_port)
            .finish_non_exhaustive()
    }
}

impl Cluster {
    /// Starts the API server and the kubelets; when it returns, all objects are there and everything answers.
    ///
    /// # Errors
    /// When a port is taken, or a certificate or file cannot be made.
    pub async fn start(config: Config) -> Result<Self, SimError> {
        let clock = config
            .clock
            .clone()
            .unwrap_or_else(|| SimClock::scaled(config.speed));
        let listener = Listener::bind(config.kubelet_port)
            .await
            .map_err(|source| SimError::Listen {
                port: config.kubelet_port,
                source,
            })?;
        let kubelet_port = listener.port;
        let pki = Arc::new(Pki::new()?);
        let identities = Arc::new(Identities::with_defaults());
        let store = Store::new(now(&clock));
        let (source, names) = source(&config, &clock, &store, kubelet_port);
        let (pages, driver): (Arc<dyn Pages>, _) = match &source {
            Source::World(world) => (world.clone(), Some(tokio::spawn(world.clone().run()))),
            Source::Replay(player) => (player.clone(), None),
        };
        let kubelets = Kubelets::start(
            listener,
            names,
            pages,
            pki.cluster().clone(),
            identities.clone(),
        )?;
        let api = ApiServer::start(
            ApiServerConfig {
                listen: config.api_listen,
                ..ApiServerConfig::default()
            },
            store.clone(),
            pki.clone(),
            identities.clone(),
        )
        .await?;
        if let Some(target) = config.aggregated {
            api.set_aggregated(Some(target));
        }
        let files = Files::new()?;
        files.write_token(&identities)?;
        let ca_pem = pki.cluster().pem();
        write(&files.ca(), &ca_pem)?;
        let server_kubeconfig = api
            .kubeconfig()
            .yaml(SERVER_ACCOUNT.1, &Credentials::TokenFile(&files.token()));
        Ok(Self {
            ca_pem,
            api,
            kubelets,
            source,
            clock,
            pki,
            store,
            identities,
            kubelet_port,
            files,
            server_kubeconfig,
            driver,
        })
    }

    /// The kubeconfig of an administrator, as YAML.
    #[must_use]
    pub fn kubeconfig(&self) -> &str {
        self.api.admin_kubeconfig()
    }

    /// Writes the administrator's kubeconfig to a file.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_kubeconfig(&self, path: impl AsRef<Path>) -> Result<(), SimError> {
        write(path.as_ref(), self.kubeconfig())
    }

    /// Writes the kubeconfig of [`Cluster::server_kubeconfig`] to a file.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_server_kubeconfig(&self, path: impl AsRef<Path>) -> Result<(), SimError> {
        write(path.as_ref(), self.server_kubeconfig())
    }

    /// The cluster's own folder of files, which is removed when it ends.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.files.folder()
    }

    /// A file with the certificate authority of the API server and the kubelets.
    #[must_use]
    pub fn ca_path(&self) -> PathBuf {
        self.files.ca()
    }

    /// The kubeconfig that vitals-server uses: its service account's token, read from a file that may be rewritten.
    #[must_use]
    pub fn server_kubeconfig(&self) -> &str {
        &self.server_kubeconfig
    }

    /// The file that holds the server's token, as a projected service account token would be.
    #[must_use]
    pub fn kubelet_token_path(&self) -> PathBuf {
        self.files.token()
    }

    /// Replaces the server's token: the file is rewritten, and the old token is no longer valid.
    ///
    /// # Errors
    /// When the file cannot be written; the old token stays valid.
    pub fn rotate_token(&self) -> Result<(), SimError> {
        let old = std::fs::read_to_string(self.files.token()).unwrap_or_default();
        self.files.write_token(&self.identities)?;
        self.identities.remove_token(old.trim());
        Ok(())
    }

    /// `https://127.0.0.1:PORT`.
    #[must_use]
    pub fn api_url(&self) -> String {
        self.api.url()
    }

    /// The certificate authority of the API server and the kubelets.
    #[must_use]
    pub fn cluster_ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The port of all kubelets.
    #[must_use]
    pub const fn kubelet_port(&self) -> u16 {
        self.kubelet_port
    }

    /// Sends `/apis/metrics.k8s.io` and `/apis/kubevitals.io` on to the server at this address.
    pub fn set_aggregated(&self, target: SocketAddr) {
        self.api.set_aggregated(Some(target));
    }

    /// The cluster's time.
    #[must_use]
    pub const fn clock(&self) -> &SimClock {
        &self.clock
    }

    /// Requests for this node's `/metrics/resource`.
    #[must_use]
    pub fn scrapes(&self, node: &str) -> u64 {
        self.kubelets.scrapes(node)
    }

    /// Cuts the API server off, or makes it reachable again.
    pub fn cut_api(&self, cut: bool) {
        self.api.cut(cut);
    }

    /// Makes the kubelet of a node misbehave; whether there is such a node.
    pub fn kill_kubelet(&self, node: &str, kill: Kill) -> bool {
        self.kubelets.set_trouble(node, Some(kill))
    }

    /// Makes the kubelet of a node answer again; whether there is such a node.
    pub fn heal_kubelet(&self, node: &str) -> bool {
        self.kubelets.set_trouble(node, None)
    }

    /// Lets all kubelets together answer so many requests a second, one after the other; a TLS handshake takes as long
    /// as five requests. Without a rate they answer as fast as they can.
    pub fn throttle_kubelets(&self, rate: Option<f64>) {
        self.kubelets.throttle(rate.filter(|rate| *rate > 0.0));
    }

    /// Has the kubelet of a node leave requests for a page unanswered until [`Cluster::resume_page`]; whether there
    /// is such a node.
    pub fn pause_page(&self, node: &str, path: &str) -> bool {
        self.kubelets.set_paused(node, path, true)
    }

    /// Has the kubelet of a node answer requests for a page, those that wait among them; whether there is such a node.
    pub fn resume_page(&self, node: &str, path: &str) -> bool {
        self.kubelets.set_paused(node, path, false)
    }

    /// How many requests for a page the kubelet of a node leaves unanswered now.
    #[must_use]
    pub fn paused_requests(&self, node: &str, path: &str) -> usize {
        self.kubelets.paused_requests(node, path)
    }

    /// Has the kubelet of a node say something else in place of a page; whether there is such a node.
    pub fn forge(&self, node: &str, path: &str, forged: Forged) -> bool {
        self.kubelets.set_forged(node, path, Some(forged))
    }

    /// Has the kubelet of a node say what is true of a page again; whether there is such a node.
    pub fn unforge(&self, node: &str, path: &str) -> bool {
        self.kubelets.set_forged(node, path, None)
    }

    /// Everything that went wrong so far, in the order in which it happened.
    #[must_use]
    pub fn injected_faults(&self) -> Vec<InjectedFault> {
        match &self.source {
            Source::World(world) => {
                world.catch_up();
                world.engine.lock().injected.clone()
            }
            Source::Replay(_) => Vec::new(),
        }
    }

    /// Lets a fault happen now to somebody who is well; whether there was anybody.
    pub fn inject(&self, fault: Fault) -> bool {
        match &self.source {
            Source::World(world) => world.inject(fault),
            Source::Replay(_) => false,
        }
    }

    /// Advances a manual clock, and returns when all that happened in the meantime is in the store.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
        if let Source::World(world) = &self.source {
            world.catch_up();
        }
    }

    /// Takes the next step of a replayed node by hand: the objects of that step are stored, and from then on scrapes
    /// of the node repeat it instead of taking steps themselves. Returns the step, from 1; `None` when this is no
    /// replay or there is no such node.
    pub fn replay_step(&self, node: &str) -> Option<usize> {
        match &self.source {
            Source::World(_) => None,
            Source::Replay(player) => player.step(node),
        }
    }

    /// Has a replayed node repeat the step it is at, until [`Cluster::replay_step`]. Whether this is a replay with such
    /// a node.
    pub fn replay_hold(&self, node: &str) -> bool {
        match &self.source {
            Source::World(_) => false,
            Source::Replay(player) => player.hold(node),
        }
    }

    /// Stores the objects of one kind of the step that a replayed node takes next, before [`Cluster::replay_step`]
    /// stores the others: two watches send simultaneous changes in any order. Whether this is a replay with such a node.
    pub fn replay_objects(&self, node: &str, resource: Resource) -> bool {
        match &self.source {
            Source::World(_) => false,
            Source::Replay(player) => player.store_next(node, resource),
        }
    }

    /// The objects of the cluster: read them, or change them behind the world's back.
    #[must_use]
    pub const fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// The API server, for the faults that are its own.
    #[must_use]
    pub const fn api(&self) -> &ApiServer {
        &self.api
    }

    /// Tokens and rules: add users, or take rights away.
    #[must_use]
    pub const fn identities(&self) -> &Arc<Identities> {
        &self.identities
    }

    /// The cluster's certificate authorities.
    #[must_use]
    pub const fn pki(&self) -> &Arc<Pki> {
        &self.pki
    }

    /// The names of the nodes.
    #[must_use]
    pub fn node_names(&self) -> Vec<String> {
        match &self.source {
            Source::World(world) => world.nodes.iter().map(|n| n.name.clone()).collect(),
            Source::Replay(player) => player.names().collect(),
        }
    }

    /// Stops: listeners and connections are closed, files removed.
    pub async fn shutdown(self) {
        self.api.shutdown();
        self.kubelets.close();
        // The tasks end when they are next polled.
        tokio::task::yield_now().await;
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(driver) = &self.driver {
            driver.abort();
        }
    }
}

pub(crate) fn now(clock: &SimClock) -> Now {
    let clock = clock.clone();
    Arc::new(move || {
        let nanos = clock.now().as_nanos();
        jiff::Timestamp::from_nanosecond(i128::from(nanos)).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    })
}

/// Fills the store, and says which nodes there are.
fn source(
    config: &Config,
    clock: &SimClock,
    store: &Arc<Store>,
    port: u16,
) -> (Source, Vec<String>) {
    if let Some(replay) = &config.replay {
        let player = Arc::new(Player::new(replay.clone(), store.clone()));
        player.populate(port, clock.now());
        let names = player.names().collect();
        return (Source::Replay(player), names);
    }
    let scale = Scale {
        seed: config.seed,
        nodes: config.nodes as usize,
        pods_per_node: config.pods_per_node as usize,
    };
    let world = Arc::new(World::new(scale, clock.clone(), store.clone(), port));
    world.populate();
    world.schedule(config.faults == Faults::Scheduled);
    let names = world.nodes.iter().map(|n| n.name.clone()).collect();
    (Source::World(world), names)
}
