//! Words and their meanings, as lines of a page.

use crate::text::{width, wrap};
use crate::view::canvas::{Line, Segment};
use crate::view::theme::Ink;

/// Draws words with their meanings beside them; in little space, below them.
pub(super) fn table(
    rows: impl Iterator<Item = (String, String)>,
    space: usize,
    most: usize,
) -> Vec<Line> {
    let rows: Vec<(String, String)> = rows.collect();
    let lines_of = |word: &String| word.lines().map(width).max();
    let widest = rows.iter().filter_map(|(word, _)| lines_of(word)).max();
    let widest = widest.unwrap_or(0);
    let left = widest.min(most);
    let mut lines = Vec::new();
    if space < left + 30 {
        for (word, meaning) in rows {
            let words = wrap(&word, space).into_iter();
            lines.extend(words.map(|word| vec![Segment::new(word, Ink::Accent)]));
            let meaning = wrap(&meaning, space.saturating_sub(2).max(1)).into_iter();
            lines.extend(meaning.map(|line| vec![Segment::plain(format!("  {line}"))]));
        }
        return lines;
    }
    for (word, meaning) in rows {
        let words = wrap(&word, left);
        let meaning = wrap(&meaning, space - left - 2);
        for at in 0..words.len().max(meaning.len()) {
            let word = words.get(at).map_or("", String::as_str);
            let blanks = " ".repeat(left + 2 - width(word));
            lines.push(vec![
                Segment::new(format!("{word}{blanks}"), Ink::Accent),
                Segment::plain(meaning.get(at).map_or("", String::as_str)),
            ]);
        }
    }
    lines
}
