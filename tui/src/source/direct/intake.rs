//! Collects the lines of streams until the dashboard takes them. Bounded: if they arrive faster, the oldest are dropped
//! before anything costs more than a search for line feeds.

use std::collections::VecDeque;

use kubevitals_proto::time::Timestamp;
use memchr::{memchr, memchr_iter, memrchr};

use crate::model::log::{Level, LogBatch, LogLine, MAX_LINE, StreamState, plain_text};

/// The most memory between two batches, in bytes: of the text, and of what each line becomes.
const MAX_PENDING: usize = 1 << 20;

/// The memory from which a block of lines is complete.
const BLOCK: usize = 64 << 10;

/// The bytes of a time in front of a line.
const TIME: usize = 40;

/// Lines of the streams of a request, as received.
#[derive(Debug, Default)]
pub(super) struct Intake {
    blocks: VecDeque<Block>,
    /// The memory of all blocks.
    memory: usize,
    dropped: u64,
    cut_bytes: u64,
    states: Vec<(u16, StreamState)>,
}

/// Whole lines of one stream.
#[derive(Debug)]
struct Block {
    stream: u16,
    bytes: Vec<u8>,
    /// How many lines these are.
    lines: usize,
    /// Whether the last line was cut off.
    is_cut: bool,
}

impl Block {
    const fn memory(&self) -> usize {
        memory(self.bytes.len(), self.lines)
    }
}

/// The memory of so many bytes in so many lines.
const fn memory(bytes: usize, lines: usize) -> usize {
    bytes + lines * size_of::<LogLine>()
}

impl Intake {
    /// Stores the new state of a stream.
    pub(super) fn set(&mut self, stream: u16, state: StreamState) {
        self.states.retain(|(other, _)| *other != stream);
        self.states.push((stream, state));
    }

    /// Adds whole lines.
    fn add(&mut self, stream: u16, lines: &[u8], is_cut: bool) {
        let added = memchr_iter(b'\n', lines).count();
        self.memory += memory(lines.len(), added);
        match self.blocks.back_mut() {
            Some(block) if block.stream == stream && block.memory() < BLOCK && !block.is_cut => {
                block.bytes.extend_from_slice(lines);
                block.lines += added;
                block.is_cut = is_cut;
            }
            _ => self.blocks.push_back(Block {
                stream,
                bytes: lines.to_vec(),
                lines: added,
                is_cut,
            }),
        }
        while self.memory > MAX_PENDING && self.blocks.len() > 1 {
            let Some(oldest) = self.blocks.pop_front() else {
                return;
            };
            self.memory -= oldest.memory();
            self.dropped += count(oldest.lines);
        }
    }

    /// Takes everything as a batch of a request. The lines are in order of time.
    pub(super) fn take(&mut self, id: u64) -> LogBatch {
        let mut batch = LogBatch {
            id,
            lines: Vec::new(),
            dropped: std::mem::take(&mut self.dropped),
            cut_bytes: std::mem::take(&mut self.cut_bytes),
            states: std::mem::take(&mut self.states),
        };
        self.memory = 0;
        for block in self.blocks.drain(..) {
            let mut lines = block.bytes.split(|byte| *byte == b'\n').peekable();
            while let Some(line) = lines.next() {
                // After the last line feed is nothing.
                let is_last = lines.peek().is_none();
                if is_last && line.is_empty() {
                    break;
                }
                let is_cut = block.is_cut && lines.peek().is_none_or(|rest| rest.is_empty());
                batch.cut_bytes += count(line.len().saturating_sub(MAX_LINE + TIME));
                batch.lines.push(log_line(line, block.stream, is_cut));
            }
        }
        batch.lines.sort_by_key(|line| line.time);
        batch
    }
}

/// Converts a line with its time.
fn log_line(line: &[u8], stream: u16, is_cut: bool) -> LogLine {
    let (time, text) = timed(line);
    let is_long = text.len() > MAX_LINE;
    let text = plain_text(text.get(..MAX_LINE).unwrap_or(text));
    LogLine {
        time,
        stream,
        level: Level::of(&text),
        text: text.into(),
        is_cut: is_cut || is_long,
    }
}

/// Splits a line into its time and the rest.
fn timed(line: &[u8]) -> (Option<Timestamp>, &[u8]) {
    let token = token(line);
    let time = std::str::from_utf8(token)
        .ok()
        .and_then(|text| text.parse().ok());
    match time {
        Some(time) => (Some(time), line.get(token.len() + 1..).unwrap_or_default()),
        None => (None, line),
    }
}

/// The first word of a line, where its time is.
fn token(line: &[u8]) -> &[u8] {
    let head = line.get(..TIME).unwrap_or(line);
    head.get(..memchr(b' ', head).unwrap_or(head.len()))
        .unwrap_or_default()
}

fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Splits the bytes of one stream into lines, and finds the place at which an interrupted stream continues.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    /// The beginning of a line.
    partial: Vec<u8>,
    /// Whether the rest of the line is skipped, because it is too long.
    skips: bool,
    /// The time of the last line, as text, and how many lines had it.
    last: (Vec<u8>, usize),
    /// The lines to leave out of a stream that continues: those before this time, and this many at it.
    known: Option<(Timestamp, usize)>,
}

impl Splitter {
    /// The time of the last line.
    pub(super) fn last(&self) -> Option<Timestamp> {
        std::str::from_utf8(&self.last.0).ok()?.parse().ok()
    }

    /// Prepares for a stream that starts at the second of the last line: its lines up to that one are known.
    pub(super) fn resume(&mut self) {
        self.partial.clear();
        self.skips = false;
        self.known = self.last().map(|time| (time, self.last.1));
    }

    /// Whether only known lines have arrived since the stream continues.
    pub(super) const fn is_resuming(&self) -> bool {
        self.known.is_some()
    }

    /// Adds bytes of the stream.
    pub(super) fn push(&mut self, stream: u16, mut bytes: &[u8], intake: &mut Intake) {
        if self.skips {
            let end = memchr(b'\n', bytes);
            intake.cut_bytes += count(end.unwrap_or(bytes.len()));
            let Some(end) = end else { return };
            self.skips = false;
            bytes = bytes.get(end + 1..).unwrap_or_default();
        }
        let whole = memrchr(b'\n', bytes).map_or(0, |at| at + 1);
        let (whole, rest) = bytes.split_at_checked(whole).unwrap_or((&[], bytes));
        if !whole.is_empty() {
            if self.partial.is_empty() {
                self.lines(stream, whole, intake);
            } else {
                let mut lines = std::mem::take(&mut self.partial);
                lines.extend_from_slice(whole);
                self.lines(stream, &lines, intake);
            }
        }
        self.partial.extend_from_slice(rest);
        if self.partial.len() > MAX_LINE + TIME {
            let mut line = std::mem::take(&mut self.partial);
            intake.cut_bytes += count(line.len() - MAX_LINE - TIME);
            line.truncate(MAX_LINE + TIME);
            line.push(b'\n');
            self.add(stream, &line, true, intake);
            self.skips = true;
        }
    }

    /// The stream has ended: the last line may be without a line feed.
    pub(super) fn end(&mut self, stream: u16, intake: &mut Intake) {
        let mut line = std::mem::take(&mut self.partial);
        if !line.is_empty() {
            line.push(b'\n');
            self.lines(stream, &line, intake);
        }
    }

    /// Adds whole lines, except those that are known.
    fn lines(&mut self, stream: u16, mut lines: &[u8], intake: &mut Intake) {
        while let Some((known, times)) = self.known {
            let Some(end) = memchr(b'\n', lines) else {
                return;
            };
            let (line, rest) = lines.split_at_checked(end + 1).unwrap_or((lines, &[]));
            match timed(line).0 {
                Some(time) if time < known => {}
                Some(time) if time == known && times > 0 => self.known = Some((known, times - 1)),
                _ => {
                    self.known = None;
                    break;
                }
            }
            lines = rest;
        }
        if !lines.is_empty() {
            self.add(stream, lines, false, intake);
        }
    }

    fn add(&mut self, stream: u16, lines: &[u8], is_cut: bool, intake: &mut Intake) {
        let text = lines.strip_suffix(b"\n").unwrap_or(lines);
        let mut newest = text.rsplit(|byte| *byte == b'\n').map(token);
        if let Some(last) = newest.next().filter(|token| timed(token).0.is_some()) {
            let same = newest.take_while(|token| *token == last).count() + 1;
            let is_all = same > memchr_iter(b'\n', text).count();
            let before = if is_all && self.last.0 == last {
                self.last.1
            } else {
                0
            };
            self.last = (last.to_vec(), same + before);
        }
        intake.add(stream, lines, is_cut);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(batch: &LogBatch) -> Vec<&str> {
        batch.lines.iter().map(|line| &*line.text).collect()
    }

    /// Lines at these seconds, with their numbers.
    fn lines(seconds: &[i64]) -> String {
        let seconds = seconds.iter().enumerate();
        let line = |(at, second): (usize, &i64)| {
            format!(
                "{}.123456789Z {at}\n",
                Timestamp::from_secs(*second)
                    .to_string()
                    .trim_end_matches('Z')
            )
        };
        seconds.map(line).collect()
    }

    #[test]
    fn chunks_become_lines_however_they_are_cut() {
        let text = lines(&[1, 2, 2, 3]) + "no time\n\nlast";
        for size in [1, 2, 3, 7, 1_000] {
            let (mut splitter, mut intake) = (Splitter::default(), Intake::default());
            for chunk in text.as_bytes().chunks(size) {
                splitter.push(3, chunk, &mut intake);
            }
            splitter.end(3, &mut intake);
            let batch = intake.take(9);
            // Lines without a time come first.
            assert_eq!(
                texts(&batch),
                ["no time", "", "last", "0", "1", "2", "3"],
                "{size}"
            );
            assert!(batch.lines.iter().all(|line| line.stream == 3));
            assert_eq!((batch.id, batch.dropped), (9, 0));
        }
    }

    #[test]
    fn a_resumed_stream_repeats_no_line() {
        // What was received, what the server sends from the last second on, and what is new.
        for (before, again, new) in [
            (&[1, 2][..], &[2, 3][..], &["1"][..]),
            (&[1, 2, 2], &[2, 2, 2, 3], &["2", "3"]),
            (&[2, 2], &[2, 2], &[]),
            (&[], &[1, 2], &["0", "1"]),
            // The log was rotated.
            (&[1, 2], &[5], &["0"]),
            (&[5], &[1, 5, 6], &["2"]),
        ] {
            for size in [3, 1_000] {
                let (mut splitter, mut intake) = (Splitter::default(), Intake::default());
                for chunk in lines(before).as_bytes().chunks(size) {
                    splitter.push(0, chunk, &mut intake);
                }
                intake.take(0);
                splitter.resume();
                for chunk in lines(again).as_bytes().chunks(size) {
                    splitter.push(0, chunk, &mut intake);
                }
                assert_eq!(
                    splitter.is_resuming(),
                    new.is_empty(),
                    "{before:?} {again:?}"
                );
                assert_eq!(texts(&intake.take(0)), new, "{before:?} {again:?}");
            }
        }
    }

    #[test]
    fn lines_of_the_same_time_in_several_chunks_are_all_known() {
        let (mut splitter, mut intake) = (Splitter::default(), Intake::default());
        splitter.push(0, lines(&[2]).as_bytes(), &mut intake);
        splitter.push(0, lines(&[2, 2]).as_bytes(), &mut intake);
        splitter.resume();
        intake.take(0);
        splitter.push(0, lines(&[2, 2, 2, 2]).as_bytes(), &mut intake);
        assert_eq!(texts(&intake.take(0)), ["3"]);
    }

    #[test]
    fn one_endless_line_is_cut_and_counted() {
        let (mut splitter, mut intake) = (Splitter::default(), Intake::default());
        let chunk = [b'x'; 10_000];
        for _ in 0..100 {
            splitter.push(0, &chunk, &mut intake);
        }
        splitter.push(0, b"\nnext\n", &mut intake);
        let batch = intake.take(0);
        assert_eq!(batch.lines.len(), 2);
        assert!(batch.lines[0].is_cut && batch.lines[0].text.len() == MAX_LINE);
        assert_eq!(
            (&*batch.lines[1].text, batch.lines[1].is_cut),
            ("next", false)
        );
        assert_eq!(batch.cut_bytes, 1_000_000 - count(MAX_LINE + TIME));
    }

    #[test]
    fn a_flood_drops_the_oldest_lines_and_counts_them() {
        let (mut splitter, mut intake) = (Splitter::default(), Intake::default());
        let empty = "\n".repeat(1_000);
        // Lines without a text and a time take memory as well.
        for text in [lines(&vec![1; 1_000]), empty] {
            for _ in 0..1_000 {
                splitter.push(0, text.as_bytes(), &mut intake);
                let last = memory(text.len(), 1_000);
                assert!(intake.memory <= MAX_PENDING + last);
            }
            let batch = intake.take(0);
            assert_eq!(batch.dropped + count(batch.lines.len()), 1_000_000);
            assert!((10_000..30_000).contains(&batch.lines.len()));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_cause_a_panic_and_none_are_lost(chunks in proptest::collection::vec(proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..200), 0..30)) {
            let (mut splitter, mut intake) = (Splitter::default(), Intake::default());
            for chunk in &chunks {
                splitter.push(0, chunk, &mut intake);
            }
            splitter.end(0, &mut intake);
            let all = chunks.concat();
            let feeds = all.iter().filter(|byte| **byte == b'\n').count();
            let expected = feeds + usize::from(all.last().is_some_and(|byte| *byte != b'\n'));
            prop_assert_eq!(intake.take(0).lines.len(), expected);
        }
    }
}
