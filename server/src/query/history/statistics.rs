//! Statistics of a pod, its containers or a node over a span of time.

use std::collections::BTreeMap;
use std::sync::Arc;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::time::{Timestamp, nanos};
use kubevitals_proto::vitals::{MemoryRange, Statistics};

use super::quantiles::quantiles;
use super::reach::{covering, reach};
use super::steps::{Aggregation, Steps};
use super::total::Total;
use crate::cluster::{Bindings, PodKey};
use crate::query::sources::Sources;
use crate::store::history::{Excerpt, PodId};
use crate::store::ring::{Sample, Tick};

/// The smallest number of samples in a quarter with a range.
const LEAST_OF_QUARTER: usize = 4;

/// Computes statistics over a span of the server's time. It decodes the samples of one object at a time.
#[derive(Debug)]
pub(in crate::query) struct StatisticsQuery {
    since: Timestamp,
    until: Timestamp,
    bindings: Bindings,
}

/// The statistics of a pod and of its containers, by name.
#[derive(Debug, Default)]
pub(in crate::query) struct PodStatistics {
    pub(in crate::query) total: Option<Statistics>,
    pub(in crate::query) containers: BTreeMap<Arc<str>, Statistics>,
}

impl StatisticsQuery {
    pub(in crate::query) fn new(sources: &Sources, since: Timestamp, until: Timestamp) -> Self {
        Self {
            since,
            until,
            bindings: Bindings::of(&sources.cluster),
        }
    }

    /// The span.
    pub(in crate::query) fn span(&self) -> (Timestamp, Timestamp) {
        (self.since, self.until)
    }

    /// The statistics of a node's own series; `None` without a sample in the span.
    pub(in crate::query) fn of_node(
        &self,
        sources: &Sources,
        node: &str,
        excerpt: &mut Excerpt,
    ) -> Option<Statistics> {
        let mut pool = Pool::new(self);
        self.read(
            sources,
            node,
            excerpt,
            |pod| pod.is_none(),
            |_, samples| {
                pool.add(samples, reach(samples, sources.resolution));
            },
        );
        pool.statistics()
    }

    /// The statistics of the pods that had this name, as in a pod's history: each container's over all of its samples,
    /// and the pod's over the sums of its containers at steps of one resolution.
    pub(in crate::query) fn of_pod(
        &self,
        sources: &Sources,
        key: &PodKey,
        excerpt: &mut Excerpt,
    ) -> PodStatistics {
        let mut pools: BTreeMap<Arc<str>, Pool<'_>> = BTreeMap::new();
        let steps = Steps::new(self.since, self.until, self.until.since(self.since));
        let mut total = Total::new(steps, Aggregation::Mean, nanos(sources.resolution));
        for node in self.bindings.nodes_of(key) {
            let is_it = |pod: Option<&PodId>| {
                pod.is_some_and(|pod| {
                    pod.key == *key && self.bindings.is_bound(&pod.key, pod.uid, &node)
                })
            };
            self.read(sources, &node, excerpt, is_it, |container, samples| {
                let Some(container) = container else { return };
                let pool = pools.entry(Arc::clone(container));
                let reach = reach(samples, sources.resolution);
                pool.or_insert_with(|| Pool::new(self)).add(samples, reach);
                total.add(samples, sources.resolution);
            });
        }
        let containers: BTreeMap<Arc<str>, Statistics> = pools
            .into_iter()
            .filter_map(|(name, pool)| Some((name, pool.statistics()?)))
            .collect();
        PodStatistics {
            total: of_total(&containers, total),
            containers,
        }
    }

    /// Calls `take` with the container and the samples of each selected series of a node, by the server's clock.
    fn read(
        &self,
        sources: &Sources,
        node: &str,
        excerpt: &mut Excerpt,
        select: impl FnMut(Option<&PodId>) -> bool,
        mut take: impl FnMut(Option<&Arc<str>>, &[Sample]),
    ) {
        let Some(history) = sources.history().node(node) else {
            return;
        };
        let offset = history.offset(sources.now(), sources.wall());
        let (since, until) = (
            Tick::nearest(offset.theirs(self.since)),
            Tick::nearest(offset.theirs(self.until)),
        );
        history.copy(excerpt, select, since, until);
        let mut samples = Vec::new();
        for series in excerpt.series() {
            samples.clear();
            samples.extend(series.samples().map(|sample| offset.sample(sample)));
            take(series.container, &samples);
        }
    }
}

/// The statistics of a pod with these containers and this sum of their series.
fn of_total(containers: &BTreeMap<Arc<str>, Statistics>, total: Total) -> Option<Statistics> {
    let all = || containers.values();
    let first = all().next()?;
    let whole = Statistics {
        since: all().map(|it| it.since).min()?,
        until: all().map(|it| it.until).max()?,
        covered: all().map(|it| it.covered).max()?,
        memory_quarters: Vec::new(),
        ..first.clone()
    };
    if containers.len() == 1 {
        return Some(whole);
    }
    let sum = total.series();
    Some(Statistics {
        samples: sum.samples,
        cpu: sum.cpu?,
        memory: sum.memory?,
        ..whole
    })
}

/// The samples of one container or node within a span.
#[derive(Debug)]
struct Pool<'a> {
    query: &'a StatisticsQuery,
    since: Option<Timestamp>,
    until: Timestamp,
    /// Nanoseconds.
    covered: i64,
    cpu: Vec<u64>,
    memory: Vec<u64>,
    /// Of the series with the latest sample.
    quarters: Vec<MemoryRange>,
}

impl<'a> Pool<'a> {
    fn new(query: &'a StatisticsQuery) -> Self {
        Self {
            query,
            since: None,
            until: Timestamp::default(),
            covered: 0,
            cpu: Vec::new(),
            memory: Vec::new(),
            quarters: Vec::new(),
        }
    }

    fn add(&mut self, samples: &[Sample], reach: i64) {
        let (since, until) = self.query.span();
        // Since the last restart.
        let mut run: Vec<Sample> = Vec::new();
        for (from, sample) in covering(samples, reach, since, until) {
            let from = from.max(since);
            self.since = Some(self.since.map_or(from, |first| first.min(from)));
            self.covered += sample.at.min(until).since(from);
            self.cpu.push(sample.cpu.0);
            self.memory.push(sample.memory.0);
            if sample.restarted {
                run.clear();
            }
            run.push(*sample);
        }
        if let Some(last) = run.last().filter(|last| last.at > self.until) {
            self.until = last.at;
            self.quarters = quarters(&run);
        }
    }

    fn statistics(self) -> Option<Statistics> {
        Some(Statistics {
            since: self.since?,
            until: self.until,
            covered: GoDuration(self.covered),
            samples: self.cpu.len() as u64,
            cpu: quantiles(self.cpu)?,
            memory: quantiles(self.memory)?,
            memory_quarters: self.quarters,
            restarts: 0,
            oom_kills: 0,
        })
    }
}

/// The range of memory in each quarter of the time of these samples. Empty if a quarter has too few.
fn quarters(samples: &[Sample]) -> Vec<MemoryRange> {
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
        return Vec::new();
    };
    let length = last.at.since(first.at);
    let in_quarter = |quarter: i64| {
        let of = move |sample: &&Sample| {
            let index = sample.at.since(first.at).saturating_mul(4) / length.max(1);
            index.min(3) == quarter
        };
        samples.iter().filter(of).map(|sample| sample.memory.0)
    };
    let range = |quarter| {
        let memory = in_quarter(quarter);
        (memory.clone().count() >= LEAST_OF_QUARTER).then_some(MemoryRange {
            min: memory.clone().min()?,
            max: memory.max()?,
        })
    };
    let ranges: Option<Vec<MemoryRange>> = (0..4).map(range).collect();
    ranges.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use kubevitals_proto::units::{Bytes, Nanocores};

    use super::*;

    fn sample(second: i64, memory: u64) -> Sample {
        Sample {
            at: Timestamp::from_secs(second),
            cpu: Nanocores(memory * 10),
            memory: Bytes(memory),
            swap: None,
            restarted: false,
        }
    }

    fn ranges(samples: &[Sample]) -> Vec<(u64, u64)> {
        quarters(samples)
            .iter()
            .map(|it| (it.min, it.max))
            .collect()
    }

    fn pooled(series: &[&[Sample]]) -> Option<Statistics> {
        let query = StatisticsQuery {
            since: Timestamp::from_secs(1_000),
            until: Timestamp::from_secs(1_300),
            bindings: Bindings::default(),
        };
        let mut pool = Pool::new(&query);
        for samples in series {
            pool.add(samples, 25_000_000_000);
        }
        pool.statistics()
    }

    #[test]
    fn each_quarter_has_its_range() {
        let samples: Vec<Sample> = (0..16).map(|n| sample(n * 15, n as u64)).collect();
        assert_eq!(ranges(&samples), [(0, 3), (4, 7), (8, 11), (12, 15)]);
        // 15 samples are too few for four of them in each quarter.
        assert_eq!(ranges(&samples[1..]), []);
        assert_eq!(ranges(&[]), []);
        // Neither are many samples before a gap.
        let mut late = samples;
        late.push(sample(10_000, 1));
        assert_eq!(ranges(&late), []);
    }

    #[test]
    fn statistics_are_of_the_samples_that_cover_a_part_of_the_span() {
        let samples: Vec<Sample> = (90..140).map(|n| sample(n * 10, n as u64)).collect();
        let found = pooled(&[&samples]).unwrap();
        let seconds = |at: Timestamp| at.as_secs();
        assert_eq!((seconds(found.since), seconds(found.until)), (1_000, 1_300));
        assert_eq!(found.covered, GoDuration::from_secs(300));
        assert_eq!(
            (found.samples, found.memory.max, found.cpu.p50),
            (30, 130, 1_150)
        );
    }

    #[test]
    fn gaps_are_not_covered_and_a_restart_begins_new_quarters() {
        let mut samples: Vec<Sample> = (101..=110).map(|n| sample(n * 10, 500)).collect();
        samples.extend((114..=130).map(|n| sample(n * 10, n as u64)));
        samples[10].restarted = true;
        let found = pooled(&[&samples]).unwrap();
        // The first sample after a gap covers the usual distance.
        assert_eq!(found.covered, GoDuration::from_secs(100 + 170));
        assert_eq!(found.memory_quarters[0].min, 114);
        assert_eq!(pooled(&[&[], &[sample(500, 1)]]), None);
    }

    #[test]
    fn several_pods_of_a_name_are_one_after_the_other() {
        let before: Vec<Sample> = (101..=110).map(|n| sample(n * 10, 900)).collect();
        let after: Vec<Sample> = (111..=130).map(|n| sample(n * 10, 7)).collect();
        for series in [[&*before, &*after], [&*after, &*before]] {
            let found = pooled(&series).unwrap();
            assert_eq!((found.samples, found.memory.max), (30, 900));
            assert_eq!(found.covered, GoDuration::from_secs(300));
            assert_eq!(found.memory_quarters[0].max, 7);
        }
    }
}
