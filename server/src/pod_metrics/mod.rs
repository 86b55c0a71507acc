//! Pods' own metrics: what `custom.metrics.k8s.io` and `external.metrics.k8s.io` serve.
//!
//! Off unless `--pod-metrics` is set. docs/pod-metrics.md has the rules.
//!
//! - `config`, `target`: which pods are scraped, and how.
//! - `demand`: which families are kept, because somebody may ask for them.
//! - `worker`, `lanes`, `client`: when and how pods are scraped.
//! - `ingest`, `series`: what a page becomes, and what is read from it.
//! - `pod`, `history`: what is stored of a pod.

mod absence;
mod client;
mod config;
mod demand;
mod explain;
mod gpu;
mod history;
mod ingest;
mod lanes;
mod metrics;
mod name;
mod observe;
mod pod;
mod record;
mod series;
mod settings;
mod target;
#[cfg(test)]
mod tests;
mod value;
mod worker;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use kubevitals_proto::labels::Labels;
use kubevitals_proto::selector::LabelSelector;
use kubevitals_proto::time::Timestamp;
use parking_lot::{Mutex, RwLock};

use crate::clock::{Clock, SystemClock};
use crate::cluster::{Cluster, PodKey};

use config::Config;
use demand::Demands;
use metrics::ScrapeMetrics;
use observe::Pending;
use pod::{PodState, Usage};
use target::{Refusal, Target};

pub use absence::Absence;
pub use config::ConfigError;
pub use explain::{Demand, Explanation, Family, LastScrape, Selected, SelectedBy};
pub use gpu::{GPU_FAMILIES, GpuReading};
pub use name::{Quantile, Reading, readings};
pub use settings::{PodMetricsFlags, Settings};
pub use value::Value;
pub(crate) use worker::{Parts, Scraper};

/// Pods' own metrics: the latest values, and an hour of history.
#[derive(Debug)]
pub struct PodMetrics {
    pods: RwLock<BTreeMap<PodKey, Arc<Mutex<PodState>>>>,
    /// The memory of each namespace. Locked after a pod.
    namespaces: Mutex<HashMap<Arc<str>, Usage>>,
    cluster: Arc<Cluster>,
    config: ArcSwap<Config>,
    demands: Demands,
    pending: Pending,
    clock: Arc<dyn Clock>,
    settings: Settings,
    metrics: ScrapeMetrics,
}

/// The latest value of one series of a pod, under the name that clients ask for.
#[derive(Debug, Clone)]
pub struct Series {
    /// The name: of a rate or quantile with its suffix.
    pub name: Arc<str>,
    /// The labels of the series, without `__name__`.
    pub labels: Labels,
    /// Its value.
    pub value: Value,
}

impl Default for PodMetrics {
    /// Without pods, with the default settings.
    fn default() -> Self {
        Self::new(
            Settings::default(),
            Arc::default(),
            Arc::new(SystemClock::default()),
        )
    }
}

impl PodMetrics {
    /// Without values. They come from scrapes ([`Scraper`]) or [`record`](Self::record).
    pub(crate) fn new(settings: Settings, cluster: Arc<Cluster>, clock: Arc<dyn Clock>) -> Self {
        Self {
            pods: RwLock::default(),
            namespaces: Mutex::default(),
            cluster,
            config: ArcSwap::from_pointee(Config::new(settings.interval)),
            demands: Demands::default(),
            pending: Pending::default(),
            clock,
            settings,
            metrics: ScrapeMetrics::default(),
        }
    }

    /// The value of a metric of one pod: the sum over its series that match `selector`; of a quantile, the quantile of
    /// the merged histogram. From now on the family is kept for a while, if it was not.
    ///
    /// # Errors
    /// There is no value; the error names the reason.
    pub fn read(
        &self,
        pod: &PodKey,
        name: &str,
        selector: &LabelSelector,
    ) -> Result<Value, Absence> {
        self.demands.ask(&pod.namespace, name, self.clock.elapsed());
        self.value(pod, name, selector)
    }

    fn value(&self, pod: &PodKey, name: &str, selector: &LabelSelector) -> Result<Value, Absence> {
        let Some(state) = self.state(pod) else {
            return Err(match self.target(pod) {
                Ok(_) => Absence::NotScraped,
                Err(Refusal::Unselected) => Absence::NoTarget,
                Err(refusal) => Absence::Refused(refusal.to_string()),
            });
        };
        let names = self.demands.of(&pod.namespace);
        let state = state.lock();
        state.read(name, selector, self.clock.elapsed(), &names)
    }

    /// All names with a value now, sorted, for discovery.
    pub fn names(&self) -> Vec<Arc<str>> {
        let now = self.clock.elapsed();
        let pods: Vec<_> = self.pods.read().values().cloned().collect();
        let mut names = BTreeSet::new();
        for pod in pods {
            names.extend(pod.lock().names(now));
        }
        names.into_iter().collect()
    }

    /// All series of a pod, for its page.
    pub fn series(&self, pod: &PodKey) -> Vec<Series> {
        let state = self.state(pod);
        state.map_or_else(Vec::new, |state| state.lock().series(self.clock.elapsed()))
    }

    /// The chain from a pod to the value that [`read`](Self::read) returns.
    pub fn explain(&self, pod: &PodKey, name: &str, selector: &LabelSelector) -> Explanation {
        let now = self.clock.elapsed();
        let names = self.demands.of(&pod.namespace);
        let mut kept = names
            .names
            .get(name)
            .map_or_else(Vec::new, |wanted| wanted.by.clone());
        let target = self.target(pod);
        let mut selected = target
            .as_ref()
            .map(Target::selected)
            .map_err(ToString::to_string);
        let (mut scrape, mut family, mut series) = (None, None, (0, 0));
        if let Some(state) = self.state(pod) {
            let state = state.lock();
            scrape = state.last.clone();
            if let Some((source, found, reading)) = state.find(name, now) {
                series = (found.len(), found.matching(selector));
                family = Some(Family {
                    name: Arc::clone(&found.name),
                    kind: found.kind.as_str(),
                    reading,
                });
                if let Some(exporter) = &source.exporter {
                    selected = self.named_by(exporter);
                }
            }
        }
        let config = self.config.load();
        let rule = selected.as_ref().ok().and(target.as_ref().ok());
        for (family, _) in readings(name) {
            let of_rule = rule.and_then(|target| target.rule.keep.pattern(&family));
            let pattern = of_rule.or_else(|| config.keep.pattern(&family));
            kept.extend(pattern.map(|pattern| Demand::Config(Arc::clone(pattern))));
        }
        kept.sort();
        kept.dedup();
        Explanation {
            selected,
            scrape,
            kept,
            family,
            series,
            value: self.value(pod, name, selector),
        }
    }

    /// An exporter as what selects a pod.
    fn named_by(&self, exporter: &PodKey) -> Result<Selected, String> {
        let target = self.target(exporter).map_err(|error| error.to_string())?;
        Ok(Selected {
            by: SelectedBy::Exporter(exporter.clone()),
            ..target.selected()
        })
    }

    /// The history of a metric of one pod, summed over its series: a value for each `step` from `from` to `to` that has
    /// one, oldest first. Names have a history from when they are kept.
    pub fn history(
        &self,
        pod: &PodKey,
        name: &str,
        from: Timestamp,
        to: Timestamp,
        step: Duration,
    ) -> Vec<(Timestamp, f64)> {
        let state = self.state(pod);
        state.map_or_else(Vec::new, |state| {
            state.lock().history(name, (from, to), step)
        })
    }

    /// Replaces the series of a pod by values that were computed elsewhere. They do not grow old.
    pub fn record(&self, pod: PodKey, series: Vec<Series>) {
        let mut families: BTreeMap<Arc<str>, Vec<(Labels, Value)>> = BTreeMap::new();
        for Series {
            name,
            labels,
            value,
        } in series
        {
            families.entry(name).or_default().push((labels, value));
        }
        let families = families.into_iter();
        let families = families.map(|(name, series)| series::Family::of_values(name, series));
        let state = self.state_or_new(&pod);
        let mut state = state.lock();
        if let Some(source) = state.source(None, self.clock.elapsed(), None) {
            source.families = families.collect();
        }
    }

    /// What is scraped of a pod.
    fn target(&self, pod: &PodKey) -> Result<Target, Refusal> {
        let pods = self.cluster.pods();
        let pod = pods.get(pod).ok_or(Refusal::Unselected)?;
        Target::of(pod, &self.config.load())
    }

    fn state(&self, pod: &PodKey) -> Option<Arc<Mutex<PodState>>> {
        self.pods.read().get(pod).cloned()
    }

    fn state_or_new(&self, pod: &PodKey) -> Arc<Mutex<PodState>> {
        if let Some(state) = self.state(pod) {
            return state;
        }
        Arc::clone(self.pods.write().entry(pod.clone()).or_default())
    }
}
