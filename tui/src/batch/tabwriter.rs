//! Aligns columns as kubectl does.
//!
//! A tab ends every cell, so the last column is padded too. A column is as wide as its widest cell plus three spaces,
//! and at least six. A column is a run of neighbouring lines that have a cell there: a line with fewer cells ends it,
//! and the next run is at least as wide as the one before.

use std::io::{self, Write};
use std::ops::Range;

const NARROWEST: usize = 6;
const PADDING: usize = 3;

/// Collects lines of cells, then writes them aligned.
///
/// The text is in one buffer and the cells in one list, so a table of 150,000 rows costs a handful of allocations.
#[derive(Debug, Default)]
pub struct TabWriter {
    text: Vec<u8>,
    cells: Vec<Cell>,
    /// The indexes of the cells of each finished line.
    lines: Vec<Range<usize>>,
}

#[derive(Debug, Clone, Copy)]
struct Cell {
    /// The end of its text in the buffer; it starts at the end of the one before.
    end: usize,
    /// The width in characters.
    width: usize,
    /// The spaces behind the text, once the column is aligned.
    padding: usize,
}

impl TabWriter {
    /// Allocates space for about this many lines of this many cells.
    pub fn with_capacity(lines: usize, cells: usize) -> Self {
        Self {
            text: Vec::with_capacity(lines * cells * 10),
            cells: Vec::with_capacity(lines * cells),
            lines: Vec::with_capacity(lines),
        }
    }

    /// Adds a cell to the line.
    pub fn cell(&mut self, text: &str) {
        self.text.extend_from_slice(text.as_bytes());
        // Names are nearly always ASCII, and then bytes are characters.
        let width = if text.is_ascii() {
            text.len()
        } else {
            text.chars().count()
        };
        self.end_cell(width);
    }

    /// Adds a cell with a number and its unit.
    pub fn number(&mut self, number: i64, unit: &str) {
        let begin = self.text.len();
        // Writing to a Vec cannot fail.
        let _ = write!(self.text, "{number}{unit}");
        self.end_cell(self.text.len() - begin);
    }

    fn end_cell(&mut self, width: usize) {
        self.cells.push(Cell {
            end: self.text.len(),
            width,
            padding: 0,
        });
    }

    /// Ends the line.
    pub fn end_line(&mut self) {
        let begin = self.lines.last().map_or(0, |line| line.end);
        self.lines.push(begin..self.cells.len());
    }

    /// Writes everything, aligned.
    ///
    /// # Errors
    /// The writer fails.
    pub fn write_to(mut self, out: &mut impl Write) -> io::Result<()> {
        let columns = self.lines.iter().map(Range::len).max();
        for column in 0..columns.unwrap_or_default() {
            self.align(column);
        }
        let mut begin = 0;
        for line in self.lines {
            for cell in self.cells.get(line).unwrap_or_default() {
                out.write_all(self.text.get(begin..cell.end).unwrap_or_default())?;
                pad(out, cell.padding)?;
                begin = cell.end;
            }
            out.write_all(b"\n")?;
        }
        Ok(())
    }

    /// Finds the runs of lines that have a cell in a column, and sets the padding of their cells.
    fn align(&mut self, column: usize) {
        let has_cell = |line: &Range<usize>| line.len() > column;
        let mut widest = NARROWEST;
        for run in self.lines.chunk_by(|a, b| has_cell(a) == has_cell(b)) {
            let lines = run.iter().filter(|line| has_cell(line));
            let cells = lines.map(|line| line.start + column);
            let widths = cells.clone().filter_map(|at| self.cells.get(at));
            let Some(width) = widths.map(|cell| cell.width).max() else {
                continue;
            };
            widest = widest.max(width + PADDING);
            for at in cells {
                if let Some(cell) = self.cells.get_mut(at) {
                    cell.padding = widest - cell.width;
                }
            }
        }
    }
}

fn pad(out: &mut impl Write, mut count: usize) -> io::Result<()> {
    const SPACES: &[u8] = &[b' '; 64];
    while count > 0 {
        let part = SPACES.get(..count).unwrap_or(SPACES);
        out.write_all(part)?;
        count -= part.len();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::TabWriter;

    fn aligned(lines: &[&[&str]]) -> String {
        let mut table = TabWriter::default();
        for line in lines {
            for cell in *line {
                table.cell(cell);
            }
            table.end_line();
        }
        let mut out = Vec::new();
        table.write_to(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_column_is_padded_also_the_last() {
        assert_eq!(
            aligned(&[&["NAME", "CPU(cores)"], &["lab", "514m"]]),
            "NAME   CPU(cores)   \nlab    514m         \n"
        );
    }

    #[test]
    fn a_column_is_at_least_six_wide() {
        assert_eq!(aligned(&[&["a", "9%"]]), "a     9%    \n");
        assert_eq!(aligned(&[&["abc", "9%"]]), "abc   9%    \n");
        assert_eq!(aligned(&[&["abcd", "9%"]]), "abcd   9%    \n");
    }

    #[test]
    fn empty_cells_are_padded() {
        assert_eq!(aligned(&[&["", "________"]]), "      ________   \n");
    }

    #[test]
    fn characters_count_not_bytes() {
        assert_eq!(
            aligned(&[&["größe", "x"], &["abcdef", "y"]]),
            "größe    x     \nabcdef   y     \n"
        );
    }

    #[test]
    fn a_shorter_line_ends_the_column_the_next_is_no_narrower() {
        assert_eq!(
            aligned(&[
                &["name", "cpu", "a long cell"],
                &["short", "1m"],
                &["other", "2m", "x"],
            ]),
            "name    cpu   a long cell   \nshort   1m    \nother   2m    x             \n"
        );
        assert_eq!(
            aligned(&[&["name", "x"], &["short"], &["other", "a long cell"]]),
            "name    x     \nshort   \nother   a long cell   \n"
        );
    }

    #[test]
    fn an_empty_table_is_empty() {
        assert_eq!(aligned(&[]), "");
        assert_eq!(aligned(&[&[]]), "\n");
    }

    #[test]
    fn numbers_have_their_unit() {
        let mut table = TabWriter::with_capacity(1, 2);
        table.number(1_500, "m");
        table.number(-1, "Mi");
        table.end_line();
        let mut out = Vec::new();
        table.write_to(&mut out).unwrap();
        assert_eq!(out, b"1500m   -1Mi   \n");
    }
}
