//! Recent usage of rows, for sparklines. The dashboard collects readings as they arrive, after an initial history from
//! the source.

use std::collections::{HashMap, VecDeque};

use kubevitals_proto::time::Timestamp;

use super::amount::Amounts;
use super::name::Key;
use super::stored_reading::{Mean, StoredReading};

/// The number of readings of an object: one hour at 15 s.
const MAX_READINGS: u32 = 240;

const HOUR_SECONDS: u32 = 3_600;

/// Above this number of trends, readings are further apart, so that an hour of a trend takes 0.4 kB instead of 1.5 kB.
const MANY_TRENDS: usize = 5_000;

/// The distance in seconds of the readings of many trends. Sparklines have a column for half a minute or more.
const MANY_APART: u32 = 60;

/// Readings further apart than this have a gap between them: a metrics-server scrapes once a minute.
const GAP_SECONDS: i64 = 95;

/// How long a reading fills the steps after it, in seconds. A longer time is a gap.
const HOLD_SECONDS: u32 = 95;

/// The number of containers with a trend.
const MAX_CONTAINERS: usize = 10_000;

/// Recent usage of objects.
#[derive(Debug, Clone, Default)]
pub struct Trends {
    by_key: HashMap<Key, Trend>,
    /// The number of trends of containers.
    containers: usize,
}

/// Recent usage of one object.
#[derive(Debug, Clone, Default)]
pub struct Trend {
    /// The base of the readings' times, in seconds since the epoch.
    base: u32,
    readings: VecDeque<StoredReading>,
}

impl Trend {
    /// Adds a reading. A reading that is not newer than the last one is ignored.
    pub fn push(&mut self, at: Timestamp, usage: Amounts) {
        self.push_apart(at, usage, 0);
    }

    /// Adds a reading. It replaces the last one if that is less than `apart` seconds after the one before.
    fn push_apart(&mut self, at: Timestamp, usage: Amounts, apart: u32) {
        let Ok(at) = u32::try_from(at.as_secs()) else {
            return;
        };
        if self
            .readings
            .back()
            .is_some_and(|last| self.time(last) >= at)
        {
            return;
        }
        let mut latest = self.readings.iter().rev().map(|reading| self.time(reading));
        if let (Some(last), Some(before)) = (latest.next(), latest.next())
            && last - before < apart
        {
            self.readings.pop_back();
        }
        let most = HOUR_SECONDS.checked_div(apart).unwrap_or(MAX_READINGS);
        while self.readings.len() >= usize::try_from(most).unwrap_or(usize::MAX) {
            self.readings.pop_front();
        }
        let after = self.after_base(at);
        self.readings.push_back(StoredReading::new(after, usage));
    }

    /// The time of a reading, in seconds since the epoch.
    fn time(&self, reading: &StoredReading) -> u32 {
        self.base.saturating_add(reading.after.into())
    }

    /// The distance in seconds from the base to a time that is later than all readings. Moves the base if sixteen bits
    /// are not enough, and drops the readings if that is not enough either.
    fn after_base(&mut self, at: u32) -> u16 {
        if let Ok(after) = u16::try_from(at.saturating_sub(self.base)) {
            return after;
        }
        let first = self.readings.front().map_or(0, |first| first.after);
        self.base = self.base.saturating_add(first.into());
        for reading in &mut self.readings {
            reading.after -= first;
        }
        u16::try_from(at.saturating_sub(self.base)).unwrap_or_else(|_| {
            self.readings.clear();
            self.base = at;
            0
        })
    }

    /// Inserts readings before the existing ones and in their gaps.
    fn begin_with(&mut self, readings: &[(Timestamp, Amounts)]) {
        let existing = std::mem::take(self);
        let mut rest = existing.readings.iter().peekable();
        for (at, usage) in readings {
            while let Some(earlier) = rest.next_if(|it| existing.timestamp(it) <= *at) {
                self.push(existing.timestamp(earlier), earlier.amounts());
            }
            let is_first = rest.len() == existing.readings.len();
            let gap = rest.peek().map(|next| {
                let last = self.newest().unwrap_or_default();
                existing.timestamp(next).as_secs() - last.as_secs()
            });
            if existing.readings.is_empty() || gap.is_some_and(|gap| is_first || gap > GAP_SECONDS)
            {
                self.push(*at, *usage);
            }
        }
        for reading in rest {
            self.push(existing.timestamp(reading), reading.amounts());
        }
    }

    fn timestamp(&self, reading: &StoredReading) -> Timestamp {
        Timestamp::from_secs(self.time(reading).into())
    }

    /// The last reading up to a time, if it is not older than `patience_seconds`.
    #[must_use]
    pub fn at(&self, time: Timestamp, patience_seconds: u32) -> Option<(Timestamp, Amounts)> {
        let time = u32::try_from(time.as_secs()).ok()?;
        let after = self
            .readings
            .partition_point(|reading| self.time(reading) <= time);
        let reading = self.readings.get(after.checked_sub(1)?)?;
        (time.saturating_sub(self.time(reading)) <= patience_seconds)
            .then(|| (self.timestamp(reading), reading.amounts()))
    }

    /// The means of `steps` equal intervals from `since` to `until`, oldest first; unknown in a gap.
    #[must_use]
    pub fn steps(&self, since: Timestamp, until: Timestamp, steps: usize) -> Vec<Amounts> {
        let mut means = vec![Amounts::default(); steps];
        self.each_step(since, until, steps, |at, mean| {
            if let Some(step) = means.get_mut(at) {
                *step = mean;
            }
        });
        means
    }

    /// As [`Trend::steps`]; a reading also fills the steps after it for 95 seconds, if steps are shorter than the
    /// time between two readings.
    #[must_use]
    pub fn held_steps(&self, since: Timestamp, until: Timestamp, steps: usize) -> Vec<Amounts> {
        let mut held = vec![Amounts::default(); steps];
        self.add_held_steps(since, until, &mut held);
        held
    }

    /// Adds [`Trend::held_steps`] to sums.
    pub fn add_held_steps(&self, since: Timestamp, until: Timestamp, sums: &mut [Amounts]) {
        let steps = sums.len();
        let count = i64::try_from(steps).unwrap_or(i64::MAX).max(1);
        let step_seconds = (until.since(since).max(0) / count / 1_000_000_000).max(1);
        let hold = usize::try_from(i64::from(HOLD_SECONDS) / step_seconds).unwrap_or(0);
        let mut add = |steps: std::ops::Range<usize>, usage: Amounts| {
            let end = steps.end.min(sums.len());
            for sum in sums.get_mut(steps.start..end).unwrap_or_default() {
                *sum = sum.plus(usage);
            }
        };
        // The reading before the first step, and the number of steps that it still fills.
        let before = self.at(since, HOLD_SECONDS).map(|(at, usage)| {
            let passed = since.since(at) / 1_000_000_000 / step_seconds;
            (
                usage,
                hold - usize::try_from(passed).unwrap_or(hold).min(hold),
            )
        });
        let (mut last, mut filled, mut next) = (Amounts::default(), 0, 0);
        if let Some((usage, steps)) = before {
            (last, filled) = (usage, steps);
        }
        self.each_step(since, until, steps, |at, mean| {
            add(next..filled.min(at), last);
            add(at..at + 1, mean);
            (last, next, filled) = (mean, at + 1, at + 1 + hold);
        });
        add(next..filled, last);
    }

    /// Calls `each` for every interval with readings, with its index and their mean.
    fn each_step(
        &self,
        since: Timestamp,
        until: Timestamp,
        steps: usize,
        mut each: impl FnMut(usize, Amounts),
    ) {
        let span = u128::from(until.since(since).max(1).unsigned_abs());
        let first = self
            .readings
            .partition_point(|reading| self.timestamp(reading) < since);
        let mut step = Mean::default();
        let (mut at, mut end) = (0, span);
        for reading in self.readings.range(first..) {
            let offset = u128::from(self.timestamp(reading).since(since).unsigned_abs());
            if offset >= span {
                break;
            }
            // The step ends at `end / steps`.
            let scaled = offset * steps as u128;
            while scaled >= end {
                if let Some(mean) = std::mem::take(&mut step).get() {
                    each(at, mean);
                }
                at += 1;
                end += span;
            }
            step.add(*reading);
        }
        if let Some(mean) = step.get() {
            each(at, mean);
        }
    }

    /// The memory readings after a time and up to another, in bytes.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "readings have nine significant bits"
    )]
    pub fn memory(&self, after: Timestamp, until: Timestamp) -> Vec<(Timestamp, f64)> {
        let readings = self.readings.iter();
        let readings = readings.map(|reading| (self.timestamp(reading), reading.memory()));
        readings
            .filter(|(at, _)| *at > after && *at <= until)
            .filter_map(|(at, memory)| Some((at, memory? as f64)))
            .collect()
    }

    /// The time of the last reading.
    fn newest(&self) -> Option<Timestamp> {
        self.readings.back().map(|reading| self.timestamp(reading))
    }

    /// The time of the first reading.
    #[must_use]
    pub fn oldest(&self) -> Option<Timestamp> {
        self.readings.front().map(|reading| self.timestamp(reading))
    }
}

impl Trends {
    /// The trend of an object.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Trend> {
        self.by_key.get(key)
    }

    /// Adds a reading of an object. The number of containers (keys with a part) is limited.
    pub fn push(&mut self, key: &Key, at: Timestamp, usage: Amounts) {
        let apart = if self.by_key.len() > MANY_TRENDS {
            MANY_APART
        } else {
            0
        };
        if let Some(trend) = self.by_key.get_mut(key) {
            trend.push_apart(at, usage, apart);
            return;
        }
        if !key.part.is_empty() {
            if self.has_max_containers() {
                return;
            }
            self.containers += 1;
        }
        self.by_key.entry(key.clone()).or_default().push(at, usage);
    }

    /// Inserts readings of an object before the existing ones.
    pub fn begin_with(&mut self, key: &Key, readings: &[(Timestamp, Amounts)]) {
        self.by_key
            .entry(key.clone())
            .or_default()
            .begin_with(readings);
    }

    /// Removes the trends of objects that no longer exist.
    pub fn retain(&mut self, keep: impl Fn(&Key) -> bool) {
        self.by_key.retain(|key, _| keep(key));
        self.count_containers();
    }

    /// Removes the trends of containers whose last reading is before a time.
    pub fn retain_containers_since(&mut self, time: Timestamp) {
        self.by_key.retain(|key, trend| {
            key.part.is_empty() || trend.newest().is_some_and(|last| last >= time)
        });
        self.count_containers();
    }

    fn count_containers(&mut self) {
        let keys = self.by_key.keys();
        self.containers = keys.filter(|key| !key.part.is_empty()).count();
    }

    /// The number of trends, without those of containers.
    #[must_use]
    pub fn count(&self) -> usize {
        self.by_key.len() - self.containers
    }

    /// Whether no trend of another container can be added.
    #[must_use]
    pub const fn has_max_containers(&self) -> bool {
        self.containers >= MAX_CONTAINERS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cell::Resource;
    use kubevitals_proto::units::{Bytes, Nanocores};

    fn usage(cpu: u64) -> Amounts {
        Amounts {
            cpu: Nanocores(cpu).into(),
            memory: Bytes(cpu * 2).into(),
        }
    }

    #[test]
    fn steps_are_means_and_a_gap_is_a_gap() {
        let mut trend = Trend::default();
        for (second, cpu) in [(0, 100), (5, 300), (25, 50), (25, 999)] {
            trend.push(Timestamp::from_secs(second), usage(cpu));
        }
        let steps = trend.steps(Timestamp::from_secs(0), Timestamp::from_secs(30), 3);
        let cpus: Vec<_> = steps.iter().map(|step| step.get(Resource::Cpu)).collect();
        assert_eq!(cpus, [Some(200), None, Some(50)]);
    }

    #[test]
    fn a_reading_fills_the_steps_after_it_for_a_while() {
        let mut trend = Trend::default();
        for (second, cpu) in [(80, 7), (120, 1), (150, 2), (400, 3)] {
            trend.push(Timestamp::from_secs(second), usage(cpu));
        }
        let steps = trend.held_steps(Timestamp::from_secs(100), Timestamp::from_secs(500), 20);
        let cpus: Vec<_> = steps.iter().map(|step| step.get(Resource::Cpu)).collect();
        let mut expected = vec![Some(7), Some(1), Some(2)];
        // Four steps of twenty seconds are in 95 seconds.
        expected.extend([Some(2); 4]);
        expected.extend([None; 8]);
        expected.extend([Some(3); 5]);
        assert_eq!(cpus, expected);
    }

    #[test]
    fn earlier_readings_are_inserted_before() {
        let mut trend = Trend::default();
        trend.push(Timestamp::from_secs(30), usage(3));
        let before = [(10, 1), (20, 2), (30, 9), (40, 9)];
        trend.begin_with(&before.map(|(second, cpu)| (Timestamp::from_secs(second), usage(cpu))));
        let steps = trend.steps(Timestamp::from_secs(0), Timestamp::from_secs(50), 5);
        let cpus: Vec<_> = steps.iter().map(|step| step.get(Resource::Cpu)).collect();
        assert_eq!(cpus, [None, Some(1), Some(2), Some(3), None]);
    }

    #[test]
    fn earlier_readings_fill_gaps() {
        let mut trend = Trend::default();
        for second in [100, 115, 400, 415] {
            trend.push(Timestamp::from_secs(second), usage(1));
        }
        let history: Vec<_> = (5..50).map(|step| step * 10).collect();
        let history = history
            .iter()
            .map(|at| (Timestamp::from_secs(*at), usage(2)));
        trend.begin_with(&history.collect::<Vec<_>>());
        let times: Vec<u32> = trend.readings.iter().map(|it| trend.time(it)).collect();
        let mut expected: Vec<u32> = (5..10).map(|step| step * 10).collect();
        expected.extend([100, 115]);
        // Up to the length of a gap before the next reading.
        expected.extend(
            (12..32)
                .map(|step| step * 10)
                .take_while(|at| 400 - at > 85),
        );
        expected.extend([400, 415]);
        assert_eq!(times, expected);
    }

    #[test]
    fn a_reading_holds_for_a_while() {
        let mut trend = Trend::default();
        trend.push(Timestamp::from_secs(10), usage(100));
        let at = |second| trend.at(Timestamp::from_secs(second), 60).is_some();
        assert_eq!((at(9), at(10), at(70), at(71)), (false, true, true, false));
    }

    #[test]
    fn times_are_right_however_late_they_are() {
        let mut trend = Trend::default();
        let mut later = |second: i64| {
            trend.push(Timestamp::from_secs(second), usage(1));
            let found = trend.at(Timestamp::from_secs(second), 0);
            found.map(|(at, _)| at.as_secs())
        };
        for second in [1_800_000_000, 1_800_060_000, 1_800_070_000, 1_900_000_000] {
            assert_eq!(later(second), Some(second));
        }
        // Readings that are too old for the base are dropped.
        assert_eq!(trend.oldest(), Some(Timestamp::from_secs(1_900_000_000)));
    }

    #[test]
    fn readings_of_many_trends_are_further_apart_and_the_last_one_is_current() {
        let mut trends = Trends::default();
        let key = |pod: usize| Key::named(&format!("pod-{pod}").into());
        let (one, count) = (key(0), MANY_TRENDS + 1);
        for pod in 0..count {
            trends.push(&key(pod), Timestamp::from_secs(15), usage(1));
        }
        for step in 2..=1_000 {
            trends.push(&one, Timestamp::from_secs(step * 15), usage(1));
            let trend = trends.get(&one).unwrap();
            assert_eq!(trend.newest(), Some(Timestamp::from_secs(step * 15)));
        }
        let trend = trends.get(&one).unwrap();
        assert_eq!(trend.readings.len(), 60);
        let times: Vec<u32> = trend.readings.iter().map(|it| trend.time(it)).collect();
        let (_, stored) = times.split_last().unwrap();
        assert!(stored.is_sorted_by(|a, b| b - a == MANY_APART), "{times:?}");
    }

    #[test]
    fn one_hour_is_stored() {
        let mut trend = Trend::default();
        for second in 1..=1000 {
            trend.push(Timestamp::from_secs(second), usage(1));
        }
        assert_eq!(trend.oldest(), Some(Timestamp::from_secs(761)));
    }
}
