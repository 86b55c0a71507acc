//! A page of text: its content, its search and the place on the screen.

use super::logs::LogPage;
use super::position::TextPosition;
use super::search::found_in;
use crate::model::direct::{Document, Topic};
use crate::model::format;
use crate::model::line::Line;
use crate::model::log::as_number;
use crate::model::object::Object;
use crate::model::text_line::TextLine;

/// The content of a text page.
#[derive(Debug, Clone)]
pub enum Content {
    /// Logs.
    Logs(LogPage),
    /// What was read of an object.
    Document(DocumentPage),
}

/// A document, or why there is none.
#[derive(Debug, Clone)]
pub struct DocumentPage {
    /// The object; none for all.
    pub object: Option<Object>,
    /// What of it.
    pub what: Topic,
    /// The document; none until it arrives.
    pub document: Option<Document>,
    /// Whether the folded lines are shown.
    pub is_unfolded: bool,
    /// Why it cannot be read.
    pub failure: Option<String>,
}

/// A text page.
#[derive(Debug, Clone)]
pub struct TextPage {
    /// Identifies the page in responses.
    pub id: u64,
    /// The content.
    pub content: Content,
    /// What is on the screen.
    pub place: TextPosition,
    /// Whether long lines are wrapped.
    pub wraps: bool,
    /// The cells that are scrolled to the right.
    pub shift: usize,
    /// The text that is searched.
    pub search: Line,
    /// Whether the search is being edited.
    pub is_searching: bool,
    /// The number of the line that was found last.
    pub found: Option<u64>,
}

impl TextPage {
    /// A page of this content. Logs are shown from their end.
    #[must_use]
    pub fn new(id: u64, content: Content) -> Self {
        let place = match &content {
            Content::Logs(logs) if logs.jump.is_none() => TextPosition::End,
            _ => TextPosition::default(),
        };
        let wraps = !matches!(&content, Content::Document(page) if page.what == Topic::Events);
        Self {
            id,
            content,
            place,
            wraps,
            shift: 0,
            search: Line::default(),
            is_searching: false,
            found: None,
        }
    }

    /// The logs, if the page shows some.
    #[must_use]
    pub const fn logs(&self) -> Option<&LogPage> {
        match &self.content {
            Content::Logs(logs) => Some(logs),
            Content::Document(_) => None,
        }
    }

    /// Why there is nothing, or less than there should be, in one line.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        match &self.content {
            Content::Document(page) => page
                .failure
                .as_ref()
                .map(|why| format!("cannot be read: {why}")),
            Content::Logs(logs) => {
                let (count, why, _) = logs.failure()?;
                let all = logs.states.len();
                Some(if all > 1 {
                    format!("{count} of {}: {why}", format::count(all, "log"))
                } else {
                    why.to_owned()
                })
            }
        }
    }

    /// The number of the first line, and the number after the last one.
    #[must_use]
    pub fn numbers(&self) -> std::ops::Range<u64> {
        match &self.content {
            Content::Logs(logs) => {
                let first = logs.ring.first();
                first..first + as_number(logs.ring.len())
            }
            Content::Document(page) => 0..as_number(page.len()),
        }
    }

    /// The text of a line.
    #[must_use]
    pub fn text(&self, number: u64) -> &str {
        match &self.content {
            Content::Logs(logs) => logs.ring.get(number).map_or("", |line| &line.text),
            Content::Document(page) => page.line(number).map_or("", |line| &line.text),
        }
    }

    /// Whether the texts of a line contain the search. Upper case in the search matters.
    #[must_use]
    pub fn matches(&self, number: u64) -> bool {
        found_in(self.text(number), self.search.text())
            .next()
            .is_some()
    }

    /// Goes to the next line, or the previous one, that contains the search. Returns whether there is one.
    pub fn find(&mut self, forwards: bool, width: usize, height: usize) -> bool {
        if self.search.text().is_empty() {
            return false;
        }
        let all = self.numbers();
        let (top, _) = self.top(width, height);
        let from = self.found.unwrap_or(top);
        let hit = |number: &u64| self.matches(*number);
        // The line at the start counts if nothing was found before.
        let is_new = self.found.is_none();
        let found = if forwards {
            let start = from + u64::from(!is_new);
            (start..all.end)
                .find(hit)
                .or_else(|| (all.start..start).find(hit))
        } else {
            let start = from + u64::from(is_new);
            (all.start..start)
                .rev()
                .find(hit)
                .or_else(|| (start..all.end).rev().find(hit))
        };
        if let Some(number) = found {
            self.found = Some(number);
            self.place = TextPosition::Line(number, 0);
            self.scroll(-i64::try_from(height / 3).unwrap_or(0), width, height);
        }
        found.is_some()
    }
}

impl DocumentPage {
    fn len(&self) -> usize {
        let Some(document) = &self.document else {
            return 0;
        };
        let hidden = document.folded.as_ref().filter(|_| self.is_unfolded);
        document.lines.len() + hidden.map_or(0, |(_, lines)| lines.len())
    }

    /// A line. The folded lines follow the line that stands for them.
    pub(super) fn line(&self, number: u64) -> Option<&TextLine> {
        let document = self.document.as_ref()?;
        let at = usize::try_from(number).ok()?;
        let folded = document.folded.as_ref().filter(|_| self.is_unfolded);
        let Some((fold, hidden)) = folded.filter(|(fold, _)| at > *fold) else {
            return document.lines.get(at);
        };
        let after = at - fold - 1;
        hidden
            .get(after)
            .or_else(|| document.lines.get(at - hidden.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_lines_follow_their_line() {
        let line = |text: &str| TextLine::plain(text);
        let document = Document {
            lines: ["a", "b", "c"].map(line).to_vec(),
            folded: Some((1, ["b1", "b2"].map(line).to_vec())),
            ports: Vec::new(),
        };
        let page = DocumentPage {
            object: None,
            what: Topic::Yaml,
            document: Some(document),
            is_unfolded: false,
            failure: None,
        };
        let mut page = TextPage::new(1, Content::Document(page));
        let texts = |page: &TextPage| {
            page.numbers()
                .map(|at| page.text(at).to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(texts(&page), ["a", "b", "c"]);
        if let Content::Document(page) = &mut page.content {
            page.is_unfolded = true;
        }
        assert_eq!(texts(&page), ["a", "b", "b1", "b2", "c"]);
    }
}
