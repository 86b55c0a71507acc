//! Writes records as comma-separated values (RFC 4180), and as tab-separated values.

use std::io::{self, Write};

use super::records::{Datum, Records, all_rows};

/// How values are separated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separated {
    /// By commas. Lines end with CR LF; a cell with a comma, a quote or a line break is in quotes.
    ByCommas,
    /// By tabs. Tabs, line breaks and backslashes in a cell are escaped: `\t`, `\n`, `\r`, `\\`.
    ByTabs,
}

/// Writes one line with the names, then one for each row.
///
/// # Errors
/// The writer fails.
pub fn write(
    form: Separated,
    headings: bool,
    records: &dyn Records,
    out: &mut dyn Write,
) -> io::Result<()> {
    let names = records.headings().iter().enumerate();
    let columns: Vec<(usize, &str)> = names
        .filter_map(|(column, heading)| Some((column, heading.name.as_deref()?)))
        .collect();
    let mut line = String::new();
    if headings {
        form.write_line(&mut line, columns.iter().map(|(_, name)| (*name).into()));
        out.write_all(line.as_bytes())?;
    }
    for row in all_rows(records) {
        let cells = columns
            .iter()
            .map(|(column, _)| records.datum(row, *column));
        form.write_line(&mut line, cells);
        out.write_all(line.as_bytes())?;
    }
    Ok(())
}

impl Separated {
    fn write_line<'a>(self, line: &mut String, cells: impl Iterator<Item = Datum<'a>>) {
        let (separator, end) = match self {
            Self::ByCommas => (',', "\r\n"),
            Self::ByTabs => ('\t', "\n"),
        };
        line.clear();
        for (at, cell) in cells.enumerate() {
            if at > 0 {
                line.push(separator);
            }
            match cell {
                Datum::Null => {}
                Datum::Text(text) => self.write_text(line, &text),
                // Without a fraction if the number is whole.
                Datum::Number(number) => line.push_str(&number.to_string()),
                Datum::Integer(number) => line.push_str(&number.to_string()),
                Datum::Flag(flag) => line.push_str(if flag { "true" } else { "false" }),
            }
        }
        line.push_str(end);
    }

    /// Writes a cell. Control characters other than tabs and line breaks are replaced: the output may be a terminal.
    fn write_text(self, line: &mut String, text: &str) {
        let is_quoted = self == Self::ByCommas && text.contains([',', '"', '\r', '\n']);
        if is_quoted {
            line.push('"');
        }
        for c in text.chars() {
            match (self, c) {
                (Self::ByCommas, '"') => line.push_str("\"\""),
                (Self::ByTabs, '\t') => line.push_str("\\t"),
                (Self::ByTabs, '\n') => line.push_str("\\n"),
                (Self::ByTabs, '\r') => line.push_str("\\r"),
                (Self::ByTabs, '\\') => line.push_str("\\\\"),
                (_, '\t' | '\n' | '\r') => line.push(c),
                (_, c) if c.is_control() => line.push(char::REPLACEMENT_CHARACTER),
                _ => line.push(c),
            }
        }
        if is_quoted {
            line.push('"');
        }
    }
}
