//! Events as a table, newest first.

use kubevitals_proto::time::Timestamp;
use serde_json::Value;

use super::writer::{aligned, text, text_line};
use crate::model::format;
use crate::model::text_line::TextLine;
use crate::model::tone::Tone;

/// The lines of a table of events, newest first; with the object of each, if they are of several.
#[must_use]
pub fn events(items: &[Value], now: Timestamp, with_object: bool) -> Vec<TextLine> {
    if items.is_empty() {
        return Vec::new();
    }
    let mut newest: Vec<(Option<Timestamp>, &Value)> =
        items.iter().map(|event| (last(event), event)).collect();
    newest.sort_by_key(|(last, _)| std::cmp::Reverse(*last));
    let row = |(last, event): &(Option<Timestamp>, &Value)| {
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
    lines
        .iter()
        .zip(tones)
        .map(|(line, tone)| text_line(line, tone))
        .collect()
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
