//! Writes records as a table for people.

use std::io::{self, Write};

use super::records::{Heading, Records, all_rows};
use crate::text::{clean, fit, width};

/// The blanks between two columns, as in kubectl.
const GAP: &str = "   ";

/// What a table contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableLook {
    /// Whether the first line has the headings.
    pub headings: bool,
    /// Whether it has the columns of wide tables.
    pub wide: bool,
    /// The text at the end of a cell that is cut.
    pub ellipsis: &'static str,
}

impl Default for TableLook {
    fn default() -> Self {
        Self {
            headings: true,
            wide: false,
            ellipsis: "…",
        }
    }
}

/// Writes a table. Each column is as wide as its widest cell, or as its heading says.
///
/// # Errors
/// The writer fails.
pub fn write(records: &dyn Records, look: TableLook, out: &mut dyn Write) -> io::Result<()> {
    let is_listed = |heading: &Heading| heading.title.is_some() && (look.wide || !heading.is_wide);
    let columns: Vec<(usize, &Heading)> = records
        .headings()
        .iter()
        .enumerate()
        .filter(|(_, heading)| is_listed(heading))
        .collect();
    // The texts are made twice, for the widths and for the lines: a large table is not in memory as text.
    let widths: Vec<usize> = columns
        .iter()
        .map(|(column, heading)| match heading.width {
            Some(width) => width,
            None => widest(records, *column, heading, look.headings),
        })
        .collect();
    let mut line = String::new();
    if look.headings {
        let title = |(_, heading): &(usize, &Heading)| heading.title.clone().unwrap_or_default();
        write_line(&mut line, &columns, &widths, look, title);
        out.write_all(line.as_bytes())?;
    }
    for row in all_rows(records) {
        write_line(&mut line, &columns, &widths, look, |(column, _)| {
            records.text(row, *column)
        });
        out.write_all(line.as_bytes())?;
    }
    Ok(())
}

/// The width of the widest cell of a column, with its heading or without.
pub(super) fn widest(
    records: &dyn Records,
    column: usize,
    heading: &Heading,
    with_heading: bool,
) -> usize {
    let title = heading.title.as_deref().filter(|_| with_heading);
    let cells = all_rows(records).map(|row| width(&clean(&records.text(row, column))));
    let widest = cells.max().unwrap_or_default();
    widest.max(title.map_or(0, width))
}

fn write_line<'a>(
    line: &mut String,
    columns: &[(usize, &'a Heading)],
    widths: &[usize],
    look: TableLook,
    text: impl Fn(&(usize, &'a Heading)) -> std::borrow::Cow<'a, str>,
) {
    line.clear();
    for (at, (column, width)) in columns.iter().zip(widths).enumerate() {
        if at > 0 {
            line.push_str(GAP);
        }
        let (_, heading) = column;
        let cell = text(column);
        line.push_str(&fit(&clean(&cell), *width, heading.align, look.ellipsis));
    }
    line.truncate(line.trim_end().len());
    line.push('\n');
}
