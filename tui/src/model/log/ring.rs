//! The lines of logs in memory: bounded in bytes and in lines. The oldest are dropped, and counted.

use std::collections::VecDeque;

use kubevitals_proto::time::Timestamp;

use super::Level;

/// The most bytes of all lines together.
pub const MAX_BYTES: usize = 8 << 20;

/// The most lines.
pub const MAX_LINES: usize = 50_000;

/// The longest line in bytes. The rest is cut off, and its bytes are counted.
pub const MAX_LINE: usize = 16 << 10;

/// A line of a log, as text that cannot control the terminal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogLine {
    /// The time at which the container wrote it.
    pub time: Option<Timestamp>,
    /// The index of its stream among those of the request.
    pub stream: u16,
    /// Its level.
    pub level: Level,
    /// Its text.
    pub text: Box<str>,
    /// Whether the end of the line was cut off.
    pub is_cut: bool,
}

impl LogLine {
    /// The memory of the line in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.text.len()
    }
}

/// The lines in order of time. Each has a number that never changes while older lines are dropped.
#[derive(Debug, Clone, Default)]
pub struct Ring {
    lines: VecDeque<LogLine>,
    bytes: usize,
    /// The number of the first line.
    first: u64,
    /// Lines that were dropped here.
    dropped: u64,
}

impl Ring {
    /// The number of lines.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is no line.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The bytes of all lines.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many lines were dropped to make space.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The number of the first line.
    #[must_use]
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// The line with this number.
    #[must_use]
    pub fn get(&self, number: u64) -> Option<&LogLine> {
        let at = number.checked_sub(self.first)?;
        self.lines.get(usize::try_from(at).ok()?)
    }

    /// The lines, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &LogLine> + ExactSizeIterator {
        self.lines.iter()
    }

    /// The number of the first line that is not before this time.
    #[must_use]
    pub fn at_time(&self, time: Timestamp) -> Option<u64> {
        let at = self.lines.partition_point(|line| line.time < Some(time));
        (at < self.lines.len()).then(|| self.first + as_number(at))
    }

    /// Adds lines, which are in order of time, and drops the oldest ones to make space. Returns the number of the first
    /// line that a new one was inserted before, and how many were: lines after it have a new number.
    pub fn add(&mut self, batch: Vec<LogLine>) -> Option<(u64, u64)> {
        self.bytes += batch.iter().map(LogLine::bytes).sum::<usize>();
        let starts = batch.first().and_then(|line| line.time);
        let at = self
            .lines
            .partition_point(|line| line.time <= starts || starts.is_none());
        let later = self.lines.split_off(at);
        let inserted =
            (!later.is_empty()).then(|| (self.first + as_number(at), as_number(batch.len())));
        if later.is_empty() {
            self.lines.extend(batch);
        } else {
            self.merge(later, batch);
        }
        self.shrink();
        inserted
    }

    /// Appends two lists in order of time.
    fn merge(&mut self, later: VecDeque<LogLine>, batch: Vec<LogLine>) {
        let mut later = later.into_iter().peekable();
        for line in batch {
            while let Some(earlier) = later.next_if(|other| other.time <= line.time) {
                self.lines.push_back(earlier);
            }
            self.lines.push_back(line);
        }
        self.lines.extend(later);
    }

    fn shrink(&mut self) {
        while self.bytes > MAX_BYTES || self.lines.len() > MAX_LINES {
            let Some(line) = self.lines.pop_front() else {
                return;
            };
            self.bytes -= line.bytes();
            self.first += 1;
            self.dropped += 1;
        }
    }
}

/// A count as a number of lines.
pub(in crate::model) fn as_number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(second: i64, text: &str) -> LogLine {
        LogLine {
            time: Some(Timestamp::from_secs(second)),
            text: text.into(),
            ..LogLine::default()
        }
    }

    fn texts(ring: &Ring) -> Vec<&str> {
        ring.iter().map(|line| &*line.text).collect()
    }

    #[test]
    fn lines_of_several_streams_are_in_order_of_time() {
        let mut ring = Ring::default();
        assert_eq!(
            ring.add(vec![line(1, "a1"), line(4, "a4"), line(6, "a6")]),
            None
        );
        assert_eq!(
            ring.add(vec![line(2, "b2"), line(4, "b4"), line(7, "b7")]),
            Some((1, 3))
        );
        assert_eq!(texts(&ring), ["a1", "b2", "a4", "b4", "a6", "b7"]);
        assert_eq!(ring.add(vec![line(7, "a7")]), None);
        assert_eq!(ring.at_time(Timestamp::from_secs(5)), Some(4));
        assert_eq!(ring.at_time(Timestamp::from_secs(8)), None);
        // Without a time lines are appended.
        ring.add(vec![LogLine {
            text: "x".into(),
            ..LogLine::default()
        }]);
        assert_eq!(texts(&ring).last(), Some(&"x"));
    }

    #[test]
    fn the_oldest_lines_are_dropped_and_counted() {
        let mut ring = Ring::default();
        let long = "x".repeat(MAX_LINE);
        for second in 0..2_000 {
            ring.add(vec![line(second, &long)]);
            assert!(ring.bytes() <= MAX_BYTES);
        }
        assert_eq!(ring.dropped() + as_number(ring.len()), 2_000);
        assert_eq!(ring.first(), ring.dropped());
        assert_eq!(
            ring.get(ring.first()).unwrap().time,
            Some(Timestamp::from_secs(ring.first().cast_signed()))
        );
        assert_eq!(ring.get(ring.first() - 1), None);
    }

    proptest! {
        #[test]
        fn the_ring_is_bounded(batches in proptest::collection::vec((0_i64..50, 0_usize..3_000, 0_usize..20_000), 1..60)) {
            let mut ring = Ring::default();
            let mut added = 0;
            for (second, count, length) in batches {
                let text = "é".repeat(length.min(MAX_LINE) / 2);
                let count = count.min((16 << 20) / (text.len() + 1));
                added += as_number(count);
                ring.add(vec![line(second, &text); count]);
                prop_assert!(ring.bytes() <= MAX_BYTES && ring.len() <= MAX_LINES);
                prop_assert_eq!(ring.bytes(), ring.iter().map(LogLine::bytes).sum::<usize>());
            }
            prop_assert_eq!(ring.dropped() + as_number(ring.len()), added);
            prop_assert!(ring.iter().is_sorted_by_key(|line| line.time));
        }
    }
}
