//! Statistics over a span that begins before the history in memory: computed by the engine.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::try_join_all;
use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::time::{Timestamp, nanos};
use kubevitals_proto::vitals::{Quantiles, Statistics};

use super::VitalsQuery;
use super::engine_statistics::EngineStatistics;
use super::past_scope::PastScope;
use crate::engine::{Engine, EngineError, Series, stat};
use crate::query::history::{HistorySubject, containers, ring_since, round_step, whole};

/// The most values of a quantile.
const MOST_VALUES: i64 = 2_016;

/// The shortest distance of two values. It is also the window of their rates, in which two samples must be.
const LEAST_DISTANCE: i64 = 120_000_000_000;

/// A longer span means all that is in memory.
const LONGEST: Duration = Duration::from_secs(400 * 24 * 3_600);

/// The quantiles.
const QUANTILES: [(&str, &str); 4] = [
    ("p50", "0.5"),
    ("p90", "0.9"),
    ("p95", "0.95"),
    ("p99", "0.99"),
];

impl VitalsQuery<'_> {
    /// Reads statistics over `span` before `at` or before now; `None` if the history in memory has all of it, or if
    /// there is no engine.
    ///
    /// # Errors
    /// There is no usable answer.
    pub async fn read_statistics(
        self,
        at: Option<Timestamp>,
        span: Duration,
        scope: PastScope<'_>,
    ) -> Result<Option<EngineStatistics>, EngineError> {
        let Some(engine) = self.sources.engine.as_deref() else {
            return Ok(None);
        };
        if span > LONGEST {
            return Ok(None);
        }
        let until = at.unwrap_or_else(|| self.sources.wall());
        let since = until.plus_nanos(-nanos(span));
        if since >= ring_since(self.sources, HistorySubject::Cluster) {
            return Ok(None);
        }
        let over = Over::new(nanos(span), since);
        let queries = match scope.nodes {
            true => over.nodes(engine),
            false => over.pods(engine, scope),
        };
        let run = async |query: String| engine.instant(&query, until).await;
        let answers = try_join_all(queries.into_iter().map(run)).await?;
        Ok(Some(over.statistics(answers.into_iter().flatten())))
    }
}

/// A span, and the distance of the values in it.
#[derive(Debug, Clone, Copy)]
struct Over {
    since: Timestamp,
    distance: i64,
    /// In milliseconds.
    span: i64,
}

impl Over {
    fn new(span: i64, since: Timestamp) -> Self {
        Self {
            since,
            distance: round_step(span, MOST_VALUES).max(LEAST_DISTANCE),
            span: span / 1_000_000,
        }
    }

    fn nodes(self, engine: &Engine) -> Vec<String> {
        let cpu = engine.select("node_cpu_usage_seconds_total").to_string();
        let memory = engine.select("node_memory_working_set_bytes").to_string();
        let (cpu, of_memory) = (self.rate(&cpu), self.raw(&memory));
        vec![
            self.cpu("node", &cpu),
            self.memory("node", &of_memory, &memory),
        ]
    }

    fn pods(self, engine: &Engine, scope: PastScope<'_>) -> Vec<String> {
        let select = |metric| {
            let selector = match scope.namespace {
                Some(namespace) => engine.select(metric).with("namespace", namespace),
                None => engine.select(metric),
            };
            match scope.pod {
                Some(pod) => selector.with("pod", pod),
                None => selector,
            }
        };
        let cpu = containers(select("container_cpu_usage_seconds_total")).to_string();
        let memory = containers(select("container_memory_working_set_bytes")).to_string();
        let (each, whole) = ("namespace, pod, container", "namespace, pod");
        let sum = |usage: &str| format!("sum by ({whole}) (max by ({each}) ({usage}))");
        let rate = self.rate(&cpu);
        let restarts = select("kube_pod_container_status_restarts_total");
        let kills = select("kubevitals_container_last_restart_timestamp_seconds")
            .with("cause", "OomKilled");
        let (span, since) = (self.span, self.since.as_secs());
        let counts = [
            stat("restarts", each, &format!("increase({restarts}[{span}ms])")),
            // The value is the time of the last kill. The first of them may have been before the span.
            stat(
                "oomKills",
                each,
                &format!(
                    "changes({kills}[{span}ms]) + (min_over_time({kills}[{span}ms]) >= bool {since})"
                ),
            ),
        ];
        vec![
            self.cpu(each, &rate),
            self.memory(each, &self.raw(&memory), &memory),
            self.cpu(whole, &sum(&rate)),
            self.memory(whole, &self.values(&sum(&memory)), &memory),
            counts.join(" or "),
        ]
    }

    /// The rate of a counter.
    fn rate(self, selector: &str) -> String {
        format!("rate({selector}[{}ms])", self.distance / 1_000_000)
    }

    /// The values of an expression at the distance.
    fn values(self, expression: &str) -> String {
        format!(
            "({expression})[{}ms:{}ms]",
            self.span,
            self.distance / 1_000_000
        )
    }

    /// The samples of a selector.
    fn raw(self, selector: &str) -> String {
        format!("{selector}[{}ms]", self.span)
    }

    fn cpu(self, labels: &str, cpu: &str) -> String {
        quantiles("cpu", labels, &self.values(cpu)).join(" or ")
    }

    fn memory(self, labels: &str, memory: &str, selector: &str) -> String {
        let mut all = quantiles("memory", labels, memory);
        let times = self.values(&format!("timestamp({selector})"));
        let values = self.values(selector);
        all.extend([
            stat(
                "samples",
                labels,
                &format!("count_over_time({})", self.raw(selector)),
            ),
            stat("covered", labels, &format!("count_over_time({values})")),
            stat("since", labels, &format!("-min_over_time({times})")),
            stat("until", labels, &format!("max_over_time({times})")),
        ]);
        all.join(" or ")
    }

    fn statistics(self, series: impl Iterator<Item = Series>) -> EngineStatistics {
        let mut all: BTreeMap<_, BTreeMap<String, f64>> = BTreeMap::new();
        for series in series {
            let label = |name: &str| series.labels.get(name).to_owned();
            let key = match series.labels.get("pod") {
                "" => (String::new(), label("node"), String::new()),
                pod => (label("namespace"), pod.to_owned(), label("container")),
            };
            if let Some(value) = series.last() {
                all.entry(key).or_default().insert(label("stat"), value);
            }
        }
        let statistics = all.into_iter();
        let statistics = statistics.filter_map(|(key, values)| Some((key, self.of(&values)?)));
        EngineStatistics(statistics.collect())
    }

    /// `None` without CPU or memory.
    fn of(self, values: &BTreeMap<String, f64>) -> Option<Statistics> {
        let value = |name: &str| values.get(name).copied();
        let of = |what: &str, scale: f64| {
            let one = |name: &str| Some(whole(value(&format!("{what} {name}"))? * scale));
            Some(Quantiles {
                p50: one("p50")?,
                p90: one("p90")?,
                p95: one("p95")?,
                p99: one("p99")?,
                max: one("max")?,
            })
        };
        let count = |name: &str| value(name).map_or(0, whole);
        let seconds =
            |name: &str| Some(i64::try_from(whole(value(name)?.abs())).unwrap_or(i64::MAX));
        let covered = i64::try_from(count("covered")).unwrap_or(i64::MAX);
        let covered = covered.saturating_mul(self.distance);
        Some(Statistics {
            since: Timestamp::from_secs(seconds("since")?).max(self.since),
            until: Timestamp::from_secs(seconds("until")?),
            covered: GoDuration(covered.min(self.span.saturating_mul(1_000_000))),
            samples: count("samples"),
            cpu: of("cpu", 1e9)?,
            memory: of("memory", 1.0)?,
            memory_quarters: Vec::new(),
            restarts: count("restarts"),
            oom_kills: count("oomKills"),
        })
    }
}

/// The quantiles of a range, by the labels.
fn quantiles(what: &str, labels: &str, range: &str) -> Vec<String> {
    let mut all: Vec<String> = QUANTILES
        .into_iter()
        .map(|(name, quantile)| {
            let expression = format!("quantile_over_time({quantile}, {range})");
            stat(&format!("{what} {name}"), labels, &expression)
        })
        .collect();
    all.push(stat(
        &format!("{what} max"),
        labels,
        &format!("max_over_time({range})"),
    ));
    all
}
