//! A running simulated cluster.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::HeaderMap;
use kubevitals_proto::time::Timestamp;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::apiserver::{ApiServer, ApiServerConfig, Credentials};
use crate::autoscaler::Controller;
use crate::clock::SimClock;
use crate::config::{Autoscaler, Config, Faults};
use crate::endpoints::{EndpointFault, Endpoints, PodEndpoints, Truth, truth};
use crate::error::SimError;
use crate::files::{Files, write};
use crate::identity::{Identities, SERVER_ACCOUNT, UserInfo};
use crate::kubelet::{self, Forged, Kill, Kubelet, Kubelets, Pages};
use crate::objects::{Now, Resource, Store};
use crate::pki::Pki;
use crate::replay::Player;
use crate::world::demand::Demand;
use crate::world::fault::{Fault, InjectedFault};
use crate::world::pod::Pod;
use crate::world::service::{Exposed, Service};
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

    /// Makes the API server unreachable, or reachable again.
    pub fn cut_api(&self, cut: bool) {
        self.api.cut(cut);
    }

    /// Makes the kubelet of a node misbehave. Returns whether there is such a node, as do the methods that follow.
    pub fn kill_kubelet(&self, node: &str, kill: Kill) -> bool {
        self.with_kubelet(node, |it| *it.trouble.write() = Some(kill))
    }

    /// Ends the misbehaviour of the kubelet of a node.
    pub fn heal_kubelet(&self, node: &str) -> bool {
        self.with_kubelet(node, |it| *it.trouble.write() = None)
    }

    /// Limits the requests that all kubelets together answer in a second, one after the other. A TLS handshake takes as
    /// long as five requests. `None`: no limit.
    pub fn throttle_kubelets(&self, rate: Option<f64>) {
        self.kubelets.throttle(rate.filter(|rate| *rate > 0.0));
    }

    /// Makes the endpoint of a pod misbehave. Returns whether the pods of this cluster expose anything.
    pub fn break_endpoint(&self, namespace: &str, pod: &str, fault: EndpointFault) -> bool {
        let set = |it: &Endpoints| it.set_fault(namespace, pod, Some(fault));
        self.endpoints.as_ref().map(set).is_some()
    }

    /// Ends the misbehaviour of the endpoint of a pod.
    pub fn heal_endpoint(&self, namespace: &str, pod: &str) {
        if let Some(endpoints) = &self.endpoints {
            endpoints.set_fault(namespace, pod, None);
        }
    }

    /// How many requests the endpoint of a pod got, and the headers of the last one.
    #[must_use]
    pub fn endpoint_requests(&self, namespace: &str, pod: &str) -> (u64, HeaderMap) {
        let seen = |it: &Endpoints| it.seen(namespace, pod);
        self.endpoints.as_ref().map(seen).unwrap_or_default()
    }

    /// Sets the requests a second that a workload gets, all its ready pods together. Returns whether there is a workload
    /// that serves requests.
    pub fn set_rate(&self, namespace: &str, workload: &str, rate: f64) -> bool {
        let world = self.world.as_ref();
        world.is_some_and(|world| world.set_rate(namespace, workload, rate))
    }

    /// Sets the number of pods of a workload, as `kubectl scale` does.
    pub fn scale(&self, namespace: &str, workload: &str, replicas: u32) {
        if let Some(world) = &self.world {
            world.scale(Some(namespace), workload, replicas);
        }
    }

    /// Lets the controller of the autoscalers act once on each of them, if there is one.
    pub async fn autoscale(&self) {
        if let Some((controller, _)) = &self.autoscaler {
            controller.pass().await;
        }
    }

    /// What a pod serves now: the truth of which its endpoint exposes counters. None if it serves no requests.
    #[must_use]
    pub fn served(&self, namespace: &str, pod: &str) -> Option<Truth> {
        truth(self.world.as_ref()?, namespace, pod)
    }

    /// Sets the counters of the requests of a pod to zero. Returns whether there is such a pod, as does the method that
    /// follows.
    pub fn reset_counters(&self, namespace: &str, pod: &str) -> bool {
        self.change_pod(namespace, pod, |pod, service| {
            let total = service.map(|it| it.total(self.clock.now()));
            pod.served.reset(total.unwrap_or_default());
        })
    }

    /// Sets an annotation of a pod.
    pub fn annotate_pod(&self, namespace: &str, pod: &str, key: &str, value: &str) -> bool {
        self.change_pod(namespace, pod, |pod, _| {
            pod.annotations.retain(|(it, _)| it != key);
            pod.annotations.push((key.to_owned(), value.to_owned()));
        })
    }

    fn change_pod(
        &self,
        namespace: &str,
        pod: &str,
        change: impl FnOnce(&mut Pod, Option<&Service>),
    ) -> bool {
        let world = self.world.as_ref();
        world.is_some_and(|world| world.change_pod(namespace, pod, change))
    }

    /// Makes requests for a page of a node wait until [`Cluster::resume_page`].
    pub fn pause_page(&self, node: &str, path: &str) -> bool {
        self.with_kubelet(node, |it| {
            it.paused.lock().entry(path.to_owned()).or_default();
        })
    }

    /// Answers requests for a page of a node again, those that wait included.
    pub fn resume_page(&self, node: &str, path: &str) -> bool {
        self.with_kubelet(node, |it| {
            it.paused.lock().remove(path);
        })
    }

    /// How many requests for a page of a node wait now.
    #[must_use]
    pub fn paused_requests(&self, node: &str, path: &str) -> usize {
        let kubelet = self.kubelets.get(node);
        let count = |it: &Kubelet| Some(it.paused.lock().get(path)?.receiver_count());
        kubelet.and_then(count).unwrap_or_default()
    }

    /// Replaces the response for a page of a node.
    pub fn forge(&self, node: &str, path: &str, forged: Forged) -> bool {
        self.with_kubelet(node, |it| {
            it.forged.write().insert(path.to_owned(), forged);
        })
    }

    /// Answers a page of a node truthfully again.
    pub fn unforge(&self, node: &str, path: &str) -> bool {
        self.with_kubelet(node, |it| {
            it.forged.write().remove(path);
        })
    }

    fn with_kubelet(&self, node: &str, change: impl FnOnce(&Kubelet)) -> bool {
        self.kubelets.get(node).map(change).is_some()
    }

    /// Everything that the faults have caused so far, in order of time. Empty in a replay.
    #[must_use]
    pub fn injected_faults(&self) -> Vec<InjectedFault> {
        self.world.as_ref().map_or_else(Vec::new, |world| {
            world.catch_up();
            world.engine.lock().injected.clone()
        })
    }

    /// Applies a fault now to a pod, node or deployment that is well. Returns whether there was one.
    pub fn inject(&self, fault: Fault) -> bool {
        let world = self.world.as_ref();
        world.is_some_and(|world| world.inject(fault))
    }

    /// What a container (its namespace, pod and name) that runs has used at a time since its start: the truth of which
    /// kubelets report samples. None if there is no such container, or in a replay.
    #[must_use]
    pub fn demand(&self, container: (&str, &str, &str), at: Timestamp) -> Option<Demand> {
        self.world.as_ref()?.demand(container, at)
    }

    /// Lets the memory of a container (its namespace, pod and name) that runs grow by so many bytes a second, up to its
    /// limit and until it ends. Returns whether there is such a container.
    pub fn leak(&self, container: (&str, &str, &str), rate: f64) -> bool {
        let world = self.world.as_ref();
        world.is_some_and(|world| world.leak(container, rate))
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
