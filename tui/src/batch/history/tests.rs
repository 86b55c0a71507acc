//! Histories in tables, and their charts.

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{self, Cause, History, Mark, Point, Quantiles, Series};

use super::*;
use crate::export::{RecordList, Records as _};

const SINCE: Timestamp = Timestamp::from_secs(1_795_238_000);

fn after(seconds: i64) -> Timestamp {
    SINCE.plus_nanos(seconds * 1_000_000_000)
}

fn point(cpu: u64, memory: u64) -> Option<Point> {
    Some(Point {
        cpu: cpu * 1_000_000,
        memory: memory << 20,
        swap: None,
    })
}

fn series(name: &str, points: Vec<Option<Point>>, samples: u64) -> Series {
    let quantiles = Quantiles {
        max: samples,
        ..Quantiles::default()
    };
    Series {
        name: name.to_owned(),
        points,
        samples,
        cpu: Some(quantiles),
        memory: Some(quantiles),
        ..Series::default()
    }
}

/// A pod with a gap in the second of four minutes and a restart in the third.
fn history() -> History {
    let points = vec![point(100, 64), None, point(0, 80), point(250, 96)];
    History {
        span: vitals::Span {
            since: SINCE,
            until: after(240),
            step: GoDuration::from_secs(60),
        },
        total: series("", points.clone(), 12),
        containers: vec![
            series("proxy", vec![point(1, 1); 4], 8),
            series("web", vec![None, None, None, point(200, 90)], 3),
            series("web", vec![point(90, 60), None, None, None], 5),
        ],
        marks: vec![Mark {
            time: after(130),
            container: "web".to_owned(),
            cause: Cause::OomKilled,
            text: "OOMKilled, exit 137".to_owned(),
        }],
        ..History::default()
    }
}

fn subject() -> HistorySubject {
    HistorySubject::Pod("shop".to_owned(), "web-1".to_owned())
}

fn texts(rows: &RecordList) -> Vec<String> {
    let columns = 0..rows.headings().len();
    let row = |row: usize| {
        let cells = columns
            .clone()
            .map(|column| rows.text(row, column).into_owned());
        cells.collect::<Vec<_>>().join("|")
    };
    (0..rows.len()).map(row).collect()
}

#[test]
fn a_gap_is_a_gap_and_a_restart_is_in_its_step() {
    let subject = subject();
    let report = Report::of(&subject, history(), None).unwrap();
    assert_eq!(
        texts(&report.rows()),
        [
            "2026-11-21T05:14:20Z|100m|64Mi|-|",
            "2026-11-21T05:15:20Z|-|-|-|",
            "2026-11-21T05:16:20Z|0m|80Mi|-|web OOMKilled, exit 137",
            "2026-11-21T05:17:20Z|250m|96Mi|-|",
        ]
    );
    let json = serde_json::to_value(report.document()).unwrap();
    assert_eq!(
        json["items"],
        serde_json::json!([
            {"time": "2026-11-21T05:14:20Z", "cpu": 0.1, "memory": 64 << 20, "swap": null},
            {"time": "2026-11-21T05:15:20Z", "cpu": null, "memory": null, "swap": null},
            {"time": "2026-11-21T05:16:20Z", "cpu": 0.0, "memory": 80 << 20, "swap": null,
             "restarts": [{"time": "2026-11-21T05:15:30Z", "container": "web", "cause": "OomKilled",
                           "text": "OOMKilled, exit 137"}]},
            {"time": "2026-11-21T05:17:20Z", "cpu": 0.25, "memory": 96 << 20, "swap": null},
        ])
    );
    assert_eq!(
        json["subject"],
        serde_json::json!({"kind": "Pod", "namespace": "shop", "name": "web-1"})
    );
    assert_eq!(json["span"]["step"], 60);
}

#[test]
fn a_step_contains_its_end() {
    let subject = subject();
    let report = Report::of(&subject, history(), None).unwrap();
    for (seconds, step) in [
        (-1, None),
        (0, Some(0)),
        (60, Some(0)),
        (61, Some(1)),
        (240, Some(3)),
        (241, None),
    ] {
        assert_eq!(report.step_of(after(seconds)), step, "{seconds}");
    }
}

#[test]
fn a_container_of_a_pod_that_was_created_again_is_one_series() {
    let subject = subject();
    let report = Report::of(&subject, history(), Some("web")).unwrap();
    let cpu: Vec<Option<u64>> = report
        .points
        .iter()
        .map(|it| it.map(|it| it.cpu / 1_000_000))
        .collect();
    assert_eq!(cpu, [Some(90), None, None, Some(200)]);
    assert_eq!(
        (report.usage.samples, report.usage.cpu.unwrap().max),
        (8, 5)
    );
    assert_eq!(report.marks.len(), 1);
    assert_eq!(
        Report::of(&subject, history(), Some("proxy"))
            .unwrap()
            .marks,
        []
    );
    let error = Report::of(&subject, history(), Some("nope")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "error: pod shop/web-1 has no container nope: it has proxy, web"
    );
}

#[test]
fn a_chart_is_text_of_the_requested_width() {
    let subject = subject();
    let report = Report::of(&subject, history(), None).unwrap();
    let bounds = Bounds::default();
    for (width, expected) in [(0, 20), (30, 30), (60, 60), (u16::MAX, 400)] {
        for is_ascii in [false, true] {
            let text = report.chart(&bounds, Look { width, is_ascii });
            let is_text = |line: &&str| {
                ["pod ", "p50", "restarted"]
                    .iter()
                    .any(|it| line.contains(it))
            };
            let mut rows = text.lines().filter(|line| !is_text(line));
            assert!(
                rows.all(|line| crate::text::width(line) <= expected),
                "{text}"
            );
            assert!(!is_ascii || text.is_ascii(), "{text}");
            assert!(text.lines().all(|line| line == line.trim_end()), "{text}");
        }
    }
    let look = Look {
        width: 44,
        is_ascii: true,
    };
    insta::assert_snapshot!(report.chart(&bounds, look));
    // Without data the chart says so, and has no quantiles.
    let empty = Report::of(&subject, History::default(), None).unwrap();
    let text = empty.chart(&bounds, look);
    assert!(text.contains("no data") && !text.contains("p50"), "{text}");
}
