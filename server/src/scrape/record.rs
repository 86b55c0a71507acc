//! The record of each node's scrapes, for /debug/targets, `vitals why` and /metrics.
//!
//! A record takes some 550 bytes, besides the text of its last failure and the start of its first bad line. It is
//! dropped with its node.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use parking_lot::{Mutex, RwLock};

use super::failure::{Failed, beginning};
use super::page::{Intervals, Page};
use crate::clock::Age;
use crate::store::SeriesSize;

/// The upper bounds of the counts in [`Durations`], in seconds: those of metrics-server's histogram.
pub const DURATION_BOUNDS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// A time of both clocks of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Instants {
    /// The monotonic clock, for ages.
    pub age: Age,
    /// The wall clock, for people.
    pub wall: Timestamp,
}

/// A completed scrape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The time at which it began.
    pub began: Instants,
    /// Its duration: connection, response and ingestion.
    pub took: Duration,
    /// The error and its address; none if it succeeded.
    pub failed: Option<Failed>,
}

/// Lines of a response that could not be parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLines {
    /// The number of lines in the response.
    pub lines: u32,
    /// The start of the first line.
    pub first: Box<str>,
    /// The time of the response.
    pub at: Instants,
}

/// The durations of requests to one node: 56 bytes a node.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Durations {
    /// The numbers of requests up to each of [`DURATION_BOUNDS`], each counted once; the last count is for longer ones.
    pub counts: [u32; DURATION_BOUNDS.len() + 1],
    /// The sum, in seconds.
    pub sum: f64,
}

impl Durations {
    fn observe(&mut self, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = DURATION_BOUNDS.partition_point(|bound| *bound < seconds);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count = count.saturating_add(1);
        }
        self.sum += seconds;
    }

    /// The number of requests.
    pub fn count(&self) -> u64 {
        self.counts.iter().map(|count| u64::from(*count)).sum()
    }
}

/// The requests for one page besides `/metrics/resource`: 96 bytes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PageHistory {
    /// The page is disabled.
    pub disabled: bool,
    /// Failures in a row.
    pub failures: u32,
    /// The time of the last completed request.
    pub began: Option<Instants>,
    /// Its duration.
    pub took: Duration,
    /// The error; none if it succeeded.
    pub failed: Option<Box<Failed>>,
    /// The time of the last successful request.
    pub answered: Option<Instants>,
    /// The number of requests skipped because scrapes of `/metrics/resource` waited.
    pub skipped: u32,
}

/// The scrapes of one node.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The begin of the current scrape, or of the last one.
    pub begun: Option<Instants>,
    /// The last completed scrape.
    pub last: Option<Attempt>,
    /// The address of the last success, and the begin of its scrape.
    pub answered: Option<(Box<str>, Instants)>,
    /// Failures in a row.
    pub failures: u32,
    /// A scrape is due and waits, because the limit of concurrent scrapes is reached.
    pub waits: bool,
    /// The node is not scraped, because the memory limit is near.
    pub left_out: bool,
    /// The time of the next scrape; none during a scrape.
    pub next: Option<Timestamp>,
    /// The latest time for the next scrape to begin. A later one means that the server has a problem.
    pub due: Age,
    /// The number of lines skipped in all scrapes.
    pub skipped_lines: u64,
    /// The last response with skipped lines.
    pub bad: Option<BadLines>,
    /// The durations of its requests.
    pub durations: Durations,
    /// The size of its series.
    pub series: SeriesSize,
    /// The number of scrapes skipped because the one before was waiting or running.
    pub skipped_turns: u32,
    /// The node's other pages, in the order of [`Page::ALL`].
    pub pages: [PageHistory; Page::ALL.len()],
}

impl History {
    /// The node's other pages.
    pub fn pages(&self) -> impl Iterator<Item = (Page, &PageHistory)> {
        Page::ALL.into_iter().zip(&self.pages)
    }
}

/// The record of one node: written by its worker, read by anyone.
#[derive(Debug, Default)]
pub struct Record(Mutex<History>);

impl Record {
    /// Reads the record.
    pub fn read<T>(&self, read: impl FnOnce(&History) -> T) -> T {
        read(&self.0.lock())
    }

    /// Records that a scrape is due and waits for admission.
    pub(super) fn waits(&self, at: Instants, resolution: Duration) {
        let mut history = self.0.lock();
        history.waits = true;
        history.next = None;
        history.due = at.age.after(resolution);
    }

    /// Records that the node is not scraped, because the memory limit is near.
    pub(super) fn left_out(&self, at: Instants, resolution: Duration) {
        self.waits(at, resolution);
        self.0.lock().left_out = true;
    }

    pub(super) fn begins(&self, at: Instants, resolution: Duration) {
        let mut history = self.0.lock();
        history.left_out = false;
        history.begun = Some(at);
        history.waits = false;
        history.next = None;
        history.due = at.age.after(resolution);
    }

    pub(super) fn plans(&self, now: Instants, wait: Duration) {
        let mut history = self.0.lock();
        let nanoseconds = i64::try_from(wait.as_nanos()).unwrap_or(i64::MAX);
        history.next = Some(now.wall.plus_nanos(nanoseconds));
        history.due = now.age.after(wait);
    }

    pub(super) fn skipped(&self, lines: u32, first: Option<&[u8]>, at: Instants) {
        let mut history = self.0.lock();
        history.skipped_lines = history.skipped_lines.saturating_add(u64::from(lines));
        history.bad = Some(BadLines {
            lines,
            first: beginning(first.unwrap_or_default()).into(),
            at,
        });
    }

    pub(super) fn skips_turns(&self, turns: u32) {
        let mut history = self.0.lock();
        history.skipped_turns = history.skipped_turns.saturating_add(turns);
    }

    /// Records a completed request for a page, or a skipped one without a result. Returns the failures in a row: before
    /// this request if it succeeded, or including it.
    pub(super) fn page_ended(
        &self,
        page: Page,
        began: Instants,
        took: Duration,
        result: Option<Result<(), &Failed>>,
    ) -> u32 {
        let mut history = self.0.lock();
        let pages = Page::ALL.into_iter().zip(&mut history.pages);
        let Some((_, it)) = pages.into_iter().find(|(of, _)| *of == page) else {
            return 0;
        };
        let Some(result) = result else {
            it.skipped = it.skipped.saturating_add(1);
            return it.failures;
        };
        (it.began, it.took) = (Some(began), took);
        it.failed = result.err().cloned().map(Box::new);
        if result.is_ok() {
            it.answered = Some(began);
            return std::mem::take(&mut it.failures);
        }
        it.failures = it.failures.saturating_add(1);
        it.failures
    }

    pub(super) fn set_series(&self, size: SeriesSize) {
        self.0.lock().series = size;
    }

    pub(super) fn ended(&self, began: Instants, took: Duration, result: Result<&str, &Failed>) {
        let mut history = self.0.lock();
        history.durations.observe(took);
        match result {
            Ok(address) => {
                history.failures = 0;
                let previous = history.answered.take();
                history.answered = Some(match previous {
                    Some((previous, _)) if *previous == *address => (previous, began),
                    _ => (address.into(), began),
                });
            }
            Err(_) => history.failures = history.failures.saturating_add(1),
        }
        history.last = Some(Attempt {
            began,
            took,
            failed: result.err().cloned(),
        });
    }
}

/// The records of all nodes that are scraped.
#[derive(Debug, Default)]
pub struct Records(RwLock<BTreeMap<Arc<str>, Arc<Record>>>);

impl Records {
    /// The record of one node.
    pub fn get(&self, node: &str) -> Option<Arc<Record>> {
        self.0.read().get(node).cloned()
    }

    /// All records, by node name.
    pub fn all(&self) -> Vec<(Arc<str>, Arc<Record>)> {
        let records = self.0.read();
        records
            .iter()
            .map(|(node, record)| (Arc::clone(node), Arc::clone(record)))
            .collect()
    }

    /// Adds a new record for a node, which replaces an earlier one.
    pub(super) fn add(&self, node: &Arc<str>, intervals: &Intervals) -> Arc<Record> {
        let pages = Page::ALL.map(|page| PageHistory {
            disabled: intervals.of(page).is_none(),
            ..PageHistory::default()
        });
        let record = Arc::new(Record(Mutex::new(History {
            pages,
            ..History::default()
        })));
        self.0.write().insert(Arc::clone(node), Arc::clone(&record));
        record
    }

    pub(super) fn remove(&self, node: &str) {
        self.0.write().remove(node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scrape::ScrapeError;

    fn instants(seconds: u64) -> Instants {
        Instants {
            age: Age::from_elapsed(Duration::from_secs(seconds)),
            wall: Timestamp::from_secs(seconds.cast_signed()),
        }
    }

    #[test]
    fn a_record_is_small() {
        assert!(size_of::<Durations>() <= 56);
        assert!(size_of::<PageHistory>() <= 96);
        assert!(size_of::<Record>() <= 552, "{}", size_of::<Record>());
    }

    #[test]
    fn a_success_resets_failures_and_the_last_success_stays() {
        let record = Record::default();
        let failed = Failed {
            address: "https://10.0.0.1:10250".to_owned(),
            error: ScrapeError::KubeletError,
        };
        record.ended(instants(1), Duration::from_millis(7), Ok("https://n:1"));
        for turn in 2..5 {
            record.ended(instants(turn), Duration::from_secs(30), Err(&failed));
        }
        record.read(|history| {
            assert_eq!(history.failures, 3);
            assert_eq!(history.answered, Some(("https://n:1".into(), instants(1))));
            assert_eq!(
                history.last.as_ref().unwrap().failed.as_ref(),
                Some(&failed)
            );
            assert_eq!(
                (history.durations.counts[1], history.durations.counts[11]),
                (1, 3)
            );
            assert_eq!(history.durations.count(), 4);
        });
        record.ended(instants(9), Duration::ZERO, Ok("https://n:1"));
        assert_eq!(record.read(|history| history.failures), 0);
    }

    #[test]
    fn a_bad_line_is_stored_shortened() {
        let record = Record::default();
        record.skipped(3, Some(&[b'x'; 5000]), instants(1));
        record.skipped(2, Some(b"y\n"), instants(2));
        record.read(|history| {
            assert_eq!(history.skipped_lines, 5);
            let bad = history.bad.as_ref().unwrap();
            assert_eq!((bad.lines, &*bad.first), (2, "y"));
        });
        record.skipped(1, Some(&[b'x'; 5000]), instants(3));
        assert!(record.read(|history| history.bad.as_ref().unwrap().first.len()) < 100);
    }
}
