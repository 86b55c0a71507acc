//! External metrics from a Prometheus-compatible engine: the results of the queries of `--external-query-config`.
//!
//! A query is evaluated at its interval while somebody reads it, for each namespace that reads it if it has a placeholder
//! for the namespace. Readers get the latest result and never wait for the engine.

mod config;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::labels::Labels;
use kubevitals_proto::selector::LabelSelector;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::clock::{Age, Clock};
use crate::engine::{Engine, EngineError, Series};
use crate::outbound::OutboundError;
use crate::pod_metrics::Value;
use crate::telemetry::LogThrottle;
use crate::telemetry::metrics::Registry;

pub use config::{ConfigError, Query, RESERVED};
pub use settings::{ExternalQueryFlags, Settings, SettingsError};

/// How long a query is evaluated after somebody has read it.
const KEPT: Duration = Duration::from_secs(600);

/// A result that is older than so many intervals is stale.
const STALE_INTERVALS: u32 = 3;

/// The most results: queries times namespaces.
const MAX_RESULTS: usize = 1_000;

/// The most series of a result.
const MAX_SERIES: usize = 1_000;

/// The most bytes of the labels of a series.
const MAX_LABELS: usize = 4_096;

const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// Why a query has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryAbsence {
    /// The administrator has not allowed it.
    #[error("--external-query-config does not allow this query in the namespace")]
    NotAllowed,
    /// It is evaluated for the first time.
    #[error("the query is being evaluated for the first time: try again in a moment")]
    Pending,
    /// The engine has no usable answer.
    #[error("the engine of external queries {0}")]
    Failed(String),
    /// The result is too old.
    #[error("the last result is {age_seconds} s old, and the engine of external queries {why}")]
    Stale {
        /// The age of the result.
        age_seconds: u64,
        /// What the engine does since.
        why: String,
    },
    /// No series, or none that is selected.
    #[error("the result of the query has no series that the selector matches")]
    NoSeries,
    /// There are too many results.
    #[error("{MAX_RESULTS} other queries and namespaces are read already")]
    TooMany,
}

/// The queries and their latest results.
#[derive(Debug)]
pub struct ExternalQueries {
    engine: Engine,
    clock: Arc<dyn Clock>,
    queries: BTreeMap<Arc<str>, Arc<Query>>,
    results: Mutex<BTreeMap<Key, Entry>>,
    /// Somebody reads a query that was not evaluated.
    asked: Notify,
    warnings: Mutex<LogThrottle>,
}

/// A query's name, and the namespace if each has a result of its own.
type Key = (Arc<str>, Option<Arc<str>>);

type Values = Arc<[(Labels, Value)]>;

/// Values, and when their evaluation began.
type Latest = (Age, Values);

#[derive(Debug)]
struct Entry {
    /// The last time at which somebody read it.
    asked: Age,
    /// The time of the next evaluation.
    due: Age,
    evaluating: bool,
    latest: Option<Latest>,
    /// What the engine has done since the latest result.
    problem: Option<String>,
}

impl ExternalQueries {
    /// Makes the client of the engine. It sends nothing before [`ExternalQueries::run`].
    ///
    /// # Errors
    /// The credentials cannot be used.
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, OutboundError> {
        let queries = settings.queries.into_iter();
        let queries: BTreeMap<_, _> = queries.map(|it| (Arc::clone(&it.name), it)).collect();
        let now = clock.elapsed();
        // Those of all namespaces are known at the start.
        let of_all = queries.values().filter(|query| !query.is_of_namespace());
        let results = of_all.map(|query| ((Arc::clone(&query.name), None), Entry::new(now)));
        Ok(Self {
            engine: Engine::new(settings.engine)?,
            results: Mutex::new(results.take(MAX_RESULTS).collect()),
            clock,
            queries,
            asked: Notify::new(),
            warnings: Mutex::new(LogThrottle::new(WARNING_INTERVAL)),
        })
    }

    /// Registers the metrics.
    pub fn register(&self, registry: &mut Registry) {
        self.engine.register_external(registry);
    }

    /// The names of all queries, sorted.
    pub fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.queries.keys()
    }

    /// Whether there is a query of that name.
    pub fn has(&self, name: &str) -> bool {
        self.queries.contains_key(name)
    }

    /// The latest values of a query, of the series that `selector` matches. The query is evaluated from now on.
    ///
    /// # Errors
    /// There are none; the error names the reason.
    pub fn read(
        &self,
        namespace: &str,
        name: &str,
        selector: &LabelSelector,
    ) -> Result<Vec<(Labels, Value)>, QueryAbsence> {
        let query = self.queries.get(name);
        let query = query.filter(|query| query.allows(namespace));
        let query = query.ok_or(QueryAbsence::NotAllowed)?;
        let (latest, problem) = self.asked_for(query, namespace)?;
        let Some((at, values)) = latest else {
            return Err(problem.map_or(QueryAbsence::Pending, QueryAbsence::Failed));
        };
        let age = self.clock.elapsed().since(at);
        if age > query.interval * STALE_INTERVALS + query.timeout {
            return Err(QueryAbsence::Stale {
                age_seconds: age.as_secs(),
                why: problem.unwrap_or_else(|| "has not been asked since".to_owned()),
            });
        }
        let selected = values.iter().filter(|(labels, _)| selector.matches(labels));
        let selected: Vec<_> = selected.cloned().collect();
        match selected.is_empty() {
            true => Err(QueryAbsence::NoSeries),
            false => Ok(selected),
        }
    }

    /// The latest result of a query, which somebody reads now, and what the engine has done since.
    fn asked_for(
        &self,
        query: &Query,
        namespace: &str,
    ) -> Result<(Option<Latest>, Option<String>), QueryAbsence> {
        let of = query.is_of_namespace().then(|| Arc::from(namespace));
        let key = (Arc::clone(&query.name), of);
        let now = self.clock.elapsed();
        let mut results = self.results.lock();
        if let Some(entry) = results.get_mut(&key) {
            entry.asked = now;
            return Ok((entry.latest.clone(), entry.problem.clone()));
        }
        if results.len() >= MAX_RESULTS {
            return Err(QueryAbsence::TooMany);
        }
        results.insert(key, Entry::new(now));
        drop(results);
        self.asked.notify_one();
        Ok((None, None))
    }

    /// Evaluates the queries that somebody reads.
    pub async fn run(self: Arc<Self>) {
        let mut evaluations = JoinSet::new();
        loop {
            let (due, next) = self.take_due();
            for key in due {
                evaluations.spawn(Arc::clone(&self).evaluate(key));
            }
            tokio::select! {
                () = self.asked.notified() => {}
                Some(_) = evaluations.join_next() => {}
                () = self.clock.sleep_until(next) => {}
            }
        }
    }

    /// The queries whose turn it is, and the time of the next turn. Those that nobody reads any more are removed.
    fn take_due(&self) -> (Vec<Key>, Age) {
        let now = self.clock.elapsed();
        let mut results = self.results.lock();
        results.retain(|_, entry| entry.evaluating || now.since(entry.asked) < KEPT);
        let mut due = Vec::new();
        let mut next = now.after(KEPT);
        for (key, entry) in results.iter_mut().filter(|(_, entry)| !entry.evaluating) {
            if entry.due <= now {
                entry.evaluating = true;
                due.push(key.clone());
            } else {
                next = next.min(entry.due);
            }
        }
        (due, next)
    }

    async fn evaluate(self: Arc<Self>, key: Key) {
        let Some(query) = self.queries.get(&key.0) else {
            return;
        };
        let began = self.clock.elapsed();
        let text = query.text(key.1.as_deref().unwrap_or_default());
        let result = self
            .engine
            .evaluate(&text, self.clock.wall(), query.timeout)
            .await;
        let result = result.map_err(|error| self.problem(query, &error));
        let result = result.and_then(values);
        let mut results = self.results.lock();
        let Some(entry) = results.get_mut(&key) else {
            return;
        };
        entry.evaluating = false;
        entry.due = began.after(query.interval);
        match result {
            Ok(values) => {
                entry.latest = Some((began, values));
                entry.problem = None;
            }
            Err(problem) => entry.problem = Some(problem),
        }
    }

    /// Logs an error with what the administrator needs. Returns what users may know of it.
    fn problem(&self, query: &Query, error: &EngineError) -> String {
        if let Some(unreported) = self.warnings.lock().allow() {
            tracing::warn!(
                query = &*query.name,
                unreported,
                "cannot evaluate an external query: {error}; autoscalers that read it keep their size"
            );
        }
        error.problem()
    }
}

impl Entry {
    const fn new(now: Age) -> Self {
        Self {
            asked: now,
            due: now,
            evaluating: false,
            latest: None,
            problem: None,
        }
    }
}

/// The values of an answer, without the name of the metric among the labels.
fn values(series: Vec<Series<Labels>>) -> Result<Values, String> {
    if series.len() > MAX_SERIES {
        return Err(format!(
            "answers with more than {MAX_SERIES} series: aggregate in the query"
        ));
    }
    let values = series.into_iter().filter_map(|series| {
        let point = series.points.last()?;
        let value = Value {
            value: point.value,
            at: point.at,
            window: None,
        };
        let labels = series.labels.iter();
        let labels = labels.filter(|(name, _)| *name != "__name__");
        let labels: Labels = labels.collect();
        Some((labels, value))
    });
    let values: Values = values.collect();
    let bytes = |labels: &Labels| {
        labels
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum::<usize>()
    };
    match values.iter().any(|(labels, _)| bytes(labels) > MAX_LABELS) {
        true => Err(format!(
            "answers with more than {MAX_LABELS} bytes of labels in a series"
        )),
        false => Ok(values),
    }
}
