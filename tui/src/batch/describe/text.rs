//! The text of a description, in the form of `kubectl describe`.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};

use super::document::labels;
use crate::batch::Error;
use crate::cli::DescribeSubject;
use crate::export::{TableLook, TableRecords, write_table};
use crate::model::{Field, Key, State, View, format};
use crate::text::clean;
use crate::view::describe;

/// Writes the description of the object at an index of its table.
pub(super) fn write(
    state: &State,
    subject: &DescribeSubject,
    at: u32,
    width: u16,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let mut out = BufWriter::new(out);
    properties(state, subject.view, at, &mut out)?;
    let table = state.live.table(subject.view);
    let Some(key) = table.key_at(at) else {
        return Ok(out.flush()?);
    };
    let lines = if subject.view == View::Pods {
        describe::pod(state, &key, width)
    } else {
        pods(state, subject.view, &key, &mut out)?;
        describe::incidents(state, subject.view, &key, width)
    };
    if !lines.is_empty() {
        writeln!(out)?;
    }
    for line in lines {
        writeln!(out, "{}", clean(&line).trim_end())?;
    }
    Ok(out.flush()?)
}

/// Writes the fields of a row, each in a line with its title.
fn properties(state: &State, view: View, at: u32, out: &mut dyn Write) -> io::Result<()> {
    let table = state.live.table(view);
    let mut lines = Vec::new();
    for column in view.columns() {
        if column.is_trend() {
            continue;
        }
        let title = match column.title {
            "" => column.field.name().to_uppercase(),
            title => title.to_owned(),
        };
        let text = table.text(at, column.field, state.now).unwrap_or_default();
        if !text.is_empty() && text != format::UNKNOWN {
            lines.push((words(&title), text.into_owned()));
        }
    }
    let labels = labels(state, view, at);
    lines.extend((!labels.is_empty()).then(|| ("Labels".to_owned(), String::new())));
    let widest = lines.iter().map(|(title, _)| title.len()).max();
    let width = widest.unwrap_or_default() + 3;
    for (title, text) in lines {
        let title = format!("{title}:");
        if text.is_empty() {
            write_labels(&title, width, &labels, out)?;
        } else {
            writeln!(out, "{title:<width$}{}", clean(&text))?;
        }
    }
    Ok(())
}

/// Writes labels, one in a line, the first beside the title.
fn write_labels(
    title: &str,
    width: usize,
    labels: &BTreeMap<String, String>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut title = title;
    for (key, value) in labels {
        writeln!(out, "{title:<width$}{}", clean(&format!("{key}={value}")))?;
        title = "";
    }
    Ok(())
}

/// A title as `kubectl describe` writes it: `MEM %LIM` is `MEM %limit`.
fn words(title: &str) -> String {
    let word = |(at, word): (usize, &str)| match word {
        "CPU" | "CPU%" | "MEM" | "MEM%" | "NET/s" => word.to_owned(),
        "%LIM" => "%limit".to_owned(),
        "%REQ" => "%request".to_owned(),
        "LIM" => "limit".to_owned(),
        "REQ" => "request".to_owned(),
        word if at == 0 => kubevitals_proto::words::capital(&word.to_lowercase()),
        word => word.to_lowercase(),
    };
    let words: Vec<String> = title.split(' ').enumerate().map(word).collect();
    words.join(" ")
}

/// Writes the pods on a node or of a workload.
fn pods(state: &State, view: View, key: &Key, out: &mut dyn Write) -> io::Result<()> {
    const FIELDS: [Field; 8] = [
        Field::Namespace,
        Field::Name,
        Field::Ready,
        Field::Status,
        Field::Restarts,
        Field::Cpu,
        Field::Memory,
        Field::Age,
    ];
    let rows = describe::pods_of(state, view, key);
    if rows.is_empty() {
        return Ok(());
    }
    let columns = View::Pods.columns();
    let columns = FIELDS
        .iter()
        .filter_map(|field| columns.iter().find(|column| column.field == *field))
        .copied();
    let columns: Vec<_> = columns.collect();
    let records = TableRecords::new(&columns, &state.live.pods, &rows, state.now);
    writeln!(out, "\n PODS")?;
    let mut table = Vec::new();
    write_table(&records, TableLook::default(), &mut table)?;
    for line in String::from_utf8_lossy(&table).lines() {
        writeln!(out, "   {line}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn titles_are_written_as_words() {
        for (title, text) in [
            ("NAME", "Name"),
            ("CPU%", "CPU%"),
            ("CPU %REQ", "CPU %request"),
            ("MEM LIM", "MEM limit"),
            ("RESTARTS 1h", "Restarts 1h"),
            ("NET/s", "NET/s"),
        ] {
            assert_eq!(words(title), text);
        }
    }
}
