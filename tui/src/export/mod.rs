//! Exports a view: as a table for people, as CSV or JSON for programs, or a name to the clipboard.
//!
//! Values in CSV and JSON are not rounded: CPU in cores, memory and disk in bytes, rates in bytes per second, ratios in
//! percent, ages in whole seconds, other times in RFC 3339. An unknown value is empty, or null. Each row starts with
//! the time of the row (`at`) and ends with the time of its usage sample, if it has usage. A fraction has its two
//! numbers beside it; a restart count has the cause and time of the last restart.

mod clipboard;
mod csv;
mod file;
mod records;
mod table;
mod table_records;
mod totals;
mod value;
mod view;

pub use clipboard::osc52;
pub use csv::{Separated, write as write_separated};
pub use file::{file_name, save};
pub use records::{Datum, Heading, Item, Items, RecordCell, RecordList, Records};
pub use table::{TableLook, write as write_table};
pub use table_records::{TableRecords, Texts};
pub use value::name as data_name;
pub use view::export_view;

use std::io::{self, Write};

use crate::model::ExportAs;

/// Writes records in a form of the dashboard's exports.
///
/// # Errors
/// The writer fails.
pub fn export(form: ExportAs, records: &dyn Records, out: &mut dyn Write) -> io::Result<()> {
    match form {
        ExportAs::Table => write_table(records, TableLook::default(), out),
        ExportAs::Csv => write_separated(Separated::ByCommas, true, records, out),
        ExportAs::Json => {
            serde_json::to_writer_pretty(&mut *out, &Items(records))?;
            writeln!(out)
        }
    }
}

#[cfg(test)]
mod tests {
    use kubevitals_proto::units::{Bytes, Nanocores};
    use kubevitals_proto::vitals::{Cause, Certainty, Incident, IncidentKind, Involved};

    use kubevitals_proto::time::Timestamp;

    use super::{
        Datum, Heading, RecordCell, RecordList, Records, Separated, TableLook, TableRecords,
        write_separated, write_table,
    };
    use crate::model::row::{
        IncidentRow, LastRestart, NodeRow, PodRow, Replicas, Restarts, Rollup, Row, Workload,
        WorkloadRow,
    };
    use crate::model::{Column, ExportAs, Field, Table};

    /// `2026-07-08T14:30:00.25Z`.
    const NOW: Timestamp = Timestamp(1_783_521_000_250_000_000);

    fn seconds_ago(seconds: i64) -> Timestamp {
        NOW.plus_nanos(-seconds * 1_000_000_000)
    }

    fn since(seconds: i64) -> u32 {
        u32::try_from(seconds_ago(seconds).as_secs()).unwrap()
    }

    fn export<R: Row>(form: ExportAs, columns: &[Column], rows: Vec<R>, now: Timestamp) -> String {
        let table = Table::of(rows);
        let rows: Vec<u32> = (0..).take(table.len()).collect();
        let records = TableRecords::new(columns, &table, &rows, now);
        written(|out| super::export(form, &records, out))
    }

    fn written(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn columns<R: Row>(fields: &[Field]) -> Vec<Column> {
        let column = |field: &Field| {
            let mut columns = R::columns().into_iter();
            columns.find(|column| column.field == *field).unwrap()
        };
        fields.iter().map(column).collect()
    }

    fn pods() -> Vec<PodRow> {
        let mut web = PodRow {
            name: "web-1".into(),
            ready: true,
            ready_containers: 1,
            total_containers: 2,
            created_seconds: since(7_261),
            usage_seconds: since(12),
            restarts: Restarts {
                count: 4,
                recent: 1,
                last: Some(Box::new(LastRestart {
                    reason: "OOMKilled".into(),
                    exit_code: 137,
                    finished: Some(seconds_ago(130)),
                    started: None,
                    cause: Cause::OomKilled,
                    certainty: Certainty::Direct,
                })),
            },
            ..PodRow::default()
        };
        web.usage.cpu = Nanocores(250_000_000).into();
        web.usage.memory = Bytes(700_977_152).into();
        web.limits.memory = Bytes(1_401_954_304).into();
        let strange = PodRow {
            name: "日本, \"x\"".into(),
            total_containers: 2,
            ..PodRow::default()
        };
        vec![web, strange]
    }

    fn exported_pods(form: ExportAs) -> String {
        let columns = columns::<PodRow>(&[
            Field::Name,
            Field::Ready,
            Field::Restarts,
            Field::Cpu,
            Field::Memory,
            Field::MemoryOfLimit,
            Field::Age,
            Field::CpuTrend,
        ]);
        export(form, &columns, pods(), NOW)
    }

    #[test]
    fn a_table_has_the_texts_of_the_screen() {
        assert_eq!(
            exported_pods(ExportAs::Table),
            "NAME        READY   RESTARTS                   CPU     MEM   MEM %LIM    AGE\n\
             web-1         1/2   4 (OOMKilled 2m10s ago)   250m   668Mi        50%   121m\n\
             日本, \"x\"     0/2   0                            -       -          -      -\n"
        );
    }

    #[test]
    fn csv_has_times_whole_numbers_and_both_numbers_of_a_fraction() {
        assert_eq!(
            exported_pods(ExportAs::Csv),
            "at,name,ready,ready-containers,containers,restarts,cause,last-restart-time,cpu,mem,mem%limit,age,measured\r\n\
             2026-07-08T14:30:00Z,web-1,true,1,2,4,OOMKilled,2026-07-08T14:27:50Z,0.25,700977152,50,7261,2026-07-08T14:29:48Z\r\n\
             2026-07-08T14:30:00Z,\"日本, \"\"x\"\"\",false,0,2,0,,,,,,,\r\n"
        );
    }

    #[test]
    fn json_has_whole_numbers_and_nulls() {
        let text = exported_pods(ExportAs::Json);
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            read,
            serde_json::json!([
                {
                    "at": "2026-07-08T14:30:00Z", "name": "web-1", "ready": true, "ready-containers": 1,
                    "containers": 2, "restarts": 4, "cause": "OOMKilled",
                    "last-restart-time": "2026-07-08T14:27:50Z", "cpu": 0.25, "mem": 700_977_152,
                    "mem%limit": 50.0, "age": 7261, "measured": "2026-07-08T14:29:48Z",
                },
                {
                    "at": "2026-07-08T14:30:00Z", "name": "日本, \"x\"", "ready": false, "ready-containers": 0,
                    "containers": 2, "restarts": 0, "cause": "", "last-restart-time": null, "cpu": null,
                    "mem": null, "mem%limit": null, "age": null, "measured": null,
                },
            ])
        );
        assert!(text.contains("\"mem\": 700977152,"), "{text}");
    }

    #[test]
    fn incidents_have_their_first_and_last_time() {
        let incident = Incident {
            reason: IncidentKind::ProbeFailing,
            began: seconds_ago(600),
            last_seen: seconds_ago(7),
            count: 24,
            involved: Involved {
                kind: "Pod".to_owned(),
                namespace: "shop".to_owned(),
                name: "postgres-1".to_owned(),
                ..Involved::default()
            },
            ..Incident::default()
        };
        let columns = columns::<IncidentRow>(&[
            Field::Status,
            Field::Began,
            Field::LastSeen,
            Field::Name,
            Field::Count,
        ]);
        let rows = vec![IncidentRow::new(incident)];
        let text = export(ExportAs::Csv, &columns, rows, NOW);
        assert_eq!(
            text,
            "at,status,began,last-seen,name,count\r\n\
             2026-07-08T14:30:00Z,open,2026-07-08T14:20:00Z,2026-07-08T14:29:53Z,postgres-1,24\r\n"
        );
    }

    #[test]
    fn workloads_and_nodes_have_both_numbers_too() {
        let workload = WorkloadRow {
            namespace: "shop".into(),
            workload: std::sync::Arc::new(Workload {
                kind: "Deployment".into(),
                name: "web".into(),
            }),
            all: Rollup {
                recent: 3,
                restarts: 9,
                ..Rollup::default()
            },
            nodes: 2,
            max_per_node: 1,
            availability: None,
            replicas: Some(Replicas {
                desired: 3,
                ready: 2,
            }),
        };
        let fields = [Field::Name, Field::Ready, Field::Restarts, Field::Recent];
        let text = export(
            ExportAs::Csv,
            &columns::<WorkloadRow>(&fields),
            vec![workload],
            NOW,
        );
        assert_eq!(
            text,
            "at,name,ready,pods-ready,desired,restarts,restarts-1h\r\n\
             2026-07-08T14:30:00Z,web,false,2,3,9,3\r\n"
        );
        let node = NodeRow {
            name: "node-1".into(),
            pods: 13,
            max_pods: 110,
            usage_seconds: since(3),
            ..NodeRow::default()
        };
        let columns = columns::<NodeRow>(&[Field::Name, Field::Pods]);
        let text = export(ExportAs::Csv, &columns, vec![node], NOW);
        assert_eq!(
            text,
            "at,name,pods,max,measured\r\n2026-07-08T14:30:00Z,node-1,13,110,2026-07-08T14:29:57Z\r\n"
        );
    }

    /// Two rows with every kind of value, and a text that no form can write as it is.
    fn list() -> RecordList {
        let mut list = RecordList::new(vec![
            Heading::new("name", "NAME"),
            Heading::new("cpu", "CPU").right(),
            Heading::of_tables("READY").right(),
            Heading::of_data("ready"),
            Heading::new("message", "MESSAGE").wide(),
        ]);
        let row = |name: &str, cpu: RecordCell, ready: bool, message: &str| {
            vec![
                RecordCell::text(name),
                cpu,
                RecordCell::text(if ready { "1/1" } else { "0/1" }),
                RecordCell::new("", ready),
                RecordCell::text(message),
            ]
        };
        let cpu = RecordCell::new("250m", 0.25);
        list.push(
            "pod/web",
            row("web", cpu, true, "日本\t\"x\", \\\u{1b}[31m\r\nend"),
        );
        let none = RecordCell::new("-", Datum::Null);
        list.push("pod/api", row("api", none, false, ""));
        list
    }

    #[test]
    fn control_characters_are_no_part_of_a_table() {
        let text = |look| written(|out| write_table(&list(), look, out));
        assert_eq!(
            text(TableLook::default()),
            "NAME    CPU   READY\nweb    250m     1/1\napi       -     0/1\n"
        );
        let wide = TableLook {
            headings: false,
            wide: true,
            ..TableLook::default()
        };
        assert_eq!(
            text(wide),
            "web   250m   1/1   日本 \"x\", \\[31m end\napi      -   0/1\n"
        );
    }

    #[test]
    fn cells_are_cut_to_the_width_of_their_heading() {
        let mut list = RecordList::new(vec![
            Heading {
                width: Some(5),
                ..Heading::new("name", "NAME")
            },
            Heading::new("n", "N").right(),
        ]);
        for name in ["checkout-1", "a"] {
            list.push(
                name,
                vec![RecordCell::text(name), RecordCell::new("1", 1_u32)],
            );
        }
        assert_eq!(
            written(|out| write_table(&list, TableLook::default(), out)),
            "NAME    N\nchec…   1\na       1\n"
        );
    }

    #[test]
    fn separated_values_quote_or_escape_what_separates() {
        let text = |form| written(|out| write_separated(form, true, &list(), out));
        assert_eq!(
            text(Separated::ByCommas),
            "name,cpu,ready,message\r\n\
             web,0.25,true,\"日本\t\"\"x\"\", \\\u{fffd}[31m\r\nend\"\r\n\
             api,,false,\r\n"
        );
        assert_eq!(
            text(Separated::ByTabs),
            "name\tcpu\tready\tmessage\n\
             web\t0.25\ttrue\t日本\\t\"x\", \\\\\u{fffd}[31m\\r\\nend\n\
             api\t\tfalse\t\n"
        );
    }

    #[test]
    fn totals_are_the_last_row() {
        let mut list = RecordList::new(vec![Heading::new("name", "NAME"), Heading::new("n", "N")]);
        list.push(
            "a",
            vec![RecordCell::text("a"), RecordCell::new("1", 1_u32)],
        );
        list.set_total(vec![RecordCell::text("TOTAL"), RecordCell::new("1", 1_u32)]);
        assert_eq!((list.len(), list.has_total()), (1, true));
        let table = written(|out| write_table(&list, TableLook::default(), out));
        assert_eq!(table, "NAME    N\na       1\nTOTAL   1\n");
        let csv = written(|out| write_separated(Separated::ByCommas, false, &list, out));
        assert_eq!(csv, "a,1\r\nTOTAL,1\r\n");
    }
}
