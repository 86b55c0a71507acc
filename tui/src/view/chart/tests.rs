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
        edge_labels: ["-1h", "now"],
        ..Chart::new(Measure::Memory, Ink::Memory, points)
    }
}

fn restart(step: usize) -> Mark {
    Mark {
        step,
        kind: MarkKind::Restart,
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
        (None, 1_500, "2Gi"),
        // A line far above is not in the chart.
        (None, 9_000, "512Mi"),
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
        marks: &[restart(30)],
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
fn data_below_the_limit_are_low_unless_it_is_far_above() {
    for (limit, filled) in [
        (Some(1_750), 1),
        (Some(1_000), 2),
        // Only the request is in the chart.
        (Some(4_096), 2),
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
    for (used, request, limit) in [(135, 128, 512), (230, 1, 900), (64, 64, 64), (0, 1, 512)] {
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
    for (used, labelled) in [(130, true), (10, false), (500, false), (320, false)] {
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

/// Whether a braille dot is set; rows are counted from the bottom.
fn has(buffer: &Buffer, plot: Rect, column: usize, row: usize) -> bool {
    let x = plot.x + u16::try_from(column / 2).unwrap();
    let y = plot.bottom() - 1 - u16::try_from(row / 4).unwrap();
    let sign = buffer[(x, y)].symbol().chars().next().unwrap();
    let dots = u32::from(sign).wrapping_sub(0x2800);
    let dot = [[0x40, 0x04, 0x02, 0x01], [0x80, 0x20, 0x10, 0x08]][column % 2][row % 4];
    dots < 0x100 && dots & dot != 0
}

/// 60 % ± 2 %, in mebibytes of a hundred thousand.
fn calm() -> Vec<Option<u64>> {
    let wave = |at: u64| 60_000 + [0, 900, 1_700, 2_000, 1_500, 300, 0, 0][at as usize / 10 % 8];
    mebibytes(
        &(0..240)
            .map(|at| Some(wave(at) - at * 8))
            .collect::<Vec<_>>(),
    )
}

#[test]
fn a_chart_of_little_variation_is_a_line_that_says_where_it_begins() {
    let points = calm();
    let lines = [Line {
        value: 100_000 * MI,
        label: "allocatable",
        ink: Ink::Muted,
    }];
    let chart = with_lines(&points, &lines);
    insta::assert_snapshot!(drawn(&chart, 60, 8, false));
    insta::assert_snapshot!(drawn(&chart, 60, 8, true));
    for (columns, rows) in [(60, 8), (40, 4), (30, 3), (21, 12)] {
        for (ascii, sign) in [(false, '≈'), (true, '~')] {
            let text = drawn(&chart, columns, rows, ascii);
            assert!(text.contains(sign) && text.contains("Gi"), "{text}");
            assert!(!text.contains(['⣿', '#']), "no block: {text}");
        }
    }
    // Without numbers it begins at zero.
    let narrow = drawn(&chart, 12, 6, false);
    assert!(narrow.contains('⣿') && !narrow.contains('≈'), "{narrow}");
}

#[test]
fn a_band_shows_the_range_of_the_steps_of_a_column() {
    let spiky: Vec<Option<u64>> = (0..400)
        .map(|at| Some(if at % 10 == 0 { 200 } else { 50 + at % 10 * 3 }))
        .collect();
    let points = mebibytes(&spiky);
    for ascii in [false, true] {
        insta::assert_snapshot!(drawn(&memory(&points), 40, 8, ascii));
    }
}

#[test]
fn a_second_series_differs_from_the_first_without_colours() {
    let first: Vec<Option<u64>> = (0..60).map(|at| Some(20 + at * 3)).collect();
    let second: Vec<Option<u64>> = (0..60).map(|at| Some(180 - at * 2)).collect();
    let [first, second] = [first, second].map(|points| mebibytes(&points));
    let over = Some(Series {
        points: &second,
        ink: Ink::Request,
    });
    let chart = Chart {
        over,
        ..memory(&first)
    };
    for ascii in [false, true] {
        insta::assert_snapshot!(drawn(&chart, 40, 8, ascii));
    }
}

#[test]
fn parts_are_drawn_on_top_of_each_other() {
    let of = |value: fn(u64) -> u64| -> Vec<Option<u64>> {
        mebibytes(&(0..60).map(|at| Some(value(at))).collect::<Vec<_>>())
    };
    let parts = [of(|_| 40), of(|at| at), of(|at| 30 - at / 3), of(|_| 10)];
    let sum: Vec<Option<u64>> = (0..60)
        .map(|at| parts.iter().map(|part| part[at]).sum())
        .collect();
    let inks = [Ink::Cpu, Ink::Memory, Ink::Request, Ink::Muted];
    let parts: Vec<Series<'_>> = parts
        .iter()
        .zip(inks)
        .map(|(points, ink)| Series { points, ink })
        .collect();
    let chart = Chart {
        parts: &parts,
        ..memory(&sum)
    };
    for ascii in [false, true] {
        insta::assert_snapshot!(drawn(&chart, 40, 8, ascii));
    }
    let theme = Theme::new(Depth::None, Ground::Dark, false);
    let samples: Vec<String> = (0..4).map(|part| part_sample(part, &theme)).collect();
    for (at, sample) in samples.iter().enumerate() {
        assert_eq!(samples.iter().position(|other| other == sample), Some(at));
    }
}

#[test]
fn marks_have_a_legend_below() {
    let points = mebibytes(&[Some(100); 60]);
    let of = |step, kind| Mark { step, kind };
    let marks = [
        of(50, MarkKind::Replicas),
        of(20, MarkKind::Rollout),
        of(5, MarkKind::Restart),
        of(6, MarkKind::Restart),
    ];
    let chart = Chart {
        marks: &marks,
        peak: Some(300 * MI),
        ..memory(&points)
    };
    for (ascii, signs, legend) in [
        (false, ['▼', '◆', '±'], "▼ restart  ◆ rollout  ± replicas"),
        (true, ['X', 'R', 'S'], "X restart  R rollout  S replicas"),
    ] {
        let text = drawn(&chart, 60, 6, ascii);
        let (top, last) = (text.lines().next().unwrap(), text.lines().last().unwrap());
        assert!(signs.iter().all(|sign| top.contains(*sign)), "{text}");
        assert!(last.contains(legend), "{text}");
        assert!(!drawn(&chart, 30, 6, ascii).contains("replicas"));
    }
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
        let chart = Chart { lines: &lines, cursor, ..memory(&points) };
        let area = Rect::new(0, 0, columns, rows);
        let theme = Theme::new(Depth::None, Ground::Dark, ascii);
        let [mut all, mut data] = [(); 2].map(|()| Buffer::empty(area));
        chart.render(area, &mut all, &theme);
        let Layout { plot, scale, .. } = chart.layout(area).unwrap();
        let mut raster = Raster::new(plot, &theme);
        chart.series(&mut raster, scale);
        raster.draw(&mut data, &theme);
        for (all, data) in all.content.iter().zip(&data.content) {
            prop_assert!(data.symbol() == " " || all.symbol() == data.symbol());
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
        let other = Series { points: &values, ink: Ink::Request };
        let fewer = Series { points: values.get(1..).unwrap_or_default(), ink: Ink::Cpu };
        for (over, parts) in [(None, &[][..]), (Some(other.clone()), &[]), (None, &[fewer, other])] {
            let marks = [restart(mark)];
            let chart = Chart { lines: &lines, marks: &marks, cursor, over, parts, ..memory(&values) };
            drawn(&chart, columns, rows, ascii);
        }
    }

    #[test]
    fn a_drawn_value_is_within_one_dot_of_the_data(
        level in 0_u64..1 << 50, spread in 1_u64..1 << 50, parts in prop::collection::vec(0_u64..=1_000, 80), rows in 3_u16..20,
    ) {
        let points: Vec<Option<u64>> = parts.iter().map(|part| Some(level + spread / 1_000 * part)).collect();
        let chart = memory(&points);
        // The plot has 40 columns of two dots: one for each point.
        let wide = (40..80).find(|wide| {
            let plot = chart.plot(Rect::new(0, 0, *wide, rows));
            plot.is_some_and(|plot| plot.width == 40)
        });
        let area = Rect::new(0, 0, wide.unwrap(), rows);
        let Layout { plot, scale, .. } = chart.layout(area).unwrap();
        let mut buffer = Buffer::empty(area);
        chart.render(area, &mut buffer, &Theme::new(Depth::None, Ground::Dark, false));
        let dots = usize::from(plot.height) * 4;
        let range = (scale.top() - scale.base()) as f64;
        for (at, value) in points.iter().enumerate() {
            let drawn = (0..dots).filter(|row| has(&buffer, plot, at, *row));
            // The upper edge of a dot is its value. A line has dots that join it to the point before.
            let exact = (value.unwrap() - scale.base()) as f64 / range * dots as f64;
            let off = drawn.map(|row| ((row + 1) as f64 - exact).abs()).fold(f64::MAX, f64::min);
            prop_assert!(off <= 1.0, "{value:?} is {off} dots off in {scale:?}");
        }
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
