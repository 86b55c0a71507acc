//! The list of messages: what was done, and what failed and why, with times.

use std::collections::VecDeque;

use kubevitals_proto::time::Timestamp;

/// The number of messages that are stored. The oldest is dropped first.
const MAX_MESSAGES: usize = 200;

/// The longest text of a message, in bytes.
const MAX_BYTES: usize = 8 * 1024;

/// How many of the newest messages are compared with a new one: sources that fail in turn repeat theirs.
const COMPARED: usize = 8;

/// An entry of the list of messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// The text.
    pub text: String,
    /// Whether it reports a failure.
    pub bad: bool,
    /// The time of the first occurrence.
    pub first: Timestamp,
    /// The time of the last occurrence.
    pub last: Timestamp,
    /// The number of occurrences.
    pub count: u32,
}

/// The last messages, limited in number and length.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Messages {
    entries: VecDeque<LogEntry>,
}

impl Messages {
    /// Adds a message. A repeated message is counted and becomes the newest.
    pub fn add(&mut self, now: Timestamp, text: &str, bad: bool) {
        let text = text.trim();
        let text = text
            .get(..text.floor_char_boundary(MAX_BYTES))
            .unwrap_or_default();
        if text.is_empty() {
            return;
        }
        let newest = self.entries.len().saturating_sub(COMPARED)..self.entries.len();
        let same = self
            .entries
            .range(newest.clone())
            .position(|entry| entry.text == text);
        let before = same.and_then(|at| self.entries.remove(newest.start + at));
        let entry = match before {
            Some(entry) => LogEntry {
                bad,
                last: now,
                count: entry.count.saturating_add(1),
                ..entry
            },
            None => LogEntry {
                text: text.to_owned(),
                bad,
                first: now,
                last: now,
                count: 1,
            },
        };
        if self.entries.len() >= MAX_MESSAGES {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    /// The messages, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &LogEntry> {
        self.entries.iter().rev()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(messages: &Messages) -> Vec<(&str, u32)> {
        let entries = messages.newest_first();
        entries.map(|it| (it.text.as_str(), it.count)).collect()
    }

    #[test]
    fn messages_are_in_order_and_repeated_ones_are_counted() {
        let mut messages = Messages::default();
        for (second, text) in [(1, "a"), (2, "b"), (3, "a"), (4, "a"), (5, " "), (6, "c")] {
            messages.add(Timestamp::from_secs(second), text, true);
        }
        assert_eq!(texts(&messages), [("c", 1), ("a", 3), ("b", 1)]);
        let a = messages.newest_first().nth(1).unwrap();
        let times = (a.first, a.last);
        assert_eq!(times, (Timestamp::from_secs(1), Timestamp::from_secs(4)));
    }

    #[test]
    fn the_list_is_limited() {
        let mut messages = Messages::default();
        for at in 0..10_000 {
            let text = format!("{at} {}", "日".repeat(10_000));
            messages.add(Timestamp::from_secs(at), &text, false);
        }
        assert_eq!(messages.newest_first().count(), MAX_MESSAGES);
        assert!(
            messages
                .newest_first()
                .all(|entry| entry.text.len() <= MAX_BYTES)
        );
        assert!(texts(&messages)[0].0.starts_with("9999 "));
    }
}
