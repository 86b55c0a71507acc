//! The store of pods' own metrics, and what is read from it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use kubevitals_proto::labels::Labels;
use kubevitals_proto::selector::LabelSelector;
use kubevitals_proto::time::Timestamp;
use parking_lot::{Mutex, RwLock};

use super::config::Config;
use super::demand::Demands;
use super::metrics::{Kept, ScrapeMetrics};
use super::pending::Pending;
use super::pod::{PodState, Usage};
use super::target::{Refusal, Target};
use super::{
    Absence, Aggregate, Demand, Explanation, Family, GpuReading, Selected, SelectedBy, Series,
    Settings, Value, gpu, readings, series,
};
use crate::clock::{Clock, SystemClock};
use crate::cluster::{Cluster, PodKey};
use crate::telemetry::metrics::Registry;

/// Pods' own metrics: the latest values, and an hour of history.
#[derive(Debug)]
pub struct PodMetrics {
    pub(super) pods: RwLock<BTreeMap<PodKey, Arc<Mutex<PodState>>>>,
    /// The memory of each namespace. Locked after a pod.
    pub(super) namespaces: Mutex<HashMap<Arc<str>, Usage>>,
    pub(super) cluster: Arc<Cluster>,
    pub(super) config: ArcSwap<Config>,
    pub(super) demands: Demands,
    pub(super) pending: Pending,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) settings: Settings,
    pub(super) metrics: ScrapeMetrics,
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
    /// Without values. They come from scrapes ([`Scraper`](super::Scraper)) or [`record`](Self::record).
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

    /// The values that [`read`](Self::read) adds up, each with its labels. Where they do not add up, that value without
    /// labels.
    ///
    /// # Errors
    /// There is none; the error names the reason.
    pub fn read_each(
        &self,
        pod: &PodKey,
        name: &str,
        selector: &LabelSelector,
    ) -> Result<Vec<(Labels, Value)>, Absence> {
        self.read(pod, name, selector)?;
        let each = self.state(pod).and_then(|state| {
            let state = state.lock();
            state.read_each(name, selector, self.clock.elapsed())
        });
        each.ok_or(Absence::NotScraped)
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

    /// How the values of an object's pods become one.
    pub fn aggregate(&self, name: &str) -> Aggregate {
        self.config.load().aggregates.of(name)
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

    /// The latest values of the GPUs of a pod, by GPU and container.
    pub fn gpus(&self, pod: &PodKey) -> Vec<GpuReading> {
        gpu::readings(&self.series(pod))
    }

    /// Registers the metrics of the scrapes.
    pub(crate) fn register(self: &Arc<Self>, registry: &mut Registry) {
        let store = Arc::clone(self);
        self.metrics.register(registry, move || Kept {
            usage: store.usage(),
            names: store.demands.len(),
        });
    }

    /// What is scraped of a pod.
    pub(super) fn target(&self, pod: &PodKey) -> Result<Target, Refusal> {
        let pods = self.cluster.pods();
        let pod = pods.get(pod).ok_or(Refusal::Unselected)?;
        Target::of(pod, &self.config.load())
    }

    pub(super) fn state(&self, pod: &PodKey) -> Option<Arc<Mutex<PodState>>> {
        self.pods.read().get(pod).cloned()
    }

    pub(super) fn state_or_new(&self, pod: &PodKey) -> Arc<Mutex<PodState>> {
        if let Some(state) = self.state(pod) {
            return state;
        }
        Arc::clone(self.pods.write().entry(pod.clone()).or_default())
    }
}
