//! The help page about keys, in as many columns as fit.

use super::Line;
use crate::input::KeyMap;
use crate::text::{width, wrap};
use crate::view::canvas::{Piece, pieces_width};
use crate::view::theme::Ink;

/// The cells between two columns.
const GAP: usize = 3;

/// The least width of a help text beside its keys.
const LEAST: usize = 18;

/// Returns the lines of the page.
pub(super) fn lines(keys: &KeyMap, room: usize) -> Vec<Line> {
    let sections = keys.help();
    let all = || sections.iter().flat_map(|(_, lines)| lines);
    let key_room = all().map(|(keys, _)| width(keys)).max().unwrap_or(0) + 4;
    let what_room = all().map(|(_, what)| width(what)).max().unwrap_or(0);
    let column = key_room + what_room;
    let count = ((room + GAP) / (column + GAP)).max(1);
    let what_room = what_room.min(room.saturating_sub(key_room));
    let mut blocks = Vec::new();
    for (section, bindings) in &sections {
        if bindings.is_empty() {
            continue;
        }
        let mut block = vec![vec![Piece::new(section.title(), Ink::Heading)]];
        for (keys, what) in bindings {
            // In little space the help text is below the keys.
            if what_room < LEAST.min(width(what)) {
                block.push(vec![Piece::new(format!("  {keys}"), Ink::Accent)]);
                let below = wrap(what, room.saturating_sub(4).max(1)).into_iter();
                block.extend(below.map(|line| vec![Piece::plain(format!("    {line}"))]));
                continue;
            }
            for (at, line) in wrap(what, what_room).into_iter().enumerate() {
                let keys = if at == 0 { keys.as_str() } else { "" };
                let blanks = " ".repeat(key_room - 2 - width(keys));
                block.push(vec![
                    Piece::new(format!("  {keys}{blanks}"), Ink::Accent),
                    Piece::plain(line),
                ]);
            }
        }
        blocks.push(block);
    }
    side_by_side(&balanced(&blocks, count), column)
}

/// Distributes the blocks over at most `count` columns, as evenly as possible.
fn balanced(blocks: &[Vec<Line>], count: usize) -> Vec<Vec<Line>> {
    let total: usize = blocks.iter().map(|block| block.len() + 1).sum();
    (total / count.max(1)..=total)
        .find_map(|height| filled(blocks, count, height))
        .unwrap_or_default()
}

/// Distributes the blocks over at most `count` columns of at most `height` lines. `None` if they do not fit.
fn filled(blocks: &[Vec<Line>], count: usize, height: usize) -> Option<Vec<Vec<Line>>> {
    let mut columns: Vec<Vec<Line>> = vec![Vec::new()];
    for block in blocks {
        let used = columns.len();
        let last = columns.last_mut()?;
        let gap = usize::from(!last.is_empty());
        if last.len() + gap + block.len() <= height {
            last.extend(std::iter::repeat_n(Line::new(), gap));
            last.extend(block.iter().cloned());
        } else if used < count && block.len() <= height {
            columns.push(block.clone());
        } else {
            return None;
        }
    }
    Some(columns)
}

fn side_by_side(columns: &[Vec<Line>], wide: usize) -> Vec<Line> {
    let height = columns.iter().map(Vec::len).max().unwrap_or(0);
    let line = |at: usize| {
        let mut line = Line::new();
        for (place, column) in columns.iter().enumerate() {
            let from = place * (wide + GAP);
            let blanks = from.saturating_sub(usize::from(pieces_width(&line)));
            if let Some(pieces) = column.get(at).filter(|pieces| !pieces.is_empty()) {
                line.push(Piece::plain(" ".repeat(blanks)));
                line.extend(pieces.iter().cloned());
            }
        }
        line
    };
    (0..height).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(line: &Line) -> String {
        line.iter().map(|piece| piece.text.as_str()).collect()
    }

    #[test]
    fn every_key_is_there_whole_in_any_room_and_in_columns_where_there_is_room() {
        let keys = KeyMap::default();
        let mut heights = Vec::new();
        for room in [36, 76, 136, 196, 300] {
            let lines = lines(&keys, room);
            assert!(
                lines.iter().all(|line| width(&text(line)) <= room),
                "{room}"
            );
            let words = |text: &str| {
                let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
                words.sort();
                words
            };
            let shown: Vec<String> = lines.iter().map(text).collect();
            let mut expected = String::new();
            for (section, bindings) in keys.help() {
                expected.push_str(section.title());
                for (keys, what) in bindings {
                    expected.push_str(&format!(" {keys} {what} "));
                }
                expected.push(' ');
            }
            assert_eq!(words(&shown.join(" ")), words(&expected), "{room}");
            heights.push(lines.len());
        }
        assert!(heights.is_sorted_by(|a, b| a >= b), "{heights:?}");
        assert!(heights[2] * 5 < heights[1] * 3, "two columns: {heights:?}");
    }
}
