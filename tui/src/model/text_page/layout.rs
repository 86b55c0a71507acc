//! The rows of a text page: how lines are wrapped, and which rows are on the screen.

use super::page::{Content, TextPage};
use super::position::{Row, TextPosition};
use crate::model::log::Level;
use crate::model::tone::Tone;
use crate::text::head;

impl TextPage {
    /// The texts of the rows of a line in this many cells.
    fn rows_of(&self, number: u64, width: usize) -> Vec<String> {
        let width = width.saturating_sub(self.prefix(width)).max(1);
        let mut rows = Vec::new();
        for text in self.texts(number) {
            if !self.wraps {
                rows.push(text);
                continue;
            }
            let mut rest = text.as_str();
            loop {
                let row = head(rest, width);
                // A character that is wider than the screen is left out.
                let row = if row.is_empty() { rest } else { row };
                rows.push(row.to_owned());
                rest = rest.get(row.len()..).unwrap_or_default();
                if rest.is_empty() {
                    break;
                }
            }
        }
        rows
    }

    /// The texts of a line: one, or several if JSON is shown with a member in each.
    fn texts(&self, number: u64) -> Vec<String> {
        match &self.content {
            Content::Logs(logs) => logs.texts(number),
            Content::Document(_) => vec![self.text(number).to_owned()],
        }
    }

    /// The tone of a line.
    fn tone(&self, number: u64) -> Tone {
        match &self.content {
            Content::Logs(logs) => logs
                .ring
                .get(number)
                .map_or(Level::None, |line| line.level)
                .tone(),
            Content::Document(page) => page.line(number).map_or(Tone::Plain, |line| line.tone),
        }
    }

    /// The first row on a screen of this size.
    #[must_use]
    pub fn top(&self, width: usize, height: usize) -> (u64, usize) {
        let end = self.end_top(width, height);
        match self.place {
            TextPosition::End => end,
            TextPosition::Line(number, row) => {
                let first = self.numbers().start;
                let top = if number < first {
                    (first, 0)
                } else {
                    (number, row)
                };
                top.min(end)
            }
        }
    }

    /// The first row of a screen that shows the last rows.
    fn end_top(&self, width: usize, height: usize) -> (u64, usize) {
        let all = self.numbers();
        let mut left = height;
        for number in all.clone().rev() {
            let rows = self.rows_of(number, width).len();
            if rows >= left {
                return (number, rows - left);
            }
            left -= rows;
        }
        (all.start, 0)
    }

    /// The rows on a screen of this size.
    #[must_use]
    pub fn visible(&self, width: usize, height: usize) -> Vec<Row> {
        let (mut number, skipped) = self.top(width, height);
        let end = self.numbers().end;
        let mut visible = Vec::with_capacity(height);
        let mut skipped = skipped;
        while visible.len() < height && number < end {
            let rows = self.rows_of(number, width).into_iter().enumerate();
            let tone = self.tone(number);
            let rows = rows
                .skip(std::mem::take(&mut skipped))
                .map(|(at, text)| Row {
                    number,
                    at,
                    text,
                    tone,
                });
            visible.extend(rows.take(height - visible.len()));
            number += 1;
        }
        visible
    }

    /// Scrolls by this many rows; up if negative. At the end of a log, new lines are followed.
    pub fn scroll(&mut self, rows: i64, width: usize, height: usize) {
        let (mut number, mut row) = self.top(width, height);
        let all = self.numbers();
        let mut left = usize::try_from(rows.unsigned_abs()).unwrap_or(usize::MAX);
        if rows < 0 {
            while left > row && number > all.start {
                left -= row + 1;
                number -= 1;
                row = self.rows_of(number, width).len().saturating_sub(1);
            }
            row = row.saturating_sub(left);
        } else {
            while left > 0 && number < all.end {
                let count = self.rows_of(number, width).len();
                if row + left < count {
                    row += left;
                    break;
                }
                left -= count - row.min(count);
                number += 1;
                row = 0;
            }
        }
        let is_end = (number, row) >= self.end_top(width, height) && rows >= 0;
        self.place = match &self.content {
            Content::Logs(_) if is_end => TextPosition::End,
            _ => TextPosition::Line(number, row),
        };
        if is_end && matches!(self.content, Content::Document(_)) {
            let (number, row) = self.end_top(width, height);
            self.place = TextPosition::Line(number, row);
        }
    }

    /// The cells in front of each line: the mark of its level, its time and its container.
    #[must_use]
    pub fn prefix(&self, width: usize) -> usize {
        match &self.content {
            Content::Logs(logs) => logs.prefix(width),
            Content::Document(_) => 0,
        }
    }
}
