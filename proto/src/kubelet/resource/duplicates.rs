//! Duplicate series of one container: a cgroup that remains of an earlier pod has the labels of its successor, and the
//! kubelet prints both.
//!
//! Such bodies are rare, so their lines are read a second time, when the first walk has met a line twice. CPU and memory
//! belong together if their timestamps do. Lines that timestamps cannot separate are no candidates.

use super::metric::{Field, Metric, key};
use super::reading::{ContainerKey, Reading};
use crate::exposition::lines::Scanner;
use crate::time::Timestamp;

/// The maximum number of containers in one body whose copies are distinguished; further ones are only reported as duplicates.
const MOST_CONTAINERS: usize = 256;

/// The maximum number of copies of one line that are distinguished; a container with more has no candidates.
const MOST_COPIES: usize = 8;

/// A container, or the node, with duplicate series of different values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate<'a> {
    /// The container; nothing for the node itself.
    pub key: Option<ContainerKey<'a>>,
    /// Readings whose CPU and memory belong together, the newest last: one for each cgroup that can be separated. Their
    /// start is unknown: a kubelet prints only one.
    pub candidates: Vec<Reading>,
}

/// A value with its time.
type Stamped = (u64, Option<Timestamp>);

/// The lines of one container.
#[derive(Default)]
struct Copies {
    cpu: Vec<Stamped>,
    memory: Vec<Stamped>,
    swap: Vec<Stamped>,
    start: Vec<Stamped>,
    too_many: bool,
}

/// Reads all lines of those in `repeated`, and returns those whose copies differ. Identical copies are returned once.
pub(super) fn find<'a>(
    body: &'a [u8],
    mut repeated: Vec<Option<ContainerKey<'a>>>,
) -> Vec<Duplicate<'a>> {
    if repeated.is_empty() {
        return Vec::new();
    }
    repeated.sort_unstable();
    let tracked = repeated.len().min(MOST_CONTAINERS);
    let mut copies: Vec<Copies> = std::iter::repeat_with(Copies::default)
        .take(tracked)
        .collect();
    let mut lines = Scanner::new(body);
    while let Some(line) = lines.next_of(|name| Metric::named(name).is_some()) {
        let Some(sample) = line.sample else { continue };
        let (whose, field) = match Metric::named(sample.name) {
            Some(Metric::Node(field)) => (None, field),
            Some(Metric::Container(field)) => match key(&sample) {
                Some(key) => (Some(key), field),
                None => continue,
            },
            Some(Metric::PodSwap | Metric::ScrapeError) | None => continue,
        };
        let Ok(place) = repeated.binary_search(&whose) else {
            continue;
        };
        let mut reading = Reading::default();
        if let (Some(copies), Some(_)) = (
            copies.get_mut(place),
            reading.set(field, sample.value, sample.timestamp_ms),
        ) {
            copies.add(
                field,
                &reading,
                sample.timestamp_ms.map(Timestamp::from_millis),
            );
        }
    }
    let mut copies = copies.into_iter();
    let all = repeated.into_iter().map(|key| match copies.next() {
        Some(copies) => copies.differ().then(|| Duplicate {
            key,
            candidates: copies.candidates(),
        }),
        None => Some(Duplicate {
            key,
            candidates: Vec::new(),
        }),
    });
    all.flatten().collect()
}

impl Copies {
    /// Adds a line, of which `reading` has the value, unless it repeats one word for word.
    fn add(&mut self, field: Field, reading: &Reading, at: Option<Timestamp>) {
        let (lines, value) = match field {
            Field::Cpu => (&mut self.cpu, reading.cpu_ns),
            Field::Memory => (&mut self.memory, reading.memory),
            Field::Swap => (&mut self.swap, reading.swap),
            Field::Start => (&mut self.start, reading.start.map(i64::cast_unsigned)),
        };
        let Some(line) = value.map(|value| (value, at)) else {
            return;
        };
        if lines.contains(&line) {
            return;
        }
        if lines.len() < MOST_COPIES {
            lines.push(line);
        } else {
            self.too_many = true;
        }
    }

    fn differ(&self) -> bool {
        let all = [&self.cpu, &self.memory, &self.swap, &self.start];
        all.iter().any(|lines| lines.len() > 1)
    }

    fn candidates(mut self) -> Vec<Reading> {
        if self.too_many {
            return Vec::new();
        }
        self.cpu.sort_unstable_by_key(|(_, at)| *at);
        self.memory.sort_unstable_by_key(|(_, at)| *at);
        let swap = |at| match self.swap.as_slice() {
            // One line cannot be assigned, unless there is only one reading.
            [(swap, _)] if self.cpu.len() == 1 => Some(*swap),
            lines => only(lines.iter().filter(|(_, of)| *of == at)).map(|(swap, _)| *swap),
        };
        let pairs = self.cpu.iter().enumerate().filter_map(|(rank, cpu)| {
            let memory = self.memory_of(rank, cpu)?;
            Some(Reading {
                cpu_ns: Some(cpu.0),
                memory: Some(memory.0),
                start: None,
                swap: swap(cpu.1),
                at: memory.1,
            })
        });
        pairs.collect()
    }

    /// The memory line that belongs to a CPU line, which is the `rank`-th by time.
    fn memory_of(&self, rank: usize, cpu: &Stamped) -> Option<&Stamped> {
        if let ([_], [memory]) = (self.cpu.as_slice(), self.memory.as_slice()) {
            return Some(memory);
        }
        let at = cpu.1?;
        // Two lines with the same timestamp, or without one, cannot be assigned.
        only(self.cpu.iter().filter(|(_, of)| *of == cpu.1))?;
        let same_time = |(_, of): &&Stamped| *of == cpu.1;
        if self.memory.iter().any(|line| same_time(&line)) {
            return only(self.memory.iter().filter(same_time));
        }
        // A runtime may stamp them apart: by their order, where both are clearly closer than the copies are.
        let memory = self.memory.get(rank)?;
        let apart = memory.1?.since(at).abs();
        let clear = self.cpu.len() == self.memory.len()
            && [&self.cpu, &self.memory]
                .iter()
                .filter_map(|lines| closest(lines))
                .all(|gap| apart < gap / 2);
        clear.then_some(memory)
    }
}

/// The least time between two lines that are sorted by time.
fn closest(lines: &[Stamped]) -> Option<i64> {
    let gaps = lines.windows(2).map(|pair| match pair {
        [(_, Some(first)), (_, Some(second))] => second.since(*first),
        _ => 0,
    });
    gaps.min()
}

/// The one item there is, if there is exactly one.
fn only<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    let first = items.next()?;
    items.next().is_none().then_some(first)
}
