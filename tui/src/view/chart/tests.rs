//! Tests of charts.

use super::*;
use crate::view::theme::{Depth, Ground};
use proptest::prelude::*;

fn drawn(chart: &Chart<'_>, columns: u16, rows: u16, ascii: bool) -> String {
    let area = Rect::new(0, 0, columns, rows);
    let mut buffer = Buffer::empty(area);
    chart.render(
        area,
        &mut buffer,
        &Theme::new(Depth::None, Ground::Dark, ascii),
    );
    let rows = buffer.content.chunks(usize::from(columns.max(1)));
    rows.map(|row| {
        let row: String = row.iter().map(|cell| cell.symbol()).collect();
        format!("{}\n", row.trim_end())
    })
    .collect()
}

const MI: u64 = 1 << 20;

/// Points in MiB.
fn mebibytes(points: &[Option<u64>]) -> Vec<Option<u64>> {
    points.iter().map(|point| point.map(|mi| mi * MI)).collect()
}

fn memory(points: &[Option<u64>]) -> Chart<'_> {
    Chart {
        resource: Resource::Memory,
        points,
        peak: None,
        lines: &[],
        marks: &[],
        seam: None,
        cursor: None,
        edge_labels: ["-1h", "now"],
    }
}

fn with_lines<'a>(points: &'a [Option<u64>], lines: &'a [Line<'a>]) -> Chart<'a> {
    Chart {
        lines,
        ..memory(points)
    }
}

fn request_and_limit(request: u64, limit: u64) -> [Line<'static>; 2] {
    [
        Line {
            value: request * MI,
            label: "request",
            ink: Ink::Request,
        },
        Line {
            value: limit * MI,
            label: "limit",
            ink: Ink::Limit,
        },
    ]
}

#[test]
fn the_scale_reaches_up_to_the_peak_and_the_limit() {
    let points = mebibytes(&[Some(400), Some(507), Some(450)]);
    for (peak, limit, top) in [
        (None, 1, "512Mi"),
        (Some(539 * MI), 1, "640Mi"),
        (Some(300 * MI), 1, "512Mi"),
        (None, 768, "768Mi"),
        (None, 9_000, "10Gi"),
    ] {
        let lines = request_and_limit(1, limit);
        let chart = Chart {
            peak,
            lines: &lines,
            ..memory(&points)
        };
        let output = drawn(&chart, 40, 6, true);
        assert!(output.trim_start().starts_with(top), "{top}:\n{output}");
    }
}

#[test]
fn a_chart_draws_request_limit_restart_cursor_and_gap() {
    let mut points: Vec<Option<u64>> = (0..40).map(|step| Some(20 + step * 6)).collect();
    points[10..14].fill(None);
    points[30..].fill(Some(30));
    let points = mebibytes(&points);
    let mut lines = request_and_limit(64, 256);
    [lines[0].label, lines[1].label] = ["request 64Mi", "limit 256Mi"];
    let chart = Chart {
        lines: &lines,
        marks: &[30],
        cursor: Some(Cursor {
            step: 34,
            label: "10:00:00Z",
        }),
        ..memory(&points)
    };
    insta::assert_snapshot!(drawn(&chart, 48, 9, false));
    insta::assert_snapshot!(drawn(&chart, 48, 9, true));
    insta::assert_snapshot!(drawn(&chart, 16, 4, false));
}

#[test]
fn data_far_below_the_limit_are_low() {
    // 11 % of it, and half of a request far below that.
    for (limit, filled) in [
        (Some(4_096), 1),
        (Some(1_000), 2),
        (Some(450), 4),
        (None, 4),
    ] {
        let points = mebibytes(&[Some(450); 80]);
        let lines = limit.map(|limit| request_and_limit(900.min(limit), limit));
        let chart = Chart {
            lines: lines.as_ref().map_or(&[], |lines| &lines[..]),
            ..memory(&points)
        };
        let output = drawn(&chart, 50, 5, false);
        let rows = output
            .lines()
            .filter(|row| row.contains(['⣿', '⣤', '⣶', '⣀']));
        assert_eq!(rows.count(), filled, "{limit:?}:\n{output}");
    }
}

#[test]
fn a_line_in_the_row_of_the_data_hides_no_data() {
    // As on a pod's page in 24 rows: four of a chart, and the request where the data are.
    for (used, request, limit) in [(135, 128, 512), (10, 1, 900), (64, 64, 64), (0, 1, 512)] {
        let points = mebibytes(&[Some(used); 30]);
        let lines = request_and_limit(request, limit);
        let with = with_lines(&points, &lines);
        let (with, plain) = (
            drawn(&with, 39, 5, false),
            Chart {
                peak: Some(limit * MI),
                ..memory(&points)
            },
        );
        let plain = drawn(&plain, 39, 5, false);
        let braille = |text: &str| {
            text.chars()
                .filter(|c| ('\u{2801}'..='\u{28ff}').contains(c))
                .count()
        };
        assert!(braille(&with) > 0);
        assert_eq!(braille(&with), braille(&plain), "{with}{plain}");
    }
}

#[test]
fn a_request_that_is_the_limit_is_named_beside_it() {
    let points = mebibytes(&[Some(10), Some(20)]);
    let lines = request_and_limit(30, 30);
    let chart = with_lines(&points, &lines);
    let (wide, narrow) = (drawn(&chart, 40, 5, false), drawn(&chart, 17, 5, false));
    assert!(wide.contains("request") && wide.contains("limit"), "{wide}");
    // If only one fits, it is complete.
    assert!(
        narrow.contains("request") && !narrow.contains("limit"),
        "{narrow}"
    );
}

#[test]
fn render_returns_whether_lines_are_labelled() {
    let theme = Theme::new(Depth::None, Ground::Dark, false);
    for (used, labelled) in [(10, true), (500, false), (320, false)] {
        let points = mebibytes(&[Some(used); 30]);
        let lines = request_and_limit(300, 512);
        let chart = with_lines(&points, &lines);
        let area = Rect::new(0, 0, 40, 5);
        let said = chart.render(area, &mut Buffer::empty(area), &theme);
        assert_eq!(said, labelled, "{used}");
    }
}

#[test]
fn the_cursor_has_its_time_below_and_hides_no_data() {
    let points = mebibytes(&[Some(100); 60]);
    for (step, below) in [
        (30, "-1h            10:00:00Z            now"),
        (0, "-1h 10:00:00Z                       now"),
        (59, "-1h                       10:00:00Z now"),
    ] {
        let chart = Chart {
            cursor: Some(Cursor {
                step,
                label: "10:00:00Z",
            }),
            ..memory(&points)
        };
        let (with, without) = (
            drawn(&chart, 45, 6, false),
            drawn(&memory(&points), 45, 6, false),
        );
        let last = with.lines().last().unwrap().trim();
        assert_eq!(last, below);
        let data = |text: &str| text.matches('⣿').count();
        assert_eq!(data(&with), data(&without), "{with}");
        assert!(with.contains('│'), "{with}");
    }
}

#[test]
fn an_empty_chart_has_a_text_and_no_numbers() {
    let points = [None; 10];
    let output = drawn(&memory(&points), 40, 5, false);
    assert!(output.contains("no data"), "{output}");
    assert!(!output.contains("Mi"), "{output}");
    assert!(!drawn(&memory(&[Some(0)]), 40, 5, false).contains("no data"));
}

proptest! {
    #[test]
    fn lines_labels_and_the_cursor_never_replace_data(
        values in prop::collection::vec(prop::option::of(0_u64..4_000), 1..200),
        request in 0_u64..5_000, limit in 0_u64..5_000, step in 0_usize..200,
        columns in 1_u16..80, rows in 1_u16..14, ascii: bool,
    ) {
        let points = mebibytes(&values);
        let lines = request_and_limit(request, limit);
        let cursor = Some(Cursor { step, label: "10:00:00Z" });
        let most = (request.max(limit)) * MI;
        let with = Chart { lines: &lines, cursor, ..memory(&points) };
        let without = Chart { peak: Some(most), ..memory(&points) };
        let (with, without) = (drawn(&with, columns, rows, ascii), drawn(&without, columns, rows, ascii));
        let is_data = |c: char| if ascii { "#.".contains(c) } else { ('\u{2801}'..='\u{28ff}').contains(&c) };
        let padded = |text: &str| -> Vec<Vec<char>> {
            text.lines().map(|row| format!("{row:<80}").chars().collect()).collect()
        };
        let below = if rows >= 3 { 1 } else { 0 };
        let drawn = usize::from(rows - below);
        for (a, b) in padded(&with).iter().zip(&padded(&without)).take(drawn) {
            for (a, b) in a.iter().zip(b) {
                prop_assert!(!is_data(*b) || a == b, "{with}\n{without}");
            }
        }
    }

    #[test]
    fn a_chart_draws_into_any_area(
        values in prop::collection::vec(prop::option::of(any::<u64>()), 0..200),
        level: u64, mark in 0_usize..300, columns in 0_u16..60, rows in 0_u16..12, ascii: bool,
    ) {
        let lines = [
            Line { value: level, label: "limit 日本", ink: Ink::Limit },
            Line { value: u64::MAX, label: "request", ink: Ink::Request },
        ];
        let cursor = Some(Cursor { step: mark, label: "10:00:00Z" });
        let chart = Chart { lines: &lines, marks: &[mark], cursor, ..memory(&values) };
        drawn(&chart, columns, rows, ascii);
    }
}

#[test]
fn the_seam_is_a_line_beside_the_data() {
    let points = mebibytes(&[Some(100), Some(100), None, Some(100), Some(100), Some(100)]);
    for (ascii, sign) in [(false, '┊'), (true, ':')] {
        let chart = Chart {
            peak: Some(400 * MI),
            seam: Some(2),
            ..memory(&points)
        };
        let output = drawn(&chart, 40, 6, ascii);
        let rows = output.lines().filter(|row| row.contains(sign));
        assert_eq!(rows.count(), 5, "the gap is empty: {output}");
        let chart = Chart {
            seam: Some(4),
            ..chart
        };
        let output = drawn(&chart, 40, 6, ascii);
        let rows = output.lines().filter(|row| row.contains(sign)).count();
        assert!((1..5).contains(&rows), "no data is hidden: {output}");
    }
}
