//! The whole server: its parts wired together, started, and stopped.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::api;
use crate::auth::{Auth, AuthError};
use crate::cluster::{self, Cluster, Observer};
use crate::config::Settings;
use crate::health::{self, Health, StoreUsageHistory};
use crate::manage::Manager;
use crate::query::{Query, Readiness};
use crate::scrape::{self, Kubelets, ProbeSink, Stats, TlsError};
use crate::state::{self, Incidents, Keeper as StateKeeper, Peers};
use crate::store::{self, Store};
use crate::telemetry::metrics::Registry;
use crate::telemetry::{self, chain};
use crate::tls::{self, CertificateError, Keeper, Limits, Tls};
use crate::work::{self, Pool};

/// How long requests wait at start for a certificate of the managed CA.
const MANAGED: Duration = Duration::from_secs(10);

/// What was written down longer ago holds nothing that is still remembered.
const KEPT_FOR: Duration = Duration::from_secs(24 * 3600);

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
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// The API server's client.
    #[error("cannot make a client for the API server: {0}")]
    Client(String),
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
    Threads(std::io::Error),
}

/// A running server. Dropping it ends the scrapes; [`Server::shutdown`] also lets requests under way finish.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    query: Arc<Query>,
    pool: Arc<Pool>,
    ending: watch::Sender<bool>,
    shutdown_delay: Duration,
    auth: Arc<Auth>,
    /// With a managed CA: whether who verifies may connect.
    verifiable: Option<watch::Receiver<bool>>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    scraping: JoinHandle<()>,
    noticing: JoinHandle<()>,
    looking: JoinHandle<()>,
    watches: cluster::WatchTasks,
    state: Arc<StateKeeper>,
    incidents: Option<Arc<Incidents>>,
    keeping: JoinHandle<()>,
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
        let client = Client::try_from(kube).map_err(|error| StartError::Client(chain(&error)))?;

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
        let state = StateKeeper::new(
            state,
            Arc::new(state::Parts {
                store: Arc::clone(&store),
                cluster: Arc::clone(&cluster),
                health: Arc::clone(&health),
                clock: Arc::clone(&clock),
                resolution,
                kept_for: KEPT_FOR,
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
        let (watches, tasks) = cluster::spawn(&cluster, &client, watched, &clock);
        let remembering = store::maintain(Arc::clone(&store), Arc::clone(&clock));
        let scraping = crate::scrape::run(
            scrape,
            scrape::Parts {
                kubelets,
                cluster: Arc::clone(&cluster),
                store: Arc::clone(&store),
                probes: Arc::clone(&health) as Arc<dyn ProbeSink>,
                clock: Arc::clone(&clock),
                stats: Arc::clone(&stats),
                changed: Arc::clone(&watches.nodes_changed),
            },
        );
        let scraping = tokio::spawn(async {
            tokio::select! {
                () = scraping => {}
                () = remembering => {}
            }
        });
        let noticing = tokio::spawn({
            let health = Arc::clone(&health);
            async move { health.run().await }
        });
        watches.register(&mut registry);
        let auth = Auth::start(auth, &client, &clock)?;
        auth.register(&mut registry);
        let wall = Arc::clone(&clock);
        let query = Arc::new(Query::new(
            cluster, store, health, watches, stats, clock, resolution,
        ));
        query.register(&mut registry);
        let looking = tokio::spawn(Arc::clone(&query).watch());
        let (ending, asked_to_end) = watch::channel(false);
        let (stop, stopped) = watch::channel(false);
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
                stopped: asked_to_end,
                ending: stopped.clone(),
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
        let serve = tls::serve(listener, tls, router, limits, stopped);
        let serving = tokio::spawn(serve_kept(serve, keeper, manager));
        Ok(Self {
            address,
            query,
            pool,
            ending,
            shutdown_delay: requests.shutdown_delay_duration,
            auth,
            verifiable,
            stop,
            serving,
            scraping,
            noticing,
            looking,
            watches: tasks,
            keeping: tokio::spawn(persist(Arc::clone(&state), peers, incidents.clone())),
            state,
            incidents,
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
        // Readiness is a condition over many parts; looking is simpler than having each of them tell.
        const LOOK: Duration = Duration::from_millis(20);
        let verifiable = || self.verifiable.as_ref().is_none_or(|ready| *ready.borrow());
        while !(is_ready(self.query.readiness()) && self.auth.ready() && verifiable()) {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Completes when scraping, watching or serving has ended by itself, which only a defect can bring about: a
    /// server that knows nothing new must not look alive.
    pub async fn failed(&self) {
        const LOOK: Duration = Duration::from_secs(1);
        while !(self.scraping.is_finished()
            || self.noticing.is_finished()
            || self.looking.is_finished()
            || self.serving.is_finished()
            || self.watches.is_finished()
            || self.auth.is_finished())
        {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Is unready at once and goes on serving for the delay of its settings, so that others have time to hear of
    /// it. Then it stops taking requests, writes down what is to outlive it, lets requests under way finish, and ends.
    pub async fn shutdown(mut self) {
        self.ending.send_replace(true);
        tokio::time::sleep(self.shutdown_delay).await;
        self.stop.send_replace(true);
        let incidents = async {
            if let Some(incidents) = &self.incidents {
                incidents.save().await;
            }
        };
        let save = async { tokio::join!(self.state.save(), incidents) };
        // A panic in the accept loop has been reported by its task.
        let (_saved, _ended) = tokio::join!(save, &mut self.serving);
    }
}

/// Serves, and keeps what is shown as it should be.
async fn serve_kept(serve: impl Future<Output = ()>, keeper: Keeper, manager: Option<Manager>) {
    let managed = manager.as_ref().map(Manager::ready);
    let serve = async {
        if let Some(mut ready) = managed {
            // Until then nobody who verifies could connect, and the server is not ready. An API server that does not
            // answer may take long, and the kubelet's probes, which verify nothing, are to be answered.
            let _late = timeout(MANAGED, ready.wait_for(|ready| *ready)).await;
        }
        serve.await;
    };
    let manage = async {
        match manager {
            Some(manager) => manager.run().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = serve => {}
        () = keeper.run() => {}
        () = manage => {}
    }
}

/// Persists state and incidents. Does not return.
async fn persist(state: Arc<StateKeeper>, peers: Option<Peers>, incidents: Option<Arc<Incidents>>) {
    let incidents = async {
        if let Some(incidents) = incidents {
            incidents.run().await;
        }
    };
    tokio::join!(state.run(peers), incidents);
}

impl Drop for Server {
    fn drop(&mut self) {
        self.scraping.abort();
        self.noticing.abort();
        self.looking.abort();
        self.serving.abort();
        self.watches.abort();
        self.keeping.abort();
    }
}

fn is_ready(readiness: Readiness) -> bool {
    readiness.synced.is_ok() && readiness.storage.is_ok()
}
