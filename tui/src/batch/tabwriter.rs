//! Aligns columns as kubectl does.
//!
//! A tab ends every cell, so the last column is padded too. A column is as wide as its widest cell plus three spaces,
//! and at least six. A column is a run of neighbouring lines that have a cell there: a line with fewer cells ends it,
//! and the next run is at least as wide as the one before.

use std::io::{self, Write};

const NARROWEST: usize = 6;
const PADDING: usize = 3;

/// Collects lines of cells, then writes them aligned.
///
/// The text is in one buffer and the cells in one list, so a table of 150,000 rows costs a handful of allocations.
#[derive(Debug, Default)]
pub struct TabWriter {
    text: Vec<u8>,
    cells: Vec<Cell>,
    /// For each finished line, the number of cells up to its end.
    lines: Vec<usize>,
}

#[derive(Debug, Clone, Copy)]
struct Cell {
    /// The end of its text in the buffer; it starts at the end of the one before.
    end: usize,
    /// The width in characters.
    width: usize,
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
        self.cells.push(Cell {
            end: self.text.len(),
            width,
        });
    }

    /// Adds a cell with a number and its unit.
    pub fn number(&mut self, number: i64, unit: &str) {
        let begin = self.text.len();
        // Writing to a Vec cannot fail.
        let _ = write!(self.text, "{number}{unit}");
        self.cells.push(Cell {
            end: self.text.len(),
            width: self.text.len() - begin,
        });
    }

    /// Ends the line.
    pub fn end_line(&mut self) {
        self.lines.push(self.cells.len());
    }

    /// Writes everything, aligned.
    ///
    /// # Errors
    /// The writer fails.
    pub fn write_to(&self, out: &mut impl Write) -> io::Result<()> {
        let mut widths = Widths::default();
        self.write_block(out, 0, self.lines.len(), &mut widths)
    }

    /// Writes lines that all have cells in the columns left of the next one, whose widths are fixed; finds the runs of
    /// lines that also have a cell in the next column.
    fn write_block(
        &self,
        out: &mut impl Write,
        from: usize,
        to: usize,
        widths: &mut Widths,
    ) -> io::Result<()> {
        let column = widths.current.len();
        let (mut unwritten, mut line) = (from, from);
        while line < to {
            if self.line(line).len() <= column {
                line += 1;
                continue;
            }
            self.write_lines(out, unwritten, line, &widths.current)?;
            unwritten = line;
            let mut width = NARROWEST;
            while let Some(cell) = (line < to).then(|| self.line(line).get(column)).flatten() {
                width = width.max(cell.width + PADDING);
                line += 1;
            }
            widths.push(width);
            self.write_block(out, unwritten, line, widths)?;
            widths.current.pop();
            unwritten = line;
        }
        self.write_lines(out, unwritten, to, &widths.current)
    }

    fn write_lines(
        &self,
        out: &mut impl Write,
        from: usize,
        to: usize,
        widths: &[usize],
    ) -> io::Result<()> {
        for line in from..to {
            let mut begin = self.line_begin(line);
            for (cell, width) in self.line(line).iter().zip(widths) {
                out.write_all(self.text.get(begin..cell.end).unwrap_or_default())?;
                begin = cell.end;
                pad(out, width.saturating_sub(cell.width))?;
            }
            out.write_all(b"\n")?;
        }
        Ok(())
    }

    fn line(&self, line: usize) -> &[Cell] {
        let end = self.lines.get(line).copied().unwrap_or_default();
        self.cells
            .get(self.first_cell(line)..end)
            .unwrap_or_default()
    }

    fn first_cell(&self, line: usize) -> usize {
        line.checked_sub(1)
            .and_then(|before| self.lines.get(before))
            .copied()
            .unwrap_or_default()
    }

    fn line_begin(&self, line: usize) -> usize {
        let before = self.first_cell(line).checked_sub(1);
        before
            .and_then(|cell| self.cells.get(cell))
            .map_or(0, |cell| cell.end)
    }
}

/// The widths of the columns left of the writer's position, and the largest width of each column so far.
#[derive(Default)]
struct Widths {
    current: Vec<usize>,
    widest_so_far: Vec<usize>,
}

impl Widths {
    fn push(&mut self, width: usize) {
        match self.widest_so_far.get_mut(self.current.len()) {
            Some(widest) => {
                *widest = (*widest).max(width);
                self.current.push(*widest);
            }
            None => {
                self.widest_so_far.push(width);
                self.current.push(width);
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
