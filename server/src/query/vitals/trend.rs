//! Recent usage in equal steps, for a sparkline.

use std::time::Duration;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::time::{Timestamp, nanos};
use kubevitals_proto::vitals::Trend;

use super::builder::VitalsBuilder;
use crate::cluster::Pod;
use crate::store::history::{Excerpt, NodeHistory, Offset, PodId};
use crate::store::ring::{Sample, Tick};

/// The largest distance between two samples without a gap, in steps. The CPU of the later sample is the mean since the
/// earlier one.
const NO_GAP: u32 = 5;

/// The trend of a node.
pub(super) fn of_node(builder: &mut VitalsBuilder, node: &str) -> Option<Trend> {
    of_series(builder, node, |pod| pod.is_none())
}

/// The trend of a pod: the sum of its containers.
pub(super) fn of_pod(builder: &mut VitalsBuilder, pod: &Pod) -> Option<Trend> {
    let is_it = |id: &PodId| id.key == pod.key && id.may_be(pod.uid);
    of_series(builder, pod.node.as_deref()?, |pod| pod.is_some_and(is_it))
}

/// The trend of the cluster: the sum of its nodes.
pub(super) fn of_cluster(builder: &mut VitalsBuilder) -> Option<Trend> {
    let steps = builder.trend?;
    let mut steps = Steps::new(steps, builder.sources.resolution, builder.at());
    let nodes = builder.sources.history().nodes();
    for (_, history) in nodes {
        let offset = history.offset(builder.now, builder.wall);
        steps.add_all(&history, |pod| pod.is_none(), offset, &mut builder.excerpt);
    }
    Some(steps.trend())
}

fn of_series(
    builder: &mut VitalsBuilder,
    node: &str,
    filter: impl Fn(Option<&PodId>) -> bool,
) -> Option<Trend> {
    let steps = builder.trend?;
    let history = builder.sources.recent_history(node)?;
    // Samples have the kubelet's time, and a kubelet's clock may be hours off.
    let offset = history.offset(builder.now, builder.wall);
    let its_now = history
        .time(builder.now)
        .map(|tick| offset.ours(tick.time()));
    let until = match &builder.as_of {
        Some(as_of) => as_of.at,
        None => its_now.unwrap_or(builder.wall),
    };
    let mut steps = Steps::new(steps, builder.sources.resolution, until);
    steps.add_all(&history, filter, offset, &mut builder.excerpt);
    Some(steps.trend())
}

/// Sums of series by steps. A step ends at a multiple of its length, so that two reads of one series agree.
#[derive(Debug)]
struct Steps {
    until: Timestamp,
    step: i64,
    cpu: Vec<Option<u64>>,
    memory: Vec<Option<u64>>,
    /// CPU sum, memory sum and count of the current series in each step.
    own: Vec<(u128, u128, u64)>,
}

impl Steps {
    fn new(steps: u32, step: Duration, until: Timestamp) -> Self {
        let (steps, step) = (steps as usize, nanos(step).max(1));
        let last = until.0.div_euclid(step).saturating_add(1);
        Self {
            until: Timestamp(last.saturating_mul(step)),
            step,
            cpu: vec![None; steps],
            memory: vec![None; steps],
            own: vec![(0, 0, 0); steps],
        }
    }

    /// The span to copy, by the node's clock: the steps, and a margin before them.
    fn around(&self, offset: Offset) -> (Tick, Tick) {
        let steps = i64::try_from(self.own.len()).unwrap_or(i64::MAX);
        let margin = self.step.saturating_mul(NO_GAP.into());
        let since = self.until.0.saturating_sub(self.step.saturating_mul(steps));
        (
            Tick::nearest(offset.theirs(Timestamp(since.saturating_sub(margin)))),
            Tick::nearest(offset.theirs(self.until)),
        )
    }

    /// The index of the step of a time; negative before the first step.
    fn index(&self, at: Timestamp) -> i64 {
        let last = i64::try_from(self.own.len()).unwrap_or(i64::MAX) - 1;
        last.saturating_sub(self.until.since(at).div_euclid(self.step))
    }

    /// The steps between two steps, exclusive.
    fn between(&mut self, after: i64, before: i64) -> &mut [(u128, u128, u64)] {
        let bound = |index: i64| usize::try_from(index).unwrap_or_default();
        let (begin, end) = (
            bound(after.saturating_add(1)),
            bound(before).min(self.own.len()),
        );
        self.own.get_mut(begin..end).unwrap_or_default()
    }

    /// Adds the series of a node that pass `filter`.
    fn add_all(
        &mut self,
        history: &NodeHistory,
        filter: impl Fn(Option<&PodId>) -> bool,
        offset: Offset,
        excerpt: &mut Excerpt,
    ) {
        let (since, until) = self.around(offset);
        history.copy(excerpt, filter, since, until);
        for copy in excerpt.series() {
            self.add(copy.samples().map(|sample| offset.sample(sample)));
        }
    }

    /// Adds a series to the sums.
    fn add(&mut self, samples: impl Iterator<Item = Sample>) {
        self.own.fill((0, 0, 0));
        let mut before: Option<Sample> = None;
        let gap = self.step.saturating_mul(NO_GAP.into());
        for sample in samples {
            let index = self.index(sample.at);
            let continues =
                |before: &Sample| !sample.restarted && sample.at.since(before.at) <= gap;
            if let Some(before) = before.filter(continues) {
                // CPU is the mean over the time since the sample before.
                let after = self.index(before.at);
                let filled = (sample.cpu.0.into(), before.memory.0.into(), 1);
                self.between(after, index).fill(filled);
            }
            if let Some(own) = self.between(index - 1, index + 1).first_mut() {
                own.0 += u128::from(sample.cpu.0);
                own.1 += u128::from(sample.memory.0);
                own.2 += 1;
            }
            before = Some(sample);
        }
        // The last sample also counts for the time after it, until it is stale.
        if let Some(last) = before
            && self.until.since(last.at) <= gap / 2
        {
            let (after, end) = (self.index(last.at), i64::MAX);
            self.between(after, end)
                .fill((last.cpu.0.into(), last.memory.0.into(), 1));
        }
        let sums = self.cpu.iter_mut().zip(&mut self.memory);
        for ((cpu, memory), (cpu_sum, memory_sum, count)) in sums.zip(&self.own) {
            if *count > 0 {
                let mean = |sum: u128| u64::try_from(sum / u128::from(*count)).unwrap_or(u64::MAX);
                *cpu = Some(cpu.unwrap_or_default().saturating_add(mean(*cpu_sum)));
                *memory = Some(memory.unwrap_or_default().saturating_add(mean(*memory_sum)));
            }
        }
    }

    fn trend(self) -> Trend {
        Trend {
            until: self.until,
            step: GoDuration(self.step),
            cpu: self.cpu,
            memory: self.memory,
        }
    }
}

#[cfg(test)]
mod tests {
    use kubevitals_proto::units::{Bytes, Nanocores};

    use super::*;
    use crate::clock::Age;
    use crate::cluster::Binding;
    use crate::store::history::{History, Settings};

    /// CPU by steps of 15 s that end at 150 s, of a node with samples at these seconds. A sample's CPU is its second.
    fn trend(steps: u32, seconds: &[i64]) -> Vec<Option<u64>> {
        let resolution = Duration::from_secs(15);
        let history = History::new(Settings {
            retention: Duration::from_secs(3600),
            step: Duration::ZERO,
            memory_limit: 1 << 20,
            resolution,
        });
        let node = history.begin(&"n".into()).unwrap();
        for second in seconds {
            let sample = Sample {
                at: Timestamp::from_secs(*second),
                cpu: Nanocores(second.unsigned_abs()),
                memory: Bytes(1),
                swap: None,
                restarted: false,
            };
            node.take(Age::default(), Some(sample), std::iter::empty(), |_| {
                Binding::Unknown
            });
        }
        let mut steps = Steps::new(steps, resolution, Timestamp::from_secs(149));
        let mut excerpt = Excerpt::default();
        steps.add_all(&node, |_| true, Offset::default(), &mut excerpt);
        let trend = steps.trend();
        assert_eq!(trend.until, Timestamp::from_secs(150));
        trend.cpu
    }

    #[test]
    fn step_is_mean_of_its_samples() {
        assert_eq!(
            trend(3, &[106, 110, 125, 140]),
            [Some(108), Some(125), Some(140)]
        );
    }

    #[test]
    fn later_sample_fills_the_steps_between_and_gaps_stay() {
        let long_ago = &[10, 110, 140];
        assert_eq!(trend(4, long_ago), [None, Some(110), Some(140), Some(140)]);
        assert_eq!(trend(2, &[20]), [None, None]);
        assert_eq!(trend(2, &[]), [None, None]);
    }

    #[test]
    fn last_sample_counts_until_it_is_stale() {
        assert_eq!(trend(3, &[116]), [Some(116), Some(116), Some(116)]);
        assert_eq!(trend(3, &[100]), [None, None, None]);
    }
}
