//! Stores what scrapes bring, within the limits.

use std::collections::BTreeMap;
use std::sync::Arc;

use kubevitals_proto::labels::Labels;
use parking_lot::Mutex;

use super::PodMetrics;
use super::config::Attribute;
use super::explain::LastScrape;
use super::pod::{PodState, Usage};
use super::series::{Family, Limits, Reported};
use super::target::Target;
use crate::cluster::PodKey;
use crate::telemetry::Buckets;

/// The part of the memory limit that one namespace may use.
const NAMESPACE_PART: usize = 4;

/// The most problems that are stored of a scrape.
const MAX_PROBLEMS: usize = 5;

/// The labels with which an exporter names a pod. Prometheus' own names come from a scrape that keeps the target's labels.
const NAMES: [(&str, &str); 2] = [("namespace", "pod"), ("exported_namespace", "exported_pod")];

impl PodMetrics {
    /// Whether a family of a target is kept, because the config says so or somebody may ask for it.
    pub(super) fn keeper(&self, pod: &PodKey, target: &Target) -> impl Fn(&str) -> bool {
        let config = self.config.load_full();
        let rule = Arc::clone(&target.rule);
        let names = (rule.attribute == Attribute::Itself).then(|| self.demands.of(&pod.namespace));
        move |family| match &names {
            Some(names) => {
                names.has_family(family)
                    || rule.keep.pattern(family).is_some()
                    || config.keep.pattern(family).is_some()
            }
            // What an exporter says of other pods is kept only if the rule says so.
            None => rule.keep.pattern(family).is_some(),
        }
    }

    /// Stores the result of a scrape.
    pub(super) fn store(
        &self,
        pod: &PodKey,
        target: &Target,
        reported: Vec<Reported>,
        mut scrape: LastScrape,
    ) {
        if scrape.result.is_ok() {
            self.metrics.scrapes.inc(["success"]);
            let mut duration = Buckets::new(super::metrics::DURATION_BOUNDS);
            duration.observe(scrape.duration.as_secs_f64());
            self.metrics.duration.merge(&duration);
            match target.rule.attribute {
                Attribute::Itself => self.merge(pod, None, target, reported, &mut scrape.problems),
                Attribute::Named => self.attribute(pod, target, reported, &mut scrape.problems),
            }
        }
        scrape.problems.truncate(MAX_PROBLEMS);
        let state = self.state_or_new(pod);
        state.lock().last = Some(scrape);
    }

    /// Stores what an exporter says under the pods that it names. Only pods of its own node count, so an exporter cannot
    /// speak for others.
    fn attribute(
        &self,
        exporter: &PodKey,
        target: &Target,
        reported: Vec<Reported>,
        problems: &mut Vec<String>,
    ) {
        let pods = self.cluster.pods();
        let node = pods.get(exporter).and_then(|pod| pod.node.clone());
        let mut named: BTreeMap<PodKey, Vec<Reported>> = BTreeMap::new();
        let mut elsewhere = 0;
        for mut one in reported {
            let Some((key, labels)) = named_pod(&one.labels) else {
                continue;
            };
            let here = pods
                .get(&key)
                .filter(|pod| node.is_some() && pod.node == node);
            let Some(pod) = here else {
                elsewhere += 1;
                continue;
            };
            one.labels = labels;
            named.entry(pod.key.clone()).or_default().push(one);
        }
        if elsewhere > 0 {
            self.metrics.unused.inc(["other_node"]);
            problems.push(format!(
                "{elsewhere} series name pods that are not on the exporter's node"
            ));
        }
        let state = self.state_or_new(exporter);
        let before = std::mem::replace(&mut state.lock().named, named.keys().cloned().collect());
        // A pod that is no longer named has no series any more.
        for key in before.iter().filter(|key| !named.contains_key(key)) {
            if let Some(state) = self.state(key) {
                state.lock().forget(exporter);
            }
        }
        for (key, reported) in named {
            self.merge(&key, Some(exporter), target, reported, problems);
        }
    }

    fn merge(
        &self,
        pod: &PodKey,
        exporter: Option<&PodKey>,
        target: &Target,
        reported: Vec<Reported>,
        problems: &mut Vec<String>,
    ) {
        let rule = &target.rule;
        let (now, wall) = (self.clock.elapsed(), self.clock.wall());
        let (room, growth) = self.room(&pod.namespace);
        let limits = Limits {
            series: rule.bounds.series,
            room,
            growth,
            window: self.settings.window,
            interval: rule.interval,
            honor_timestamps: rule.honor_timestamps,
        };
        let state = self.state_or_new(pod);
        let mut state = state.lock();
        let Some(source) = state.source(exporter, now, Some(rule.interval)) else {
            self.metrics.unused.inc(["too_many_exporters"]);
            problems.push("too many exporters name the pod".to_owned());
            return;
        };
        let merged = Family::merge(&mut source.families, reported, wall, &limits);
        source.is_cut = merged.is_cut;
        let mut reasons: BTreeMap<&'static str, (usize, Arc<str>)> = BTreeMap::new();
        for (reason, family) in merged.unused {
            self.metrics.unused.inc([reason]);
            reasons.entry(reason).or_insert((0, family)).0 += 1;
        }
        problems.extend(reasons.into_iter().map(|(reason, (count, family))| {
            format!("{count} series not used: {reason} (first in {family})")
        }));
        let names = self.demands.of(&pod.namespace);
        let config = self.config.load();
        state.record_history(
            now,
            &names,
            [&rule.keep, &config.keep],
            rule.interval,
            room > 0,
        );
        state.expire(now, wall);
        self.count(pod, &mut state);
    }

    /// The number of series that a namespace may add, and the bytes by which its series may grow. Those that are there may
    /// still fill their windows when there is no place for new ones.
    fn room(&self, namespace: &Arc<str>) -> (usize, usize) {
        let limit = self.settings.memory_limit;
        let of_namespace = self
            .namespaces
            .lock()
            .get(namespace)
            .copied()
            .unwrap_or_default();
        let (part, all) = (limit / NAMESPACE_PART, self.usage().bytes);
        let growth = |limit: usize, used: usize| (limit + part).saturating_sub(used);
        let growth = growth(part, of_namespace.bytes).min(growth(limit, all));
        if of_namespace.bytes >= part || all >= limit {
            return (0, growth);
        }
        let series = self.config.load().namespace_series;
        (series.saturating_sub(of_namespace.series), growth)
    }

    /// Counts the memory of a pod in its namespace.
    pub(super) fn count(&self, pod: &PodKey, state: &mut PodState) {
        let usage = if state.removed {
            Usage::default()
        } else {
            state.usage()
        };
        self.set_usage(pod, state, usage);
    }

    fn set_usage(&self, pod: &PodKey, state: &mut PodState, usage: Usage) {
        let before = std::mem::replace(&mut state.counted, usage);
        let mut namespaces = self.namespaces.lock();
        let of_namespace = namespaces.entry(Arc::clone(&pod.namespace)).or_default();
        of_namespace.change(before, usage);
        if *of_namespace == Usage::default() {
            namespaces.remove(&pod.namespace);
        }
    }

    /// The memory of all pods.
    pub(super) fn usage(&self) -> Usage {
        let namespaces = self.namespaces.lock();
        namespaces.values().fold(Usage::default(), |mut sum, one| {
            sum.change(Usage::default(), *one);
            sum
        })
    }

    /// Forgets a pod: its values and its history.
    pub(super) fn remove(&self, pod: &PodKey) {
        let removed = self.pods.write().remove(pod);
        if let Some(state) = removed {
            let mut state = state.lock();
            state.removed = true;
            self.count(pod, &mut state);
        }
    }

    /// Drops what is too old of pods that are no longer scraped.
    pub(super) fn expire(&self) {
        let (now, wall) = (self.clock.elapsed(), self.clock.wall());
        let pods = self.cluster.pods();
        let all: Vec<(PodKey, Arc<Mutex<PodState>>)> = self
            .pods
            .read()
            .iter()
            .map(|(key, state)| (key.clone(), Arc::clone(state)))
            .collect();
        for (key, state) in all {
            let mut state = state.lock();
            if !pods.contains_key(&key) {
                // The pod ended while it was scraped.
                state.last = None;
            }
            let is_empty = state.expire(now, wall);
            self.count(&key, &mut state);
            drop(state);
            if is_empty {
                self.remove(&key);
            }
        }
    }

    /// Whether a part of the last page of a pod was not used.
    pub(super) fn had_problems(&self, pod: &PodKey) -> bool {
        let state = self.state(pod);
        state.is_some_and(|state| {
            state
                .lock()
                .last
                .as_ref()
                .is_some_and(|last| !last.problems.is_empty())
        })
    }

    /// Whether a pod was scraped.
    pub(super) fn is_scraped(&self, pod: &PodKey) -> bool {
        self.state(pod)
            .is_some_and(|state| state.lock().last.is_some())
    }
}

impl Usage {
    fn change(&mut self, before: Self, after: Self) {
        self.series = (self.series + after.series).saturating_sub(before.series);
        self.bytes = (self.bytes + after.bytes).saturating_sub(before.bytes);
    }
}

/// The pod that a series names, and the labels that are left.
fn named_pod(labels: &Labels) -> Option<(PodKey, Labels)> {
    let names = NAMES.into_iter().rev();
    let (namespace, pod) = names
        .filter_map(|(namespace, pod)| Some((labels.get(namespace)?, labels.get(pod)?)))
        .find(|(namespace, pod)| !namespace.is_empty() && !pod.is_empty())?;
    let key = PodKey::new(namespace, pod);
    let rest = labels
        .iter()
        .filter(|(name, _)| !NAMES.iter().any(|(a, b)| a == name || b == name));
    let rest = rest.map(|(name, value)| {
        (
            name.strip_prefix("exported_")
                .filter(|it| *it == "container")
                .unwrap_or(name),
            value,
        )
    });
    Some((key, rest.collect()))
}
