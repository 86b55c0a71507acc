//! The latest past in steps, for a sparkline.

use std::time::Duration;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::Trend;

use super::VitalsBuilder;
use crate::cluster::Pod;
use crate::store::history::{Excerpt, NodeHistory, Offset, PodId};
use crate::store::ring::{Sample, Tick};

/// Points that are no further apart than so many resolutions have no gap between them: the later one's CPU is that of
/// all the time since the earlier.
const NO_GAP: u32 = 5;

/// How much of the past.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) steps: u32,
    pub(super) step: Duration,
}

impl VitalsBuilder {
    /// Of a node.
    pub(super) fn node_trend(&mut self, node: &str) -> Option<Trend> {
        self.trend_of(node, |pod| pod.is_none())
    }

    /// Of a pod: its containers together.
    pub(super) fn pod_trend(&mut self, pod: &Pod) -> Option<Trend> {
        let (key, uid) = (&pod.key, pod.uid);
        let is_it =
            |id: &PodId| id.name == key.name && id.namespace == key.namespace && id.may_be(uid);
        self.trend_of(pod.node.as_deref()?, |pod| pod.is_some_and(is_it))
    }

    /// Of the cluster: its nodes together.
    pub(super) fn cluster_trend(&mut self) -> Option<Trend> {
        let span = self.trend?;
        let mut steps = Steps::new(span, self.at());
        let nodes = self.store.history().nodes();
        for (_, history) in nodes {
            let offset = history.offset(self.now, self.wall);
            steps.add_all(&history, |pod| pod.is_none(), offset, &mut self.excerpt);
        }
        Some(steps.trend())
    }

    fn trend_of(&mut self, node: &str, wanted: impl Fn(Option<&PodId>) -> bool) -> Option<Trend> {
        let span = self.trend?;
        let history = self.store.history().node(node)?;
        // Points have the kubelet's time, and a kubelet's clock may be hours off.
        let offset = history.offset(self.now, self.wall);
        let its_now = history.time(self.now).map(|tick| offset.ours(tick.time()));
        let until = match &self.as_of {
            Some(as_of) => as_of.at,
            None => its_now.unwrap_or(self.wall),
        };
        let mut steps = Steps::new(span, until);
        steps.add_all(&history, wanted, offset, &mut self.excerpt);
        Some(steps.trend())
    }
}

/// Sums by steps. Steps end at whole multiples of their length, so that two looks at one series agree.
#[derive(Debug)]
struct Steps {
    until: Timestamp,
    step: i64,
    cpu: Vec<Option<u64>>,
    memory: Vec<Option<u64>>,
    /// Sums and counts of one series.
    own: Vec<(u128, u128, u64)>,
}

impl Steps {
    fn new(span: Span, until: Timestamp) -> Self {
        let step = i64::try_from(span.step.as_nanos())
            .unwrap_or(i64::MAX)
            .max(1);
        let last = until.0.div_euclid(step).saturating_add(1);
        let steps = span.steps as usize;
        Self {
            until: Timestamp(last.saturating_mul(step)),
            step,
            cpu: vec![None; steps],
            memory: vec![None; steps],
            own: vec![(0, 0, 0); steps],
        }
    }

    /// What to copy: the steps, and what lies around them, by the node's clock.
    fn around(&self, offset: Offset) -> (Tick, Tick) {
        let steps = i64::try_from(self.own.len()).unwrap_or(i64::MAX);
        let margin = self.step.saturating_mul(NO_GAP.into());
        let since = self.until.0.saturating_sub(self.step.saturating_mul(steps));
        (
            Tick::nearest(offset.theirs(Timestamp(since.saturating_sub(margin)))),
            Tick::nearest(offset.theirs(self.until)),
        )
    }

    /// The step that a time lies in; less than zero before the first.
    fn place(&self, at: Timestamp) -> i64 {
        let last = i64::try_from(self.own.len()).unwrap_or(i64::MAX) - 1;
        last.saturating_sub(self.until.since(at).div_euclid(self.step))
    }

    /// The steps after one and before another.
    fn between(&mut self, after: i64, before: i64) -> &mut [(u128, u128, u64)] {
        let index = |place: i64| usize::try_from(place).unwrap_or_default();
        let (begin, end) = (
            index(after.saturating_add(1)),
            index(before).min(self.own.len()),
        );
        self.own.get_mut(begin..end).unwrap_or_default()
    }

    /// Adds the series of a node that are wanted.
    fn add_all(
        &mut self,
        history: &NodeHistory,
        wanted: impl Fn(Option<&PodId>) -> bool,
        offset: Offset,
        excerpt: &mut Excerpt,
    ) {
        let (since, until) = self.around(offset);
        history.copy(excerpt, wanted, since, until);
        for copy in excerpt.series() {
            self.add(copy.samples().map(|sample| offset.sample(sample)));
        }
    }

    /// Adds a series to the others.
    fn add(&mut self, samples: impl Iterator<Item = Sample>) {
        self.own.fill((0, 0, 0));
        let mut before: Option<Sample> = None;
        let gap = self.step.saturating_mul(NO_GAP.into());
        for sample in samples {
            let place = self.place(sample.at);
            let goes_on = |before: &Sample| !sample.restarted && sample.at.since(before.at) <= gap;
            if let Some(before) = before.filter(goes_on) {
                // CPU was averaged over the time since then.
                let after = self.place(before.at);
                let filled = (sample.cpu.0.into(), before.memory.0.into(), 1);
                self.between(after, place).fill(filled);
            }
            if let Some(own) = self.between(place - 1, place + 1).first_mut() {
                own.0 += u128::from(sample.cpu.0);
                own.1 += u128::from(sample.memory.0);
                own.2 += 1;
            }
            before = Some(sample);
        }
        // The last one is answered for a while, too, when there is no newer one.
        if let Some(last) = before
            && self.until.since(last.at) <= gap / 2
        {
            let (after, end) = (self.place(last.at), i64::MAX);
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

    /// CPU by steps of 15 s that end at 150 s, of a node with points at these seconds, each with its second as CPU.
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
            node.take(Age::default(), Some(sample), std::iter::empty(), |_, _| {
                Binding::Unknown
            });
        }
        let span = Span {
            steps,
            step: resolution,
        };
        let mut steps = Steps::new(span, Timestamp::from_secs(149));
        let mut excerpt = Excerpt::default();
        steps.add_all(&node, |_| true, Offset::default(), &mut excerpt);
        let trend = steps.trend();
        assert_eq!(trend.until, Timestamp::from_secs(150));
        trend.cpu
    }

    #[test]
    fn a_step_is_the_mean_of_its_points() {
        assert_eq!(
            trend(3, &[106, 110, 125, 140]),
            [Some(108), Some(125), Some(140)]
        );
    }

    #[test]
    fn what_lies_between_two_points_is_told_by_the_later_and_a_gap_is_a_gap() {
        let long_ago = &[10, 110, 140];
        assert_eq!(trend(4, long_ago), [None, Some(110), Some(140), Some(140)]);
        assert_eq!(trend(2, &[20]), [None, None]);
        assert_eq!(trend(2, &[]), [None, None]);
    }

    #[test]
    fn the_last_point_holds_for_a_while() {
        assert_eq!(trend(3, &[116]), [Some(116), Some(116), Some(116)]);
        assert_eq!(trend(3, &[100]), [None, None, None]);
    }
}
