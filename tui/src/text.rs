//! The width of text in terminal cells, and shortening to a width. Wide characters take two cells, combining ones none.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The alignment of text in a wider column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Align {
    /// For words.
    #[default]
    Left,
    /// For numbers, so that digits line up.
    Right,
}

/// Returns the width of `text` in cells.
pub fn width(text: &str) -> usize {
    // Most names are ASCII, where one byte is one cell.
    if text.is_ascii() {
        text.len()
    } else {
        text.width()
    }
}

/// Removes control characters from `text`, so that text from a cluster cannot control the terminal.
///
/// Tabs and line feeds become blanks.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(char::is_control) {
        return Cow::Borrowed(text);
    }
    let visible = |c: char| match c {
        '\t' | '\n' => Some(' '),
        c if c.is_control() => None,
        c => Some(c),
    };
    Cow::Owned(text.chars().filter_map(visible).collect())
}

/// A message from a cluster on one line, of a length that fits into a table.
pub fn one_line(message: &str) -> String {
    const MAX_CELLS: usize = 200;
    let words: Vec<&str> = message.split_whitespace().collect();
    cut(&clean(&words.join(" ")), MAX_CELLS, "…").into_owned()
}

/// Shortens `text` to at most `cells` cells: the beginning and `ellipsis`.
pub fn cut<'a>(text: &'a str, cells: usize, ellipsis: &str) -> Cow<'a, str> {
    if width(text) <= cells {
        return Cow::Borrowed(text);
    }
    match cells.checked_sub(width(ellipsis)) {
        Some(left) => Cow::Owned(format!("{}{ellipsis}", head(text, left))),
        None => Cow::Borrowed(head(text, cells)),
    }
}

/// Shortens `text` to at most `cells` cells: the beginning, `ellipsis` and the end, where pods of one workload differ.
pub fn cut_middle<'a>(text: &'a str, cells: usize, ellipsis: &str) -> Cow<'a, str> {
    if width(text) <= cells {
        return Cow::Borrowed(text);
    }
    let Some(left) = cells.checked_sub(width(ellipsis)) else {
        return Cow::Borrowed(head(text, cells));
    };
    let end = left / 2;
    Cow::Owned(format!(
        "{}{ellipsis}{}",
        head(text, left - end),
        tail(text, end)
    ))
}

/// Renders `text` in exactly `cells` cells: cut with `ellipsis`, or filled with blanks.
pub fn fit(text: &str, cells: usize, align: Align, ellipsis: &str) -> String {
    let cut = cut(text, cells, ellipsis);
    let blanks = " ".repeat(cells.saturating_sub(width(&cut)));
    match align {
        Align::Left => format!("{cut}{blanks}"),
        Align::Right => format!("{blanks}{cut}"),
    }
}

/// Returns the longest beginning that fits into `cells` cells. A combining character stays with the one before it.
pub(super) fn head(text: &str, cells: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > cells {
            return text.get(..at).unwrap_or_default();
        }
    }
    text
}

/// Returns the longest end that fits into `cells` cells and does not start with a combining character.
pub(super) fn tail(text: &str, cells: usize) -> &str {
    let (mut used, mut from) = (0, text.len());
    for (at, c) in text.char_indices().rev() {
        let char_cells = c.width().unwrap_or(0);
        used += char_cells;
        if used > cells {
            break;
        }
        if char_cells > 0 {
            from = at;
        }
    }
    text.get(from..).unwrap_or_default()
}

/// Breaks `text` into lines of at most `cells` cells, at blanks if possible.
pub fn wrap(text: &str, cells: usize) -> Vec<String> {
    let cells = cells.max(1);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            let mut word = word;
            let gap = usize::from(!line.is_empty());
            if width(&line) + gap + width(word) > cells && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            while width(word) > cells {
                let part = head(word, cells);
                // A character wider than a line is left out.
                let Some(rest) = word.strip_prefix(part).filter(|_| !part.is_empty()) else {
                    word = "";
                    break;
                };
                lines.push(part.to_owned());
                word = rest;
            }
            if !line.is_empty() && !word.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn long_text_is_cut_with_an_ellipsis() {
        for (text, cells, cut_text) in [
            ("web", 3, "web"),
            ("web-1", 4, "web…"),
            ("web-1", 1, "…"),
            ("web-1", 0, ""),
            ("日本語", 6, "日本語"),
            // Half of a wide character is left out.
            ("日本語", 5, "日本…"),
            ("日本語", 4, "日…"),
            ("e\u{301}te\u{301}", 3, "e\u{301}te\u{301}"),
            ("e\u{301}te\u{301}s", 3, "e\u{301}t…"),
        ] {
            assert_eq!(cut(text, cells, "…"), cut_text, "{text} in {cells}");
        }
        assert_eq!(cut("web-1", 4, "~"), "web~");
    }

    #[test]
    fn elision_in_the_middle_leaves_both_ends() {
        assert_eq!(cut_middle("web-7d9f8c-x2x4z", 11, "…"), "web-7…x2x4z");
        assert_eq!(cut_middle("web-1", 5, "…"), "web-1");
    }

    #[test]
    fn numbers_align_right_and_words_left() {
        assert_eq!(fit("12m", 5, Align::Right, "…"), "  12m");
        assert_eq!(fit("web", 5, Align::Left, "…"), "web  ");
        assert_eq!(fit("日本語", 5, Align::Left, "…"), "日本…");
        assert_eq!(fit("日本", 5, Align::Right, "…"), " 日本");
    }

    #[test]
    fn control_characters_are_removed() {
        assert_eq!(
            clean("a\u{1b}[31mred\u{7}\r\nnext\tcell"),
            "a[31mred next cell"
        );
        assert!(matches!(clean("web"), Cow::Borrowed("web")));
    }

    #[test]
    fn lines_break_at_blanks() {
        assert_eq!(
            wrap("Liveness probe failed: HTTP 500", 14),
            ["Liveness probe", "failed: HTTP", "500"]
        );
        assert_eq!(wrap("abcdef gh", 4), ["abcd", "ef", "gh"]);
        assert_eq!(wrap("a\nb", 4), ["a", "b"]);
    }

    proptest! {
        #[test]
        fn no_result_is_too_wide(text in "\\PC*", cells in 0_usize..40) {
            prop_assert!(width(&cut(&text, cells, "…")) <= cells);
            prop_assert!(width(&cut_middle(&text, cells, "…")) <= cells);
            prop_assert_eq!(width(&fit(&text, cells, Align::Right, "~")), cells);
            let cells = cells.max(1);
            prop_assert!(wrap(&text, cells).iter().all(|line| width(line) <= cells));
        }
    }
}
