//! Renders rows as a table for people. Each column is as wide as its widest cell.

use kubevitals_proto::time::Timestamp;

use crate::model::{AnyTable, Column};
use crate::text::{clean, fit, width};

/// The blanks between two columns, as in kubectl.
const GAP: &str = "   ";

pub(super) fn write(
    columns: &[Column],
    table: &dyn AnyTable,
    rows: &[u32],
    now: Timestamp,
) -> String {
    let heading = columns
        .iter()
        .map(|column| column.title.to_owned())
        .collect();
    let mut lines: Vec<Vec<String>> = vec![heading];
    lines.extend(rows.iter().map(|at| {
        let cells = columns.iter().map(|column| {
            let cell = table.text(*at, column.field, now).unwrap_or_default();
            clean(&cell).into_owned()
        });
        cells.collect()
    }));
    let mut widths = vec![0; columns.len()];
    for line in &lines {
        for (cell, widest) in line.iter().zip(&mut widths) {
            *widest = width(cell).max(*widest);
        }
    }
    let mut text = String::new();
    for line in lines {
        let cells = line
            .iter()
            .zip(&widths)
            .zip(columns)
            .map(|((cell, space), column)| fit(cell, *space, column.align, ""));
        let cells: Vec<String> = cells.collect();
        text.push_str(cells.join(GAP).trim_end());
        text.push('\n');
    }
    text
}
