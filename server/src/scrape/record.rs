//! What is remembered of each node's scrapes, for whoever asks how that node is doing.
//!
//! A record is some 550 bytes and the text of its last failure, its first bad line cut short; it goes with its
//! node.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use parking_lot::{Mutex, RwLock};

use super::failure::{Failed, beginning};
use super::pages::{Intervals, Page};
use crate::clock::Age;
use crate::store::Held;

/// The upper bounds, in seconds, of the counts in [`Durations`]: those of the peer's histogram.
pub const DURATION_BOUNDS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// A point in time on both of our clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    /// For ages.
    pub age: Age,
    /// For people.
    pub wall: Timestamp,
}

/// A scrape that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// When its turn began.
    pub began: Moment,
    /// How long it took: connection, answer and taking in.
    pub took: Duration,
    /// What went wrong, and at which address; nothing when it succeeded.
    pub failed: Option<Failed>,
}

/// Lines of an answer that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLines {
    /// How many there were in that answer.
    pub lines: u32,
    /// The beginning of the first of them.
    pub first: Box<str>,
    /// When.
    pub at: Moment,
}

/// How long requests to one node took: 56 bytes a node.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Durations {
    /// How many took at most so long as [`DURATION_BOUNDS`] says, each counted once; the last took longer.
    pub counts: [u32; DURATION_BOUNDS.len() + 1],
    /// All together, in seconds.
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

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().map(|count| u64::from(*count)).sum()
    }
}

/// Requests for one page beside `/metrics/resource`: 96 bytes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PageHistory {
    /// It is not asked for.
    pub disabled: bool,
    /// Failures in a row.
    pub failures: u32,
    /// When the last request that is over was sent.
    pub began: Option<Moment>,
    /// How long it took.
    pub took: Duration,
    /// What went wrong; nothing when it succeeded.
    pub failed: Option<Box<Failed>>,
    /// When the last request that succeeded was sent.
    pub answered: Option<Moment>,
    /// Turns that were skipped, because nodes waited to be asked for `/metrics/resource`.
    pub skipped: u32,
}

/// One node's scrapes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// When the turn under way, or else the last one, began.
    pub begun: Option<Moment>,
    /// The last scrape that is over.
    pub last: Option<Attempt>,
    /// The address that answered last, and when its scrape began.
    pub answered: Option<(Box<str>, Moment)>,
    /// Failures in a row.
    pub failures: u32,
    /// The turn has come, and waits until fewer kubelets are asked at once.
    pub waits: bool,
    /// When the next turn is planned for; nothing while one is under way.
    pub next: Option<Timestamp>,
    /// By when the next turn must have begun, unless something is wrong with ourselves.
    pub due: Age,
    /// Lines skipped, all scrapes together.
    pub skipped_lines: u64,
    /// The last answer that had such lines.
    pub bad: Option<BadLines>,
    /// How long its requests took.
    pub durations: Durations,
    /// What its series hold.
    pub held: Held,
    /// Turns that were skipped, because an earlier one still waited or was under way.
    pub skipped_turns: u32,
    /// Its other pages, in the order of [`Page::ALL`].
    pub pages: [PageHistory; Page::ALL.len()],
}

impl History {
    /// Its other pages.
    pub fn pages(&self) -> impl Iterator<Item = (Page, &PageHistory)> {
        Page::ALL.into_iter().zip(&self.pages)
    }
}

/// The record of one node: written by its worker, read by anyone.
#[derive(Debug, Default)]
pub struct Record(Mutex<History>);

impl Record {
    /// Reads something of it.
    pub fn read<T>(&self, read: impl FnOnce(&History) -> T) -> T {
        read(&self.0.lock())
    }

    /// A turn has come, and waits until the node may be asked.
    pub(super) fn waits(&self, at: Moment, resolution: Duration) {
        let mut history = self.0.lock();
        history.waits = true;
        history.next = None;
        history.due = at.age.after(resolution);
    }

    pub(super) fn begins(&self, at: Moment, resolution: Duration) {
        let mut history = self.0.lock();
        history.begun = Some(at);
        history.waits = false;
        history.next = None;
        history.due = at.age.after(resolution);
    }

    pub(super) fn plans(&self, now: Moment, wait: Duration) {
        let mut history = self.0.lock();
        let nanoseconds = i64::try_from(wait.as_nanos()).unwrap_or(i64::MAX);
        history.next = Some(now.wall.plus_nanos(nanoseconds));
        history.due = now.age.after(wait);
    }

    pub(super) fn skipped(&self, lines: u32, first: Option<&[u8]>, at: Moment) {
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

    /// A page's turn is over; it was skipped if there is no result. Returns the failures in a row before it, if this
    /// one succeeded, or with it.
    pub(super) fn page_ended(
        &self,
        page: Page,
        began: Moment,
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

    pub(super) fn holds(&self, held: Held) {
        self.0.lock().held = held;
    }

    pub(super) fn ended(&self, began: Moment, took: Duration, result: Result<&str, &Failed>) {
        let mut history = self.0.lock();
        history.durations.observe(took);
        match result {
            Ok(address) => {
                history.failures = 0;
                let known = history.answered.take();
                history.answered = Some(match known {
                    Some((known, _)) if *known == *address => (known, began),
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

    /// All records, by the nodes' names.
    pub fn all(&self) -> Vec<(Arc<str>, Arc<Record>)> {
        let records = self.0.read();
        records
            .iter()
            .map(|(node, record)| (Arc::clone(node), Arc::clone(record)))
            .collect()
    }

    /// A new record for a node; one that it had is forgotten.
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

    fn moment(seconds: u64) -> Moment {
        Moment {
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
    fn failures_count_until_an_answer_and_the_last_answer_stays_known() {
        let record = Record::default();
        let failed = Failed {
            address: "https://10.0.0.1:10250".to_owned(),
            error: ScrapeError::KubeletError,
        };
        record.ended(moment(1), Duration::from_millis(7), Ok("https://n:1"));
        for turn in 2..5 {
            record.ended(moment(turn), Duration::from_secs(30), Err(&failed));
        }
        record.read(|history| {
            assert_eq!(history.failures, 3);
            assert_eq!(history.answered, Some(("https://n:1".into(), moment(1))));
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
        record.ended(moment(9), Duration::ZERO, Ok("https://n:1"));
        assert_eq!(record.read(|history| history.failures), 0);
    }

    #[test]
    fn a_bad_line_is_kept_cut_short() {
        let record = Record::default();
        record.skipped(3, Some(&[b'x'; 5000]), moment(1));
        record.skipped(2, Some(b"y\n"), moment(2));
        record.read(|history| {
            assert_eq!(history.skipped_lines, 5);
            let bad = history.bad.as_ref().unwrap();
            assert_eq!((bad.lines, &*bad.first), (2, "y"));
        });
        record.skipped(1, Some(&[b'x'; 5000]), moment(3));
        assert!(record.read(|history| history.bad.as_ref().unwrap().first.len()) < 100);
    }
}
