//! Events as a table, newest first.

use kubevitals_proto::time::Timestamp;
use serde_json::Value;

use super::writer::{aligned, text, text_line};
use crate::model::format;
use crate::model::text_line::TextLine;
use crate::model::tone::Tone;

/// The largest number of events that are shown.
const MOST: usize = 500;

/// The newest events of a list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Events {
    newest: Vec<(Option<Timestamp>, Value)>,
    /// The number of events of the list that were read.
    count: usize,
    /// What to say about events that were not read; empty if all were.
    pub cut: String,
}

impl Events {
    /// Adds events, and drops all but the newest ones.
    pub fn add(&mut self, events: impl IntoIterator<Item = Value>) {
        let before = self.newest.len();
        let events = events.into_iter().map(|event| (last(&event), event));
        self.newest.extend(events);
        self.count += self.newest.len() - before;
        self.newest
            .sort_by_key(|(last, _)| std::cmp::Reverse(*last));
        self.newest.truncate(MOST);
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.newest.is_empty()
    }

    /// What is left out.
    fn left_out(&self) -> Vec<TextLine> {
        let shown = self.newest.len();
        let dropped = if shown < self.count {
            format!("newest {shown} of {} events", self.count)
        } else {
            String::new()
        };
        [self.cut.as_str(), &dropped]
            .into_iter()
            .filter(|text| !text.is_empty())
            .map(|text| text_line(text, Tone::Warn))
            .collect()
    }
}

impl FromIterator<Value> for Events {
    fn from_iter<I: IntoIterator<Item = Value>>(events: I) -> Self {
        let mut all = Self::default();
        all.add(events);
        all
    }
}

/// The lines of a table of events, newest first; with the object of each, if they are of several.
#[must_use]
pub fn events(events: &Events, now: Timestamp, with_object: bool) -> Vec<TextLine> {
    if events.is_empty() {
        return Vec::new();
    }
    let newest = &events.newest;
    let row = |(last, event): &(Option<Timestamp>, Value)| {
        let age = last.map_or("<unknown>".to_owned(), |last| format::age(last, now));
        let count = text(event, "/series/count");
        let count = if count.is_empty() {
            text(event, "/count")
        } else {
            count
        };
        let times = if matches!(count.as_str(), "" | "1") {
            String::new()
        } else {
            format!(" (x{count})")
        };
        let mut row = vec![
            format!("{age}{times}"),
            text(event, "/type"),
            text(event, "/reason"),
        ];
        if with_object {
            let kind = text(event, "/involvedObject/kind");
            row.push(format!("{kind}/{}", text(event, "/involvedObject/name")));
        }
        row.push(
            text(event, "/message")
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" "),
        );
        row
    };
    let mut head: Vec<String> = ["AGE", "TYPE", "REASON"].map(str::to_owned).to_vec();
    head.extend(with_object.then(|| "OBJECT".to_owned()));
    head.push("MESSAGE".to_owned());
    let rows: Vec<Vec<String>> = std::iter::once(head)
        .chain(newest.iter().map(row))
        .collect();
    let tones = std::iter::once(Tone::Dim).chain(newest.iter().map(|(_, event)| tone(event)));
    let lines = aligned(&rows.iter().collect::<Vec<_>>());
    let lines = lines.iter().zip(tones);
    let lines = lines.map(|(line, tone)| text_line(line, tone));
    events.left_out().into_iter().chain(lines).collect()
}

fn tone(event: &Value) -> Tone {
    match event.get("type").and_then(Value::as_str) {
        Some("Warning") => Tone::Warn,
        _ => Tone::Plain,
    }
}

/// The last time at which it happened.
fn last(event: &Value) -> Option<Timestamp> {
    [
        "/series/lastObservedTime",
        "/lastTimestamp",
        "/eventTime",
        "/firstTimestamp",
        "/metadata/creationTimestamp",
    ]
    .into_iter()
    .find_map(|pointer| event.pointer(pointer)?.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_newest_events_are_shown_and_the_number_of_the_others_is_named() {
        let event = |at: usize| json!({"reason": format!("r{at}"), "lastTimestamp": format!("2026-01-01T00:{:02}:{:02}Z", at / 60, at % 60)});
        let mut all = Events::default();
        all.add((0..400).map(event));
        let now = Timestamp::from_secs(1_767_229_200);
        let text = |all: &Events| -> Vec<String> {
            let lines = events(all, now, false);
            lines.into_iter().map(|line| line.text).collect()
        };
        assert_eq!(text(&all).len(), 401);
        all.add((400..700).map(event));
        all.cut = "events: only the first 700 are read".to_owned();
        let lines = text(&all);
        assert_eq!(lines.len(), MOST + 3);
        assert_eq!(lines[0], "events: only the first 700 are read");
        assert_eq!(lines[1], "newest 500 of 700 events");
        assert!(lines[3].contains("r699"), "{}", lines[3]);
    }
}
