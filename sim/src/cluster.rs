//! A running simulated cluster.

mod control;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::apiserver::{ApiServer, ApiServerConfig, Credentials};
use crate::autoscaler::Controller;
use crate::clock::SimClock;
use crate::config::{Autoscaler, Config, Faults};
use crate::endpoints::{Endpoints, PodEndpoints};
use crate::error::SimError;
use crate::files::{Files, write};
use crate::identity::{Identities, SERVER_ACCOUNT, UserInfo};
use crate::kubelet::{self, Kubelets, Pages};
use crate::objects::{Now, Resource, Store};
use crate::pki::Pki;
use crate::replay::Player;
use crate::world::service::Exposed;
use crate::world::{Scale, World};

/// A simulated cluster that is running. Dropping it stops it.
pub struct Cluster {
    api: ApiServer,
    kubelets: Kubelets,
    /// What the pods expose, if they do.
    endpoints: Option<Endpoints>,
    /// What is simulated; none in a replay.
    world: Option<Arc<World>>,
    /// What is replayed, if anything.
    player: Option<Arc<Player>>,
    node_names: Vec<String>,
    clock: SimClock,
    pki: Arc<Pki>,
    store: Arc<Store>,
    identities: Arc<Identities>,
    kubelet_port: u16,
    files: Files,
    server_kubeconfig: String,
    /// What makes things happen; none in a replay.
    driver: Option<JoinHandle<()>>,
    /// The controller of the autoscalers, if there is one, and what runs it.
    autoscaler: Option<(Arc<Controller>, Option<JoinHandle<()>>)>,
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
        let (listener, kubelet_port) = listen(config.kubelet_port).await?;
        let pki = Arc::new(Pki::new()?);
        let identities = Arc::new(Identities::with_defaults());
        let store = Store::new(now(&clock));
        let (mut world, mut player, mut driver, mut endpoints) = (None, None, None, None);
        let (pages, node_names): (Arc<dyn Pages>, Vec<String>) = match &config.replay {
            None => {
                let listener = match config.pod_endpoints {
                    Some(options) => Some((listen(options.port).await?, options)),
                    None => None,
                };
                let port = listener.as_ref().map(|((_, port), _)| *port);
                let all = self::world(&config, &clock, &store, kubelet_port, port);
                let all = world.insert(Arc::new(all));
                if let Some(((listener, _), options)) = listener {
                    let authority = pki.cluster().clone();
                    let serving = Endpoints::start(listener, all.clone(), authority, options)?;
                    endpoints = Some(serving);
                }
                driver = Some(tokio::spawn(all.clone().run()));
                let names = all.nodes.iter().map(|node| node.name.to_string());
                (all.clone(), names.collect())
            }
            Some(replay) => {
                let all = Player::new(replay.clone(), store.clone());
                all.populate(kubelet_port, clock.now());
                let all = player.insert(Arc::new(all));
                (all.clone(), all.names().collect())
            }
        };
        let kubelets = Kubelets::start(
            listener,
            node_names.clone(),
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
        if let Some(world) = &world {
            api.set_world(world.clone());
        }
        if let Some(target) = config.aggregated {
            api.set_aggregated(Some(target));
        }
        let autoscaler = match config.autoscaler {
            Autoscaler::None => None,
            kind => {
                let controller = controller(&api, &pki, &identities, &clock)?;
                let running = kind == Autoscaler::Running;
                let task = running.then(|| tokio::spawn(controller.clone().run()));
                Some((controller, task))
            }
        };
        let files = Files::new()?;
        files.write_token(&identities)?;
        write(&files.ca(), &pki.cluster().pem())?;
        let server_kubeconfig = api
            .kubeconfig()
            .yaml(SERVER_ACCOUNT.1, &Credentials::TokenFile(&files.token()));
        Ok(Self {
            api,
            kubelets,
            endpoints,
            world,
            player,
            node_names,
            clock,
            pki,
            store,
            identities,
            kubelet_port,
            files,
            server_kubeconfig,
            driver,
            autoscaler,
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

    /// How often `/metrics/resource` of this node has been requested, whatever the response.
    #[must_use]
    pub fn scrapes(&self, node: &str) -> u64 {
        let kubelet = self.kubelets.get(node);
        kubelet.map_or(0, |kubelet| kubelet.scrapes.load(Ordering::Relaxed))
    }

    /// Advances a manual clock. When it returns, everything that happened in the meantime is in the store.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
        if let Some(world) = &self.world {
            world.catch_up();
        }
    }

    /// Takes the next step of a replayed node: stores the objects of that step. From then on scrapes of the node repeat
    /// the step instead of taking steps themselves. Returns the step, from 1; `None` when this is no replay or there is
    /// no such node.
    pub fn replay_step(&self, node: &str) -> Option<usize> {
        self.player.as_ref()?.step(node)
    }

    /// Makes a replayed node repeat its present step until [`Cluster::replay_step`]. Returns whether this is a replay
    /// with such a node.
    pub fn replay_hold(&self, node: &str) -> bool {
        let player = self.player.as_ref();
        player.is_some_and(|player| player.hold(node))
    }

    /// Stores the objects of one kind of the step that a replayed node takes next, before [`Cluster::replay_step`]
    /// stores the others: two watches send simultaneous changes in any order. Returns whether this is a replay with such
    /// a node.
    pub fn replay_objects(&self, node: &str, resource: Resource) -> bool {
        let player = self.player.as_ref();
        player.is_some_and(|player| player.store_next(node, resource))
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
        self.node_names.clone()
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
        let autoscaler = self.autoscaler.as_ref();
        let tasks = [
            self.driver.as_ref(),
            autoscaler.and_then(|it| it.1.as_ref()),
        ];
        for task in tasks.into_iter().flatten() {
            task.abort();
        }
    }
}

/// The controller of the autoscalers, which may do everything.
fn controller(
    api: &ApiServer,
    pki: &Pki,
    identities: &Identities,
    clock: &SimClock,
) -> Result<Arc<Controller>, SimError> {
    let mut user = UserInfo::service_account("kube-system", "horizontal-pod-autoscaler");
    user.groups.push("system:masters".to_owned());
    let token = identities.mint_token(user);
    let controller = Controller::new(api.url(), &pki.cluster().pem(), &token, clock.clone())?;
    Ok(Arc::new(controller))
}

/// Listens on all addresses. Returns the port too.
async fn listen(port: u16) -> Result<(TcpListener, u16), SimError> {
    let bound = kubelet::bind(port).await;
    bound.map_err(|source| SimError::Listen { port, source })
}

/// The clock as the store's source of time.
pub(crate) fn now(clock: &SimClock) -> Now {
    let clock = clock.clone();
    Arc::new(move || clock.now())
}

fn exposed((port, endpoints): (u16, PodEndpoints)) -> Exposed {
    Exposed {
        port,
        gpu_nodes: endpoints.gpu_nodes as usize,
        swing: endpoints.swing,
    }
}

/// The world that a configuration describes, with its objects in the store.
pub(crate) fn world(
    config: &Config,
    clock: &SimClock,
    store: &Arc<Store>,
    port: u16,
    metrics_port: Option<u16>,
) -> World {
    let scale = Scale {
        seed: config.seed,
        nodes: config.nodes as usize,
        pods_per_node: config.pods_per_node as usize,
        exposed: metrics_port.zip(config.pod_endpoints).map(exposed),
        autoscaler: config.autoscaler != Autoscaler::None,
    };
    let world = World::new(scale, clock.clone(), store.clone(), port);
    world.populate();
    world.schedule(config.faults == Faults::Scheduled);
    world
}
