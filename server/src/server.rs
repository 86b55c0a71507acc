//! The whole server: connects its parts, starts and stops them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::api;
use crate::auth::{Auth, AuthError};
use crate::availability::Availability;
use crate::cluster::{self, Cluster, Observer, Services};
use crate::config::Settings;
use crate::engine::Engine;
use crate::export::{self, Election, ExportParts, PageSource};
use crate::health::{self, Health, StoreUsageHistory};
use crate::manage::Manager;
use crate::memory::Memory;
use crate::outbound::OutboundError;
use crate::pod_metrics;
use crate::query::{Query, QueryParts, Readiness};
use crate::scrape::{self, Kubelets, NodeFilter, ProbeSink, Stats, TlsError};
use crate::shard::Shards;
use crate::state::{self, Incidents, Peers, StatePersister};
use crate::store::{self, Store};
use crate::tasks::Tasks;
use crate::telemetry::metrics::Registry;
use crate::telemetry::{self, chain};
use crate::tls::{self, CertificateError, Limits, Tls};
use crate::work::{self, Pool};

/// How long requests wait at start for a certificate of the managed CA.
const MANAGED: Duration = Duration::from_secs(10);

/// The part that ends with the last request.
const SERVING: &str = "connections";

/// The age above which a persisted state is not restored.
const MAX_STATE_AGE: Duration = Duration::from_secs(24 * 3600);

/// The time for which other shards' samples are stored beyond what a cause needs: a termination is reported late.
const MARGIN: Duration = Duration::from_secs(60);

/// Why the server could not start, in one line.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The server cannot listen on the address.
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
    /// Authentication and authorization.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The metrics of scrapes.
    #[error("cannot make the latency histogram: {0}")]
    Stats(#[from] hdrhistogram::CreationError),
    /// The client of the long history.
    #[error("cannot use --history-http-config: {0}")]
    Engine(#[from] OutboundError),
    /// The config of pods' own metrics.
    #[error("cannot use --pod-metrics-config: {0}")]
    PodMetrics(#[from] pod_metrics::ConfigError),
    /// The thread for scrapes, or those for requests that visit the whole cluster.
    #[error("cannot start a thread: {0}; raise the limit of processes (pids)")]
    Threads(#[source] std::io::Error),
}

/// A running server. Dropping it aborts all its tasks; [`Server::shutdown`] lets requests in flight finish.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    query: Arc<Query>,
    pool: Arc<Pool>,
    auth: Arc<Auth>,
    ready: watch::Receiver<bool>,
    /// Cancelled at the start of the shutdown: the server is no longer ready.
    shutdown: CancellationToken,
    /// Cancelled when the server accepts no more requests.
    stop: CancellationToken,
    shutdown_delay: Duration,
    state: Arc<StatePersister>,
    incidents: Option<Arc<Incidents>>,
    election: Option<Election>,
    tasks: Tasks,
}

impl Server {
    /// Starts watches, scrapes and serving. The server listens when this returns; it has data when it is
    /// [ready](Self::ready).
    ///
    /// # Errors
    /// The server cannot listen, or a certificate, key or CA cannot be used. An API server or kubelets that do not
    /// respond are no error: the server retries.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        // Before any client is made.
        let _provider = tls::provider();
        let summary = settings.to_string();
        let Settings {
            kube,
            listen,
            tls: serving_tls,
            auth,
            scrape,
            credentials,
            history,
            availability,
            engine,
            pod_metrics,
            state,
            incidents,
            export,
            notify,
            peers,
            shard,
            node_selector,
            requests,
            clock,
            memory_limit,
            allocator,
        } = settings;
        let resolution = scrape.resolution;
        let kubelets = Kubelets::new(Arc::new(credentials), scrape.timeout)?;
        let stats = Arc::new(Stats::new(scrape.timeout, resolution)?);
        let (tls, cert_reloader) = Tls::new(&serving_tls, Arc::clone(&clock))?;
        let mut registry = Registry::default();
        telemetry::register_process(&mut registry);
        if let Some(read) = allocator {
            telemetry::register_allocator(&mut registry, read);
        }
        let read = move || allocator?();
        let memory = Arc::new(Memory::new(memory_limit, Box::new(read)));
        memory.register(&mut registry);
        stats.register(&mut registry);
        tls.metrics().register(&mut registry, tls.certificates());
        let listen_error = |cause| StartError::Listen {
            address: listen,
            cause,
        };
        let listener = tls::listen(listen, serving_tls.share_port).map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;
        let cluster_url = kube.cluster_url.to_string();
        let client = Client::try_from(kube).map_err(|error| StartError::Client(Box::new(error)))?;

        tracing::info!(%address, "vitals-server {} serves on {address}: {summary}", env!("CARGO_PKG_VERSION"));

        let cluster = Arc::new(Cluster::default());
        let store = match shard {
            None => Store::new(history),
            Some(_) => Store::new(history)
                .with_history_of_others(health::USAGE_BEFORE_TERMINATION + MARGIN),
        };
        let store = Arc::new(store);
        let health = Health::new(
            Arc::clone(&cluster),
            Arc::new(StoreUsageHistory(Arc::clone(&store))),
            Arc::clone(&clock),
            health::Limits {
                history: history.retention,
                ..health::Limits::default()
            },
        );
        let availability = availability.map(|retention| {
            Availability::new(Arc::clone(&cluster), Arc::clone(&clock), retention)
        });
        let folder = state.as_ref().map(|state| state.folder.clone());
        let state = StatePersister::new(
            state,
            Arc::new(state::StateParts {
                store: Arc::clone(&store),
                cluster: Arc::clone(&cluster),
                health: Arc::clone(&health),
                availability: availability.clone(),
                clock: Arc::clone(&clock),
                resolution,
                max_age: MAX_STATE_AGE,
            }),
        );
        let shards = shard.map(|shard| {
            let shards = Shards::new(shard, Arc::clone(state.parts()), state.process());
            shards.register(&mut registry);
            shards
        });
        cluster.register(&mut registry);
        health.register(&mut registry);
        if let Some(availability) = &availability {
            availability.register(&mut registry);
        }
        store::history::register(&mut registry, &store, &clock);
        state.metrics().register(&mut registry);
        // Before the first scrape: the server has data before a kubelet responds, and reports nothing twice.
        state.restore().await;
        let incidents = incidents.map(|name| {
            let configmap = (&*serving_tls.service.namespace, &*name);
            Arc::new(Incidents::new(&client, configmap, &health, &clock))
        });
        if let Some(incidents) = &incidents {
            incidents.metrics().register(&mut registry);
            incidents.restore().await;
        }
        let starts = Arc::new(scrape::Starts::new(Arc::clone(&clock)));
        let mut observers = vec![
            Arc::clone(&health) as Arc<dyn Observer>,
            Arc::clone(&starts) as Arc<dyn Observer>,
        ];
        observers.extend(availability.clone().map(|it| it as Arc<dyn Observer>));
        let (pod_metrics, hpas_changed) = match pod_metrics {
            None => (None, None),
            Some(settings) => {
                let (changed, hpas_changed) = watch::channel(());
                cluster.store_endpoints();
                let parts = pod_metrics::Parts {
                    cluster: Arc::clone(&cluster),
                    clock: Arc::clone(&clock),
                    hpas_changed,
                };
                (
                    Some(pod_metrics::Scraper::new(settings, parts)?),
                    Some(changed),
                )
            }
        };
        if let Some(scraper) = &pod_metrics {
            scraper.store().register(&mut registry);
            observers.push(Arc::clone(scraper.store()) as Arc<dyn Observer>);
        }
        let watched = cluster::Settings {
            node_selector,
            retention: history.retention,
            observers,
            memory: Arc::clone(&memory),
            hpas_changed,
        };
        let mut tasks = Tasks::default();
        let watches = cluster::spawn(&cluster, &client, watched, &clock, &mut tasks);
        tasks.spawn(
            "history",
            store::maintain(Arc::clone(&store), watches.clone(), Arc::clone(&clock)),
        );
        let scraping = crate::scrape::run(
            scrape,
            scrape::Parts {
                starts,
                kubelets,
                cluster: Arc::clone(&cluster),
                store: Arc::clone(&store),
                probes: match &shards {
                    Some(shards) => Arc::clone(shards) as Arc<dyn ProbeSink>,
                    None => Arc::clone(&health) as Arc<dyn ProbeSink>,
                },
                filter: shards
                    .as_ref()
                    .map(|shards| Arc::clone(shards) as Arc<dyn NodeFilter>),
                clock: Arc::clone(&clock),
                stats: Arc::clone(&stats),
                memory: Arc::clone(&memory),
                changed: watches.nodes_changed.subscribe(),
            },
        );
        tasks
            .spawn_on_thread("scrapes", scraping)
            .map_err(StartError::Threads)?;
        tasks.spawn("health", {
            let health = Arc::clone(&health);
            async move { health.run().await }
        });
        let pods_own = pod_metrics
            .as_ref()
            .map(|scraper| Arc::clone(scraper.store()));
        if let Some(scraper) = pod_metrics {
            // On a thread of its own, so that a large page delays neither requests nor scrapes of kubelets.
            let scraping = scraper.run();
            tasks
                .spawn_on_thread("pods' metrics", scraping)
                .map_err(StartError::Threads)?;
        }
        watches.register(&mut registry);
        let (shutdown, stop) = (CancellationToken::new(), CancellationToken::new());
        let exported = ExportParts {
            cluster: Arc::clone(&cluster),
            store: Arc::clone(&store),
            health: Arc::clone(&health),
            availability: availability.clone(),
            clock: Arc::clone(&clock),
            client: client.clone(),
            namespace: serving_tls.service.namespace.clone(),
            folder,
            resolution,
            sharded: shards.is_some(),
            cluster_url,
            stop: stop.clone(),
        };
        let election = export::start(export, notify, exported, &mut registry, &mut tasks);
        let election = election.map_err(StartError::Threads)?;
        let auth = Auth::start(auth, &client, &clock, &mut tasks)?;
        auth.register(&mut registry);
        let engine = engine.map(Engine::new).transpose()?.map(Arc::new);
        if let Some(engine) = &engine {
            engine.register(&mut registry);
        }
        let wall = Arc::clone(&clock);
        let services = Arc::new(Services::new(client.clone(), Arc::clone(&clock)));
        let pages = PageSource::new(
            &cluster,
            &store,
            &health,
            availability.as_ref(),
            &clock,
            client.clone(),
        );
        let serves_custom = pods_own.is_some();
        let query = Arc::new(Query::new(QueryParts {
            cluster,
            store,
            health,
            availability,
            shards: shards.clone(),
            watches,
            stats: Arc::clone(&stats),
            clock,
            resolution,
            engine,
            pod_metrics: pods_own,
        }));
        query.register(&mut registry);
        tasks.spawn("changes", Arc::clone(&query).watch());
        let manager = serving_tls.manage.then(|| {
            let (service, certificates) = (&serving_tls.service, tls.certificates());
            let manager = Manager::new(&client, service, certificates, wall, serves_custom);
            manager.metrics().register(&mut registry);
            manager
        });
        let peers = match (peers, &manager) {
            (Some(credentials), Some(manager)) => {
                let bundle = manager.bundle();
                Some(Peers::new(
                    &client,
                    &serving_tls.service,
                    credentials,
                    bundle,
                    state.process(),
                ))
            }
            (Some(_), None) => {
                tracing::info!(
                    "no state is transferred from other replicas: without --manage-apiservice-ca there is no CA to \
                     verify them"
                );
                None
            }
            (None, _) => None,
        };
        let peers = match (&shards, peers) {
            (Some(shards), Some(peers)) => {
                let exchange = Arc::clone(shards).run(peers, query.watches().clone());
                tasks.spawn("shards", exchange);
                None
            }
            (_, peers) => peers,
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
                pages,
                state: Arc::clone(&state),
                shards,
                services,
                auth: Arc::clone(&auth),
                verifiable: verifiable.clone(),
                settings: requests.clone(),
                pool: Arc::clone(&pool),
                memory,
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
                // Before that, no client that verifies could connect. The wait is limited, because the API server may
                // not respond, and the kubelet's probes, which do not verify, need a response.
                let _late = timeout(MANAGED, managed.wait_for(|ready| *ready)).await;
            }
            serve.await;
        });
        tasks.spawn("certificates", cert_reloader.run());
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
            election,
            tasks,
        })
    }

    /// The address that the server listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Queries on the data.
    pub fn query(&self) -> &Arc<Query> {
        &self.query
    }

    /// The threads for requests that visit the whole cluster.
    pub fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// Authentication and authorization.
    pub fn auth(&self) -> &Arc<Auth> {
        &self.auth
    }

    /// Completes when the server has its first data and the kube-apiserver can request it, verified with the managed CA
    /// if there is one.
    pub async fn ready(&self) {
        let mut ready = self.ready.clone();
        if ready.wait_for(|ready| *ready).await.is_err() {
            // The readiness task has ended by a defect.
            std::future::pending().await
        }
    }

    /// Completes when a task has ended by itself, which only a defect can cause, and returns the name of its part. A
    /// server without updates must not appear alive.
    pub async fn failed(&mut self) -> &'static str {
        self.tasks.ended().await
    }

    /// Makes the server unready at once and continues to serve for the delay of the settings, so that clients notice.
    /// Then it accepts no more requests, persists the state, lets requests in flight finish, and ends.
    pub async fn shutdown(mut self) {
        self.shutdown.cancel();
        tokio::time::sleep(self.shutdown_delay).await;
        self.stop.cancel();
        let incidents = async {
            if let Some(incidents) = &self.incidents {
                incidents.save().await;
            }
        };
        let election = async {
            if let Some(election) = &mut self.election {
                election.ended().await;
            }
        };
        let served = async { while self.tasks.ended().await != SERVING {} };
        tokio::join!(self.state.save(), incidents, election, served);
    }
}

/// Completes when the server has its first data and can authenticate client certificates, and with a managed CA, when
/// it serves that CA's certificate. Each of these conditions stays true.
async fn until_ready(
    query: &Query,
    stats: &Stats,
    auth: &Auth,
    managed: Option<watch::Receiver<bool>>,
) {
    auth.until_ready().await;
    if let Some(mut managed) = managed {
        // The sender lives as long as the manager.
        drop(managed.wait_for(|ready| *ready).await);
    }
    let watches = query.watches();
    let (mut scrapes, mut nodes) = (stats.ended(), watches.nodes_changed.subscribe());
    watches.nodes.until_synced().await;
    watches.pods.until_synced().await;
    let is_ready = |readiness: Readiness| readiness.synced.is_ok() && readiness.storage.is_ok();
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
