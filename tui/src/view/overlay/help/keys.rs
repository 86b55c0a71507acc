//! The help page about keys, in as many columns as fit.

use crate::input::KeyMap;
use crate::text::{width, wrap};
use crate::view::canvas::{Line, Segment, segments_width};
use crate::view::theme::Ink;

/// The cells between two columns.
const GAP: usize = 3;

/// The least width of a help text beside its keys.
const LEAST: usize = 18;

/// Returns the lines of the page.
pub(super) fn lines(keys: &KeyMap, space: usize) -> Vec<Line> {
    let sections = keys.help();
    let all = || sections.iter().flat_map(|(_, lines)| lines);
    let key_width = all().map(|(keys, _)| width(keys)).max().unwrap_or(0) + 4;
    let what_width = all().map(|(_, what)| width(what)).max().unwrap_or(0);
    let column = key_width + what_width;
    let count = ((space + GAP) / (column + GAP)).max(1);
    let what_width = what_width.min(space.saturating_sub(key_width));
    let mut blocks = Vec::new();
    for (section, bindings) in &sections {
        if bindings.is_empty() {
            continue;
        }
        let mut block = vec![vec![Segment::new(section.title(), Ink::Heading)]];
        for (keys, what) in bindings {
            // In little space the help text is below the keys.
            if what_width < LEAST.min(width(what)) {
                block.push(vec![Segment::new(format!("  {keys}"), Ink::Accent)]);
                let below = wrap(what, space.saturating_sub(4).max(1)).into_iter();
                block.extend(below.map(|line| vec![Segment::plain(format!("    {line}"))]));
                continue;
            }
            for (at, line) in wrap(what, what_width).into_iter().enumerate() {
                let keys = if at == 0 { keys.as_str() } else { "" };
                let blanks = " ".repeat(key_width - 2 - width(keys));
                block.push(vec![
                    Segment::new(format!("  {keys}{blanks}"), Ink::Accent),
                    Segment::plain(line),
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
            let blanks = from.saturating_sub(usize::from(segments_width(&line)));
            if let Some(segments) = column.get(at).filter(|segments| !segments.is_empty()) {
                line.push(Segment::plain(" ".repeat(blanks)));
                line.extend(segments.iter().cloned());
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
        line.iter().map(|segment| segment.text.as_str()).collect()
    }

    #[test]
    fn every_key_is_complete_at_any_width() {
        let keys = KeyMap::default();
        let mut heights = Vec::new();
        for space in [36, 76, 136, 196, 300] {
            let lines = lines(&keys, space);
            assert!(
                lines.iter().all(|line| width(&text(line)) <= space),
                "{space}"
            );
            let words = |text: &str| {
                let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
                words.sort();
                words
            };
            let output: Vec<String> = lines.iter().map(text).collect();
            let mut expected = String::new();
            for (section, bindings) in keys.help() {
                expected.push_str(section.title());
                for (keys, what) in bindings {
                    expected.push_str(&format!(" {keys} {what} "));
                }
                expected.push(' ');
            }
            assert_eq!(words(&output.join(" ")), words(&expected), "{space}");
            heights.push(lines.len());
        }
        assert!(heights.is_sorted_by(|a, b| a >= b), "{heights:?}");
        assert!(heights[2] * 5 < heights[1] * 3, "two columns: {heights:?}");
    }
}
