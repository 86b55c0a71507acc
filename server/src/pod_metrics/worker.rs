//! When pods are scraped: a task for each, at a turn that its UID fixes.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::exposition::{Format, Limits as PageLimits};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::PodMetrics;
use super::client;
use super::config::{Config, ConfigError, RELOAD_INTERVAL, Reloader};
use super::explain::LastScrape;
use super::ingest::{self, Page};
use super::lanes::Lanes;
use super::metrics::Targets;
use super::series::Reported;
use super::settings::Settings;
use super::target::{Refusal, Target};
use crate::clock::Clock;
use crate::cluster::{Cluster, Pod, PodKey, Uid};
use crate::scrape::{Connection, Phase, ScrapeError};
use crate::telemetry::LogThrottle;

/// The longest pause after failures, in intervals.
const LONGEST_PAUSE: u32 = 16;

/// A pod that takes longer than this part of its timeout is slow.
const SLOW_PART: u32 = 4;

/// The connections that stay open between two scrapes. Other pods have a new one each time.
const KEPT_CONNECTIONS: usize = 1024;

/// The time between two updates of what is asked for, and of old values, without a change.
const UPKEEP: Duration = Duration::from_secs(30);

/// The time in which changes of what is asked for are collected.
const SETTLE: Duration = Duration::from_millis(100);

/// The time between two log lines about pods that cannot be scraped.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// The bound of buckets and labels of a page.
const MAX_SAMPLES_OF_SERIES: usize = 64;

/// What scrapes need.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Notified when an autoscaler has changed.
    pub(crate) hpas_changed: watch::Receiver<()>,
}

/// Scrapes pods.
#[derive(Debug)]
pub(crate) struct Scraper {
    store: Arc<PodMetrics>,
    reloader: Option<Reloader>,
    hpas_changed: watch::Receiver<()>,
}

/// What the tasks of pods share.
#[derive(Debug)]
struct Shared {
    store: Arc<PodMetrics>,
    lanes: Lanes,
    connections: Arc<Semaphore>,
    log: parking_lot::Mutex<LogThrottle>,
}

/// The task of a pod, which ends when this is dropped.
#[derive(Debug)]
struct Running {
    uid: Uid,
    target: Arc<Target>,
    task: AbortHandle,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Scraper {
    /// Reads the config. Nothing is scraped before [`run`](Self::run).
    ///
    /// # Errors
    /// The config file is invalid.
    pub(crate) fn new(settings: Settings, parts: Parts) -> Result<Self, ConfigError> {
        let (interval, window) = (settings.interval, settings.window);
        let file = settings.config.clone();
        let store = Arc::new(PodMetrics::new(settings, parts.cluster, parts.clock));
        let reloader = match file {
            None => None,
            Some(path) => {
                let (reloader, config) = Reloader::start(path, interval, window)?;
                store.config.store(Arc::new(config));
                Some(reloader)
            }
        };
        Ok(Self {
            store,
            reloader,
            hpas_changed: parts.hpas_changed,
        })
    }

    /// What is scraped.
    pub(crate) fn store(&self) -> &Arc<PodMetrics> {
        &self.store
    }

    /// Scrapes pods, forever.
    pub(crate) async fn run(mut self) {
        let shared = Arc::new(Shared {
            store: Arc::clone(&self.store),
            lanes: Lanes::default(),
            connections: Arc::new(Semaphore::new(KEPT_CONNECTIONS)),
            log: parking_lot::Mutex::new(LogThrottle::new(LOG_INTERVAL)),
        });
        let mut targets = BTreeMap::new();
        let mut refused = BTreeMap::new();
        let mut reload = tokio::time::interval(RELOAD_INTERVAL);
        let mut upkeep = tokio::time::interval(UPKEEP);
        let store = Arc::clone(&self.store);
        loop {
            tokio::select! {
                () = store.pending.changed.notified() => {
                    for (key, pod) in store.pending.take() {
                        apply(&shared, &mut targets, &mut refused, key, pod);
                    }
                }
                _ = self.hpas_changed.changed() => self.update_demands().await,
                () = store.demands.changed.notified() => self.update_demands().await,
                _ = upkeep.tick() => {
                    self.update_demands().await;
                    store.expire();
                }
                _ = reload.tick() => {
                    if let Some(config) = self.reloader.as_mut().and_then(Reloader::check) {
                        use_config(&shared, &mut targets, &mut refused, config);
                    }
                }
            }
            *store.metrics.targets.lock() = Targets {
                scraped: targets.len(),
                refused: refused.len(),
                invalid_config: self.reloader.as_ref().is_some_and(Reloader::is_failing),
            };
        }
    }

    async fn update_demands(&self) {
        tokio::time::sleep(SETTLE).await;
        let hpas = self.store.cluster.hpas();
        self.store.demands.update(&hpas, self.store.clock.elapsed());
    }
}

/// Applies a config that was read again to all pods.
fn use_config(
    shared: &Arc<Shared>,
    targets: &mut BTreeMap<PodKey, Running>,
    refused: &mut BTreeMap<PodKey, Refusal>,
    mut config: Config,
) {
    config.adopt(&shared.store.config.load());
    tracing::info!(
        rules = config.rules.len(),
        "the config of pods' own metrics has changed and is used from now on"
    );
    shared.store.config.store(Arc::new(config));
    for (key, pod) in &*shared.store.cluster.pods() {
        apply(shared, targets, refused, key.clone(), Some(Arc::clone(pod)));
    }
}

/// Starts, changes or ends the scrapes of a pod.
fn apply(
    shared: &Arc<Shared>,
    targets: &mut BTreeMap<PodKey, Running>,
    refused: &mut BTreeMap<PodKey, Refusal>,
    key: PodKey,
    pod: Option<Arc<Pod>>,
) {
    let store = &shared.store;
    let before = targets.get(&key);
    let target = pod
        .as_ref()
        .map(|pod| (pod.uid, Target::of(pod, &store.config.load())));
    let same_pod =
        matches!((before, &target), (Some(before), Some((uid, _))) if before.uid == *uid);
    match target {
        Some((uid, Ok(target))) => {
            refused.remove(&key);
            if same_pod && before.is_some_and(|before| *before.target == target) {
                return;
            }
            if before.is_some() && !same_pod {
                store.remove(&key);
            }
            let target = Arc::new(target);
            let task = follow(Arc::clone(shared), key.clone(), uid, Arc::clone(&target));
            let task = tokio::spawn(task).abort_handle();
            targets.insert(key, Running { uid, target, task });
        }
        other => {
            // The values of a pod that an exporter names stay for as long as the pod does.
            if targets.remove(&key).is_some() || pod.is_none() {
                store.remove(&key);
            }
            match other {
                Some((_, Err(refusal))) if refusal.is_problem() => {
                    if refused.get(&key) != Some(&refusal) {
                        log_refusal(shared, &key, &refusal);
                        refused.insert(key, refusal);
                    }
                }
                _ => {
                    refused.remove(&key);
                }
            }
        }
    }
}

fn log_refusal(shared: &Shared, key: &PodKey, refusal: &Refusal) {
    if let Some(unreported) = shared.log.lock().allow() {
        tracing::warn!(unreported, namespace = %key.namespace, pod = %key.name, "cannot scrape the pod: {refusal}");
    }
}

/// Scrapes one pod, forever.
async fn follow(shared: Arc<Shared>, pod: PodKey, uid: Uid, target: Arc<Target>) {
    let clock = Arc::clone(&shared.store.clock);
    let phase = Phase::of(&uid.to_string(), target.rule.interval);
    let mut state = Following::default();
    let until_turn = phase.until_next(clock.wall(), 0, LONGEST_PAUSE);
    // At once, unless its turn is near or it has values from before a change of the config.
    if shared.store.is_scraped(&pod) || until_turn < target.rule.interval / 3 {
        clock.sleep(until_turn).await;
    }
    loop {
        // On the heap, because most tasks wait for their turn.
        let (reported, scrape) = Box::pin(shared.scrape(&pod, &target, &mut state)).await;
        let next = clock.sleep(phase.until_next(clock.wall(), state.failures, LONGEST_PAUSE));
        // Last: a reader of the result may rely on the time of the next scrape.
        shared.store.store(&pod, &target, reported, scrape);
        next.await;
    }
}

/// What a task knows between two scrapes.
#[derive(Debug, Default)]
struct Following {
    failures: u32,
    /// Whether the pod answered promptly when it was scraped last.
    prompt: bool,
    connection: Option<(Connection, OwnedSemaphorePermit)>,
}

impl Shared {
    /// Scrapes a pod. Returns the result, which is not stored yet.
    async fn scrape(
        &self,
        pod: &PodKey,
        target: &Target,
        state: &mut Following,
    ) -> (Vec<Reported>, LastScrape) {
        let lane = if state.prompt {
            &self.lanes.prompt
        } else {
            &self.lanes.slow
        };
        let place = lane.enter(&pod.namespace).await;
        let begin = Instant::now();
        let (mut idle, permit) = state.connection.take().unzip();
        let response = client::get(target, &mut idle, (&self.lanes.large, &pod.namespace)).await;
        drop(place);
        let permit = permit.or_else(|| Arc::clone(&self.connections).try_acquire_owned().ok());
        state.connection = idle.zip(permit);
        let mut scrape = LastScrape {
            at: self.store.clock.wall(),
            duration: begin.elapsed(),
            bytes: 0,
            samples: 0,
            problems: Vec::new(),
            result: Ok(()),
        };
        let page = response
            .map_err(|error| Failed::of(&error))
            .and_then(|response| {
                scrape.bytes = response.body.len();
                self.read(pod, target, &response)
            });
        match page {
            Ok(page) => {
                state.failures = 0;
                scrape.samples = page.samples;
                for (reason, problem) in page.problems {
                    self.store.metrics.unused.inc([reason]);
                    scrape.problems.push(problem);
                }
                state.prompt = scrape.duration < target.rule.timeout / SLOW_PART;
                self.log_problems(pod, &scrape);
                (page.reported, scrape)
            }
            Err(failed) => {
                state.failures = state.failures.saturating_add(1);
                state.prompt = false;
                self.store.metrics.scrapes.inc([failed.reason]);
                self.log_failure(pod, target, state.failures, &failed);
                scrape.result = Err((failed.clause, failed.hint));
                (Vec::new(), scrape)
            }
        }
    }

    fn read(
        &self,
        pod: &PodKey,
        target: &Target,
        response: &client::Response,
    ) -> Result<Page, Failed> {
        let bounds = &target.rule.bounds;
        // As Prometheus with fallback_scrape_protocol: most old exporters send no usable Content-Type.
        let negotiated = Format::negotiated(response.content_type.as_deref(), Some(Format::Text));
        let negotiated = negotiated.map_err(|error| Failed::malformed(error.to_string()))?;
        let limits = PageLimits {
            samples: bounds.series.saturating_mul(MAX_SAMPLES_OF_SERIES),
            label_bytes: bounds.label,
            ..PageLimits::default()
        };
        let keeps = self.store.keeper(pod, target);
        ingest::read(&response.body, negotiated.format, limits, keeps).map_err(|clause| {
            match negotiated.fell_back {
                Some(error) => Failed::malformed(format!("{clause}; {error}")),
                None => Failed::malformed(clause),
            }
        })
    }

    fn log_failure(&self, pod: &PodKey, target: &Target, failures: u32, failed: &Failed) {
        // Once when it begins. `why` has the last failure of each pod.
        if failures == 1
            && let Some(unreported) = self.log.lock().allow()
        {
            tracing::warn!(
                unreported,
                namespace = %pod.namespace,
                pod = %pod.name,
                url = %format!("{}{}", target.origin(), target.path),
                hint = %failed.hint,
                "cannot scrape the pod's own metrics: {}",
                failed.clause
            );
        }
    }

    fn log_problems(&self, pod: &PodKey, scrape: &LastScrape) {
        if !scrape.problems.is_empty()
            && !self.store.had_problems(pod)
            && let Some(unreported) = self.log.lock().allow()
        {
            tracing::warn!(
                unreported,
                namespace = %pod.namespace,
                pod = %pod.name,
                "a part of the pod's own metrics is not used: {}",
                scrape.problems.join("; ")
            );
        }
    }
}

/// Why a scrape failed.
#[derive(Debug)]
struct Failed {
    reason: &'static str,
    clause: String,
    hint: String,
}

impl Failed {
    fn of(error: &ScrapeError) -> Self {
        Self {
            reason: error.reason(),
            clause: client::clause(error),
            hint: client::hint(error),
        }
    }

    fn malformed(clause: String) -> Self {
        Self::of(&ScrapeError::Malformed(clause))
    }
}
