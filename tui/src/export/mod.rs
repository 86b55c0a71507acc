//! Exports a view: as a table for people, as CSV or JSON for programs, or a name to the clipboard.
//!
//! Values in CSV and JSON are not rounded: CPU in cores, memory and disk in bytes, rates in bytes per second, ratios in
//! percent, ages in whole seconds, other times in RFC 3339. An unknown value is empty, or null. Each row starts with
//! the time of the row (`at`) and ends with the time of its usage sample, if it has usage. A fraction has its two
//! numbers beside it; a restart count has the cause and time of the last restart.

mod clipboard;
mod csv;
mod file;
mod json;
mod table;
mod value;
mod view;

pub use clipboard::osc52;
pub use file::{file_name, save};
pub use view::of_view;

use kubevitals_proto::time::Timestamp;

use crate::model::{AnyTable, Column, ExportAs};
use value::fields;

/// Renders columns of a table's rows (by index, as of `now`) in a form.
pub fn export(
    form: ExportAs,
    columns: &[Column],
    table: &dyn AnyTable,
    rows: &[u32],
    now: Timestamp,
) -> String {
    // The last point of a trend has a column of its own.
    let columns: Vec<Column> = columns
        .iter()
        .filter(|column| !column.is_trend())
        .copied()
        .collect();
    match form {
        ExportAs::Table => table::write(&columns, table, rows, now),
        ExportAs::Csv => csv::write(&fields(&columns, table), table, rows, now),
        ExportAs::Json => json::write(&fields(&columns, table), table, rows, now),
    }
}

#[cfg(test)]
mod tests {
    use kubevitals_proto::units::{Bytes, Nanocores};
    use kubevitals_proto::vitals::{Cause, Certainty, Incident, IncidentKind, Involved};

    use super::{Column, ExportAs, Timestamp};
    use crate::model::row::{
        IncidentRow, LastRestart, NodeRow, PodRow, Replicas, Restarts, Rollup, Row, Workload,
        WorkloadRow,
    };
    use crate::model::{Field, Table};

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
        super::export(form, columns, &table, &rows, now)
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
}
