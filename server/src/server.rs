//! The whole server: its parts wired together, started, and stopped.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::api;
use crate::auth::{Auth, AuthError};
use crate::cluster::{self, Cluster, Observer};
use crate::config::Settings;
use crate::health::{self, Health, StoreUsageHistory};
use crate::manage::Manager;
use crate::query::{Query, Readiness};
use crate::scrape::{self, Kubelets, ProbeSink, Stats, TlsError};
use crate::state::{self, Incidents, Peers, StatePersister};
use crate::store::{self, Store};
use crate::tasks::Tasks;
use crate::telemetry::metrics::Registry;
use crate::telemetry::{self, chain};
use crate::tls::{self, CertificateError, Limits, Tls};
use crate::work::{self, Pool};

/// How long requests wait at start for a certificate of the managed CA.
const MANAGED: Duration = Duration::from_secs(10);

/// The part whose end is the end of the last request.
const SERVING: &str = "connections";

/// What was written down longer ago holds nothing that is still remembered.
const MAX_STATE_AGE: Duration = Duration::from_secs(24 * 3600);

/// Why the server could not start, in one line.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: {cause}; choose another with --bind-address and --secure-port"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The cause.
        #[source]
        cause: std::io::Error,
    },
    /// The API server's client.
    #[error("cannot make a client for the API server: {}", chain(.0.as_ref()))]
    Client(#[source] Box<kube::Error>),
    /// The kubelets' client.
    #[error(transparent)]
    Kubelets(#[from] TlsError),
    /// The serving certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// Who may ask.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The counters.
    #[error("cannot make the latency histogram: {0}")]
    Stats(#[from] hdrhistogram::CreationError),
    /// The threads for what visits the whole cluster.
    #[error("cannot start a thread: {0}; raise the limit of processes (pids)")]
    Threads(#[source] std::io::Error),
}

/// A running server. Dropping it aborts all its tasks; [`Server::shutdown`] lets requests under way finish.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    query: Arc<Query>,
    pool: Arc<Pool>,
    auth: Arc<Auth>,
    ready: watch::Receiver<bool>,
    /// Cancelled when the server is asked to end: it is no longer ready.
    shutdown: CancellationToken,
    /// Cancelled when the server takes no more requests.
    stop: CancellationToken,
    shutdown_delay: Duration,
    state: Arc<StatePersister>,
    incidents: Option<Arc<Incidents>>,
    tasks: Tasks,
}

impl Server {
    /// Starts watching, scraping and serving. The server listens when this returns; it has answers when it is
    /// [ready](Self::ready).
    ///
    /// # Errors
    /// When it cannot listen, or a certificate, key or CA cannot be used. An API server or kubelets that do not
    /// answer are no error here: they are asked again.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        // Before any client is made.
        let _chosen = tls::provider();
        let what = settings.to_string();
        let Settings {
            kube,
            listen,
            tls: serving_tls,
            auth,
            scrape,
            credentials,
            history,
            state,
            incidents,
            peers,
            node_selector,
            requests,
            clock,
            allocator,
        } = settings;
        let resolution = scrape.resolution;
        let kubelets = Kubelets::new(Arc::new(credentials), scrape.timeout)?;
        let stats = Arc::new(Stats::new()?);
        let (tls, keeper) = Tls::new(&serving_tls, Arc::clone(&clock))?;
        let mut registry = Registry::default();
        telemetry::register_process(&mut registry);
        if let Some(ask) = allocator {
            telemetry::register_allocator(&mut registry, ask);
        }
        stats.register(&mut registry);
        tls.metrics().register(&mut registry, tls.certificates());
        let listener =
            tls::listen(listen, serving_tls.share_port).map_err(|cause| StartError::Listen {
                address: listen,
                cause,
            })?;
        let address = listener.local_addr().map_err(|cause| StartError::Listen {
            address: listen,
            cause,
        })?;
        let client = Client::try_from(kube).map_err(|error| StartError::Client(Box::new(error)))?;

        tracing::info!(%address, "vitals-server {} serves on {address}: {what}", env!("CARGO_PKG_VERSION"));

        let cluster = Arc::new(Cluster::default());
        let store = Arc::new(Store::new(history));
        let health = Health::new(
            Arc::clone(&cluster),
            Arc::new(StoreUsageHistory(Arc::clone(&store))),
            Arc::clone(&clock),
            health::Limits {
                history: history.retention,
                ..health::Limits::default()
            },
        );
        let state = StatePersister::new(
            state,
            Arc::new(state::StateParts {
                store: Arc::clone(&store),
                cluster: Arc::clone(&cluster),
                health: Arc::clone(&health),
                clock: Arc::clone(&clock),
                resolution,
                max_age: MAX_STATE_AGE,
            }),
        );
        cluster.register(&mut registry);
        health.register(&mut registry);
        store::history::register(&mut registry, &store, &clock);
        state.metrics().register(&mut registry);
        // Before anything is scraped or told: it answers before any kubelet does, and tells nothing twice.
        state.restore().await;
        let incidents = incidents.map(|name| {
            let place = (&*serving_tls.service.namespace, &*name);
            Arc::new(Incidents::new(&client, place, &health, &clock))
        });
        if let Some(incidents) = &incidents {
            incidents.metrics().register(&mut registry);
            incidents.restore().await;
        }
        let watched = cluster::Settings {
            node_selector,
            retention: history.retention,
            observers: vec![Arc::clone(&health) as Arc<dyn Observer>],
        };
        let mut tasks = Tasks::default();
        let watches = cluster::spawn(&cluster, &client, watched, &clock, &mut tasks);
        tasks.spawn(
            "history",
            store::maintain(Arc::clone(&store), Arc::clone(&clock)),
        );
        let scraping = crate::scrape::run(
            scrape,
            scrape::Parts {
                kubelets,
                cluster: Arc::clone(&cluster),
                store: Arc::clone(&store),
                probes: Arc::clone(&health) as Arc<dyn ProbeSink>,
                clock: Arc::clone(&clock),
                stats: Arc::clone(&stats),
                changed: watches.nodes_changed.subscribe(),
            },
        );
        tasks.spawn("scrapes", scraping);
        tasks.spawn("health", {
            let health = Arc::clone(&health);
            async move { health.run().await }
        });
        watches.register(&mut registry);
        let auth = Auth::start(auth, &client, &clock, &mut tasks)?;
        auth.register(&mut registry);
        let wall = Arc::clone(&clock);
        let query = Arc::new(Query::new(
            cluster,
            store,
            health,
            watches,
            Arc::clone(&stats),
            clock,
            resolution,
        ));
        query.register(&mut registry);
        tasks.spawn("changes", Arc::clone(&query).watch());
        let (shutdown, stop) = (CancellationToken::new(), CancellationToken::new());
        let manager = serving_tls.manage.then(|| {
            let (service, certificates) = (&serving_tls.service, tls.certificates());
            let manager = Manager::new(&client, service, certificates, wall);
            manager.metrics().register(&mut registry);
            manager
        });
        let peers = match (peers, &manager) {
            (Some(shown), Some(manager)) => {
                let bundle = manager.bundle();
                Some(Peers::new(&client, &serving_tls.service, shown, bundle))
            }
            (Some(_), None) => {
                tracing::info!(
                    "other replicas, if there are any, are not asked for what they know: without \
                     --manage-apiservice-ca there is no CA to verify them by"
                );
                None
            }
            (None, _) => None,
        };
        let verifiable = manager.as_ref().map(Manager::ready);
        let pool = Pool::start(work::Settings::default()).map_err(StartError::Threads)?;
        let pool = Arc::new(pool);
        pool.register(&mut registry);
        let router = api::router(
            api::Sources {
                query: Arc::clone(&query),
                shutdown: shutdown.clone(),
                stop: stop.clone(),
                registry,
                state: Arc::clone(&state),
                auth: Arc::clone(&auth),
                verifiable: verifiable.clone(),
                settings: requests.clone(),
                pool: Arc::clone(&pool),
            },
            address.port(),
        );
        let limits = Limits {
            request: requests.request_timeout,
            ..Limits::default()
        };
        let serve = tls::serve(listener, tls, router, limits, stop.clone());
        let managed = verifiable.clone();
        tasks.spawn(SERVING, async move {
            if let Some(mut managed) = managed {
                // Until then nobody who verifies could connect, and the server is not ready. An API server that does not
                // answer may take long, and the kubelet's probes, which verify nothing, are to be answered.
                let _late = timeout(MANAGED, managed.wait_for(|ready| *ready)).await;
            }
            serve.await;
        });
        tasks.spawn("certificates", keeper.run());
        if let Some(manager) = manager {
            tasks.spawn("managed CA", manager.run());
        }
        tasks.spawn(
            "persistence",
            persist(Arc::clone(&state), peers, incidents.clone()),
        );
        let (sender, ready) = watch::channel(false);
        tasks.spawn("readiness", {
            let (query, auth) = (Arc::clone(&query), Arc::clone(&auth));
            async move {
                until_ready(&query, &stats, &auth, verifiable).await;
                sender.send_replace(true);
                std::future::pending().await
            }
        });
        Ok(Self {
            address,
            query,
            pool,
            auth,
            ready,
            shutdown,
            stop,
            shutdown_delay: requests.shutdown_delay_duration,
            state,
            incidents,
            tasks,
        })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// What it knows.
    pub fn query(&self) -> &Arc<Query> {
        &self.query
    }

    /// Does what visits the whole cluster.
    pub fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// Who asks, and may they.
    pub fn auth(&self) -> &Arc<Auth> {
        &self.auth
    }

    /// Completes when first answers exist and the kube-apiserver may ask for them, verifying us with the managed CA
    /// if there is one.
    pub async fn ready(&self) {
        let mut ready = self.ready.clone();
        if ready.wait_for(|ready| *ready).await.is_err() {
            // The task of readiness has ended by a defect.
            std::future::pending().await
        }
    }

    /// Completes when a task of a part has ended by itself, which only a defect can bring about, and returns the part's
    /// name: a server that learns nothing new must not look alive.
    pub async fn failed(&mut self) -> &'static str {
        self.tasks.ended().await
    }

    /// Is unready at once and goes on serving for the delay of its settings, so that others have time to hear of
    /// it. Then it stops taking requests, persists its state, lets requests under way finish, and ends.
    pub async fn shutdown(mut self) {
        self.shutdown.cancel();
        tokio::time::sleep(self.shutdown_delay).await;
        self.stop.cancel();
        let incidents = async {
            if let Some(incidents) = &self.incidents {
                incidents.save().await;
            }
        };
        let served = async { while self.tasks.ended().await != SERVING {} };
        tokio::join!(self.state.save(), incidents, served);
    }
}

/// Completes when first answers exist and requests with client certificates can be judged, and with a managed CA when
/// its certificate is served. Each of these stays so.
async fn until_ready(
    query: &Query,
    stats: &Stats,
    auth: &Auth,
    managed: Option<watch::Receiver<bool>>,
) {
    // The senders live as long as the parts.
    drop(auth.until_ready().wait_for(|ready| *ready).await);
    if let Some(mut managed) = managed {
        drop(managed.wait_for(|ready| *ready).await);
    }
    let watches = query.watches();
    let (mut scrapes, mut nodes) = (stats.ended(), watches.nodes_changed.subscribe());
    watches.nodes.until_synced().await;
    watches.pods.until_synced().await;
    while !is_ready(query.readiness()) {
        tokio::select! {
            _ended = scrapes.changed() => {}
            _changed = nodes.changed() => {}
        }
    }
}

/// Persists state and incidents. Does not return.
async fn persist(
    state: Arc<StatePersister>,
    peers: Option<Peers>,
    incidents: Option<Arc<Incidents>>,
) {
    let incidents = async {
        if let Some(incidents) = incidents {
            incidents.run().await;
        }
    };
    tokio::join!(state.run(peers), incidents);
}

fn is_ready(readiness: Readiness) -> bool {
    readiness.synced.is_ok() && readiness.storage.is_ok()
}
