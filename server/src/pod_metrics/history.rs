//! The histories of a pod's own metrics: an hour in the compressed ring.

use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;

use crate::store::ring::{Blocks, Ring, Tick};

/// How far it goes back.
const RETENTION: Duration = Duration::from_secs(3600);

/// The most names of a pod.
const MAX_NAMES: usize = 100;

/// The histories of a pod, by the names that clients ask for. All share the pod's blocks.
#[derive(Debug, Default)]
pub struct History {
    /// Sorted by name.
    rings: Vec<(Arc<str>, Ring)>,
    blocks: Blocks,
}

impl History {
    /// Adds a value. A new name is refused if `may_grow` is false.
    pub fn record(
        &mut self,
        name: &Arc<str>,
        at: Timestamp,
        value: f64,
        step: Duration,
        may_grow: bool,
    ) {
        let index = match self.find(name) {
            Ok(index) => index,
            Err(index) if may_grow && self.rings.len() < MAX_NAMES => {
                // A pod has few names: doubling would waste memory.
                self.rings.reserve_exact(1);
                self.rings
                    .insert(index, (Arc::clone(name), Ring::default()));
                index
            }
            Err(_) => return,
        };
        if let Some((_, ring)) = self.rings.get_mut(index) {
            // A value that is not newer is in it already.
            let _offered = ring.offer_number(&mut self.blocks, at, value, step);
        }
    }

    /// Drops what is too old.
    pub fn expire(&mut self, now: Timestamp) {
        let oldest = Tick::nearest(now).plus(-Tick::count(RETENTION));
        let blocks = &mut self.blocks;
        self.rings.retain_mut(|(_, ring)| {
            ring.drop_before(blocks, oldest);
            !ring.is_empty()
        });
    }

    /// The mean of each step that has values; where a step is shorter than `interval`, the last value before its end.
    pub(super) fn read(
        &self,
        name: &str,
        (from, to): (Timestamp, Timestamp),
        step: Duration,
        interval: Duration,
    ) -> Vec<(Timestamp, f64)> {
        /// The most steps of an answer.
        const MAX_STEPS: i64 = 10_000;
        let Some((_, ring)) = self.find(name).ok().and_then(|index| self.rings.get(index)) else {
            return Vec::new();
        };
        let nanos = |duration: Duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        let step = nanos(step).max(1);
        let valid = nanos(interval).saturating_mul(5) / 2;
        let mut numbers = ring.numbers(&self.blocks).peekable();
        let mut last = None;
        let mut steps = Vec::new();
        let count = (to.0.saturating_sub(from.0) / step).min(MAX_STEPS);
        for number in 0..=count {
            let end = from.0.saturating_add(number.saturating_mul(step));
            let (mut sum, mut in_step) = (0.0, 0_u32);
            while let Some((at, value)) = numbers.next_if(|(at, _)| at.0 <= end) {
                if at.0 > end.saturating_sub(step) {
                    (sum, in_step) = (sum + value, in_step + 1);
                }
                last = Some((at.0, value));
            }
            let value = if in_step > 0 {
                Some(sum / f64::from(in_step))
            } else {
                last.filter(|(at, _)| *at >= end.saturating_sub(valid))
                    .map(|(_, value)| value)
            };
            steps.extend(value.map(|value| (Timestamp(end), value)));
        }
        steps
    }

    /// The memory in bytes.
    pub fn bytes(&self) -> usize {
        self.rings.capacity() * size_of::<(Arc<str>, Ring)>() + self.blocks.bytes()
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        self.rings.binary_search_by(|(it, _)| (**it).cmp(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_secs(15);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_000_000 + seconds)
    }

    #[test]
    fn an_hour_is_stored_and_read_in_any_step() {
        let (mut history, name) = (History::default(), Arc::from("queue"));
        for turn in 0..480 {
            history.record(&name, at(turn * 15), 100.0, STEP, true);
            history.expire(at(turn * 15));
        }
        let now = 479 * 15;
        let steps = history.read("queue", (at(0), at(now)), Duration::from_secs(60), STEP);
        // Blocks are dropped as a whole, so a little more than an hour is there.
        assert!((58..=80).contains(&steps.len()), "{}", steps.len());
        assert!(steps.iter().all(|(_, value)| *value == 100.0));
        let fine = history.read(
            "queue",
            (at(now - 60), at(now)),
            Duration::from_secs(5),
            STEP,
        );
        assert_eq!(fine.len(), 13);
        assert!(history.bytes() < 1024, "{}", history.bytes());
        assert_eq!(history.read("other", (at(0), at(now)), STEP, STEP), []);
        history.expire(at(now + 7200));
        assert_eq!(history.read("queue", (at(0), at(now)), STEP, STEP), []);
    }

    #[test]
    fn without_room_known_names_continue_and_new_ones_are_refused() {
        let mut history = History::default();
        let (known, new) = (Arc::from("known"), Arc::from("new"));
        history.record(&known, at(0), 1.0, STEP, true);
        history.record(&known, at(15), 2.0, STEP, false);
        history.record(&new, at(15), 2.0, STEP, false);
        assert_eq!(
            history.read("known", (at(15), at(15)), STEP, STEP),
            [(at(15), 2.0)]
        );
        assert_eq!(history.read("new", (at(15), at(15)), STEP, STEP), []);
    }
}
