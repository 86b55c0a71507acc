//! Writes descriptions: keys with values, headings and tables.

use serde_json::Value;

use crate::model::log::plain_text;
use crate::model::text_line::TextLine;
use crate::model::tone::Tone;
use crate::text::width;

/// The cells of a key with its colon, at least.
const KEY: usize = 18;

/// Collects lines.
#[derive(Debug, Default)]
pub(super) struct Writer {
    lines: Vec<TextLine>,
}

impl Writer {
    pub(super) fn end(self) -> Vec<TextLine> {
        self.lines
    }

    pub(super) fn lines(&mut self, lines: Vec<TextLine>) {
        self.lines.extend(lines);
    }

    fn line(&mut self, text: &str, tone: Tone) {
        self.lines.push(text_line(text, tone));
    }

    /// `Key:   value`. Further lines of the value are below the first one. An empty value is left out.
    pub(super) fn pair(&mut self, indent: usize, key: &str, value: &str) {
        self.toned(indent, key, value, Tone::Plain);
    }

    /// As `pair`, in a tone.
    pub(super) fn toned(&mut self, indent: usize, key: &str, value: &str, tone: Tone) {
        if value.is_empty() {
            return;
        }
        let cells = KEY + indent / 2 * 2;
        let mut key = format!("{}{key}:", " ".repeat(indent));
        for line in value.lines() {
            let blanks = cells.saturating_sub(width(&key)).max(1);
            self.line(&format!("{key}{}{line}", " ".repeat(blanks)), tone);
            key.clear();
        }
    }

    /// `Key:`.
    pub(super) fn heading(&mut self, indent: usize, key: &str) {
        self.line(&format!("{}{key}:", " ".repeat(indent)), Tone::Plain);
    }

    /// A pair with the members of an object, one in each line.
    pub(super) fn members(
        &mut self,
        indent: usize,
        key: &str,
        members: Option<&Value>,
        sign: &str,
    ) {
        /// kubectl leaves it out too: it repeats the object.
        const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
        let members = members.and_then(Value::as_object).into_iter().flatten();
        let members = members.filter(|(key, _)| key.as_str() != LAST_APPLIED);
        let lines: Vec<String> = members
            .map(|(key, value)| format!("{key}{sign}{}", short(value)))
            .collect();
        let text = if lines.is_empty() {
            "<none>".to_owned()
        } else {
            lines.join("\n")
        };
        self.pair(indent, key, &text);
    }

    /// A table below a heading.
    pub(super) fn table(&mut self, indent: usize, heads: &[&str], rows: &[Vec<String>]) {
        let heads: Vec<String> = heads.iter().map(|&head| head.to_owned()).collect();
        let rules = heads.iter().map(|head| "-".repeat(head.len())).collect();
        let all: Vec<&Vec<String>> = [&heads, &rules].into_iter().chain(rows).collect();
        for line in aligned(&all) {
            self.line(&format!("{}{line}", " ".repeat(indent)), Tone::Plain);
        }
    }
}

/// A line without control characters.
pub(super) fn text_line(text: &str, tone: Tone) -> TextLine {
    TextLine {
        text: plain_text(text.as_bytes()),
        tone,
    }
}

/// Rows with their cells below each other.
pub(super) fn aligned(rows: &[&Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(|row| row.len()).max().unwrap_or(0);
    let widest = |at: usize| {
        rows.iter()
            .filter_map(|row| row.get(at))
            .map(|cell| width(cell))
            .max()
    };
    let widths: Vec<usize> = (0..columns).map(|at| widest(at).unwrap_or(0)).collect();
    let line = |row: &&Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, widest)| {
            format!(
                "{cell}{}",
                " ".repeat(widest.saturating_sub(width(cell)) + 2)
            )
        });
        cells.collect::<String>().trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// A value in one line: text without quotes, other values as JSON.
pub(super) fn short(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        value => value.to_string(),
    }
}

/// The text at a place of an object; empty if there is none.
pub(super) fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).map(short).unwrap_or_default()
}

/// The list at a place of an object.
pub(super) fn items<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}
