//! Text inputs.

use super::action::Edit;

/// The text of an input, and its cursor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    text: String,
    /// The cursor in bytes, always between two characters.
    cursor: usize,
}

/// The maximum length of a text input in bytes. Longer pastes are cut.
const MAX_LENGTH: usize = 2_000;

impl Line {
    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text before the cursor, and the text after it.
    #[must_use]
    pub fn halves(&self) -> (&str, &str) {
        self.text
            .split_at_checked(self.cursor)
            .unwrap_or((&self.text, ""))
    }

    /// Applies an edit.
    pub fn edit(&mut self, edit: &Edit) {
        match edit {
            Edit::Insert(text) => self.insert(text),
            Edit::Backspace => self.delete_back_to(self.before()),
            Edit::Delete => {
                let after = self.after();
                self.text.replace_range(self.cursor..after, "");
            }
            Edit::DeleteWord => self.delete_back_to(self.word()),
            Edit::DeleteToStart => self.delete_back_to(0),
            Edit::DeleteToEnd => self.text.truncate(self.cursor),
            Edit::Left => self.cursor = self.before(),
            Edit::Right => self.cursor = self.after(),
            Edit::Start => self.cursor = 0,
            Edit::End => self.cursor = self.text.len(),
        }
    }

    fn insert(&mut self, text: &str) {
        // Pasted lines become one line. Other control characters are dropped.
        for c in text.chars() {
            let c = if c == '\n' || c == '\t' { ' ' } else { c };
            if c.is_control() || self.text.len() + c.len_utf8() > MAX_LENGTH {
                continue;
            }
            self.text.insert(self.cursor, c);
            self.cursor += c.len_utf8();
        }
    }

    fn delete_back_to(&mut self, from: usize) {
        self.text.replace_range(from..self.cursor, "");
        self.cursor = from;
    }

    fn before(&self) -> usize {
        let (before, _) = self.halves();
        before.char_indices().next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        let (_, after) = self.halves();
        self.cursor + after.chars().next().map_or(0, char::len_utf8)
    }

    fn word(&self) -> usize {
        let (before, _) = self.halves();
        before.trim_end().rfind(' ').map_or(0, |at| at + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(text: &str, edits: &[Edit]) -> (String, usize) {
        let mut line = Line::default();
        line.insert(text);
        for edit in edits {
            line.edit(edit);
        }
        (line.text, line.cursor)
    }

    #[test]
    fn edits_keep_to_characters() {
        use Edit::{
            Backspace, Delete, DeleteToEnd, DeleteToStart, DeleteWord, End, Insert, Left, Right,
            Start,
        };
        for (text, edits, expected) in [
            ("aé", vec![Backspace], ("a", 1)),
            ("aé", vec![Left, Insert("x".to_owned())], ("axé", 2)),
            ("aé", vec![Start, Delete, Delete, Delete], ("", 0)),
            ("one two ", vec![DeleteWord], ("one ", 4)),
            ("one", vec![DeleteWord], ("", 0)),
            ("one two", vec![Start, Right, DeleteToEnd], ("o", 1)),
            ("one two", vec![Left, DeleteToStart, End], ("o", 1)),
            (
                "",
                vec![Backspace, Delete, Left, Right, DeleteWord],
                ("", 0),
            ),
            (
                "",
                vec![Insert("a\nb\x1b[0m\tc".to_owned())],
                ("a b[0m c", 8),
            ),
        ] {
            let (text_after, cursor) = edited(text, &edits);
            assert_eq!((text_after.as_str(), cursor), expected, "{text} {edits:?}");
        }
    }

    #[test]
    fn a_line_does_not_grow_for_ever() {
        let (text, _) = edited(&"é".repeat(10_000), &[]);
        assert!(text.len() <= MAX_LENGTH);
    }
}
