//! Writes the results of commands, in every form that `-o` has.
//!
//! JSON and YAML are one object: its kind, its time, the source of the data, and the content. Records are the list
//! `items` in it.

use std::io::{self, BufWriter, Write};

use kubevitals_proto::time::Timestamp;
use serde::Serialize;

use super::Error;
use crate::cli::{OutputArgs, OutputFormat};
use crate::export::{Item, Items, Records, Separated, TableLook, write_separated, write_table};
use crate::model::SourceKind;
use crate::view::theme::Theme;

/// The first members of every JSON and YAML document.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// The kind of the document: `Pods`, `Advice`, …
    pub kind: &'a str,
    /// The time of the content.
    pub at: Timestamp,
    /// The source of the content.
    pub source: SourceKind,
    /// By which property the items are grouped, if they are groups.
    pub by: Option<&'a str>,
    /// The statistic that the usage is, if it is not the latest.
    pub stat: Option<&'a str>,
    /// The span of the statistic.
    pub span: Option<&'a str>,
    /// What is missing although it was requested, with the causes. Values that need it are null.
    pub missing: &'a [String],
}

impl<'a> Head<'a> {
    /// The head of a document from which nothing is missing.
    #[must_use]
    pub const fn new(kind: &'a str, at: Timestamp, source: SourceKind) -> Self {
        Self {
            kind,
            at,
            source,
            by: None,
            stat: None,
            span: None,
            missing: &[],
        }
    }
}

/// A form of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentForm {
    /// JSON, on several lines.
    Json,
    /// JSON, on one line.
    JsonLine,
    /// YAML.
    Yaml,
}

#[derive(Serialize)]
struct Document<'a, T> {
    kind: &'a str,
    at: String,
    source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stat: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    missing: &'a [String],
    #[serde(flatten)]
    content: &'a T,
}

#[derive(Serialize)]
struct List<'a> {
    items: Items<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<Item<'a>>,
}

/// Writes records in the form of the flags.
///
/// # Errors
/// The writer fails.
pub fn write_records(
    args: OutputArgs,
    head: Head<'_>,
    records: &dyn Records,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    let headings = !args.no_headers;
    let form = args.format();
    match form {
        OutputFormat::Table | OutputFormat::Wide => {
            let look = TableLook {
                headings,
                wide: form == OutputFormat::Wide,
                ellipsis: if is_ascii() { "~" } else { "…" },
            };
            write_table(records, look, &mut out)?;
        }
        OutputFormat::Csv => write_separated(Separated::ByCommas, headings, records, &mut out)?,
        OutputFormat::Tsv => write_separated(Separated::ByTabs, headings, records, &mut out)?,
        OutputFormat::Name => write_names(records, &mut out)?,
        OutputFormat::Json => write_list(DocumentForm::Json, head, records, &mut out)?,
        OutputFormat::Yaml => write_list(DocumentForm::Yaml, head, records, &mut out)?,
    }
    Ok(out.flush()?)
}

/// Writes records as one document.
///
/// # Errors
/// The writer fails.
pub fn write_list(
    form: DocumentForm,
    head: Head<'_>,
    records: &dyn Records,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let list = List {
        items: Items(records),
        total: records.has_total().then(|| Item(records, records.len())),
    };
    write_document(form, head, &list, out)
}

/// Writes a document: the head, then the members of `content`, which must be a struct or a map.
///
/// # Errors
/// The writer fails.
pub fn write_document(
    form: DocumentForm,
    head: Head<'_>,
    content: &impl Serialize,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let document = Document {
        kind: head.kind,
        at: head.at.to_rfc3339_seconds(),
        source: head.source.to_string(),
        by: head.by,
        stat: head.stat,
        span: head.span,
        missing: head.missing,
        content,
    };
    let mut out = BufWriter::with_capacity(1 << 16, out);
    match form {
        DocumentForm::Json => {
            serde_json::to_writer_pretty(&mut out, &document).map_err(io::Error::from)?;
            writeln!(out)?;
        }
        DocumentForm::JsonLine => {
            serde_json::to_writer(&mut out, &document).map_err(io::Error::from)?;
            writeln!(out)?;
        }
        DocumentForm::Yaml => {
            serde_saphyr::to_io_writer(&mut out, &document).map_err(yaml_error)?;
        }
    }
    Ok(out.flush()?)
}

/// Whether the locale of the terminal has only ASCII.
fn is_ascii() -> bool {
    Theme::detect(|name| std::env::var(name).ok()).is_ascii()
}

/// The cause of a failed write, so that a closed pipe is recognized.
fn yaml_error(error: serde_saphyr::ser::Error) -> io::Error {
    match error {
        serde_saphyr::ser::Error::IO { error } => error,
        error => io::Error::other(error.to_string()),
    }
}

fn write_names(records: &dyn Records, out: &mut dyn Write) -> io::Result<()> {
    for row in 0..records.len() {
        writeln!(out, "{}", crate::text::clean(&records.reference(row)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;
    use crate::export::{Datum, Heading, RecordCell, RecordList};

    const HEAD: Head<'static> = Head::new(
        "Pods",
        Timestamp(1_783_521_000_250_000_000),
        SourceKind::Vitals,
    );

    fn list() -> RecordList {
        let mut list = RecordList::new(vec![
            Heading::new("name", "NAME"),
            Heading::new("cpu", "CPU").right(),
            Heading::new("ready", "READY").wide(),
        ]);
        let row = |name: &str, cpu: Datum<'static>, ready: bool| {
            vec![
                RecordCell::text(name),
                RecordCell::new("1", cpu),
                RecordCell::new(ready.to_string(), ready),
            ]
        };
        list.push("pod/web", row("web", 0.25.into(), true));
        // YAML 1.1 reads these two words as no texts.
        list.push("pod/no", row("no", Datum::Null, false));
        list.push("pod/1e3", row("1e3", 2_u32.into(), false));
        list
    }

    fn written(format: OutputFormat, list: &RecordList) -> String {
        let args = OutputArgs {
            output: Some(format),
            no_headers: false,
        };
        let mut out = Vec::new();
        write_records(args, HEAD, list, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn documents_have_a_head_and_items() {
        let expected = serde_json::json!({
            "kind": "Pods", "at": "2026-07-08T14:30:00Z", "source": "vitals",
            "items": [
                {"name": "web", "cpu": 0.25, "ready": true},
                {"name": "no", "cpu": null, "ready": false},
                {"name": "1e3", "cpu": 2, "ready": false},
            ],
        });
        let json: serde_json::Value =
            serde_json::from_str(&written(OutputFormat::Json, &list())).unwrap();
        assert_eq!(json, expected);
        let yaml = written(OutputFormat::Yaml, &list());
        assert_eq!(
            yaml,
            "kind: Pods\nat: \"2026-07-08T14:30:00Z\"\nsource: vitals\nitems:\n\
             - name: web\n  cpu: 0.25\n  ready: true\n\
             - name: \"no\"\n  cpu: null\n  ready: false\n\
             - name: \"1e3\"\n  cpu: 2\n  ready: false\n"
        );
        let mut line = Vec::new();
        write_list(DocumentForm::JsonLine, HEAD, &list(), &mut line).unwrap();
        assert!(line.ends_with(b"}\n") && line.iter().filter(|byte| **byte == b'\n').count() == 1);
        assert_eq!(
            serde_json::from_slice::<serde_json::Value>(&line).unwrap(),
            expected
        );
    }

    #[test]
    fn totals_are_a_member_of_their_own() {
        let mut list = list();
        list.set_total(vec![RecordCell::text("TOTAL"), RecordCell::new("2", 2.25)]);
        let json: serde_json::Value =
            serde_json::from_str(&written(OutputFormat::Json, &list)).unwrap();
        assert_eq!(
            json["total"],
            serde_json::json!({"name": "TOTAL", "cpu": 2.25, "ready": null})
        );
        assert_eq!(json["items"].as_array().map(Vec::len), Some(3));
    }

    #[test]
    fn names_are_those_of_kubectl() {
        assert_eq!(
            written(OutputFormat::Name, &list()),
            "pod/web\npod/no\npod/1e3\n"
        );
        assert_eq!(
            written(OutputFormat::Table, &list()),
            "NAME   CPU\nweb      1\nno       1\n1e3      1\n"
        );
        assert!(written(OutputFormat::Wide, &list()).starts_with("NAME   CPU   READY\n"));
    }

    /// A pipe whose reader is gone.
    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    #[test]
    fn a_closed_pipe_is_recognized_in_every_form() {
        let mut long = list();
        for _ in 0..10_000 {
            long.push(
                "pod/a",
                vec![RecordCell::text("a rather long name of a pod")],
            );
        }
        for format in OutputFormat::value_variants() {
            for list in [&list(), &long] {
                let args = OutputArgs {
                    output: Some(*format),
                    no_headers: false,
                };
                let error = write_records(args, HEAD, list, &mut Closed).unwrap_err();
                assert!(error.is_broken_pipe(), "{format:?}: {error}");
            }
        }
    }
}
