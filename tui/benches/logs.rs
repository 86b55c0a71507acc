//! Costs of a page of logs: lines as they arrive, frames, and memory.
//!
//! `cargo bench -p kubevitals --bench logs`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark is a program for its author: it stops where it fails, and prints"
)]

use std::hint::black_box;
use std::time::Instant;

use criterion::Criterion;
use kubevitals::input::KeyMap;
use kubevitals::model::log::{Level, LogBatch, LogLine, Ring, plain_text};
use kubevitals::model::row::{Container, PodRow};
use kubevitals::model::{Action, Batch, Message, SourceKind, State, View, act, apply};
use kubevitals::view;
use kubevitals::view::theme::{Depth, Ground, Theme};
use kubevitals_proto::time::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Lines in a second.
const RATE: usize = 10_000;

/// Batches in a second.
const BATCHES: usize = 20;

const COLUMNS: u16 = 160;
const ROWS: u16 = 50;

fn raw(at: usize) -> String {
    match at % 3 {
        0 => format!(
            r#"{{"ts":"2026-11-21T05:00:00Z","level":"info","msg":"GET /cart 200","ms":{at},"trace":"4bf92f3577b34da6"}}"#
        ),
        1 => format!(
            "E1121 05:00:00.000000       1 server.go:{at}] cannot connect to postgres: connection refused"
        ),
        _ => format!(
            "\u{1b}[33mWARN\u{1b}[0m slow query: {at} ms for SELECT * FROM orders WHERE id = 42"
        ),
    }
}

/// Converts lines as the source does.
fn lines(from: usize, count: usize) -> Vec<LogLine> {
    let line = |at: usize| {
        let text = plain_text(raw(at).as_bytes());
        let nanos = i64::try_from(at).unwrap() * 100_000;
        LogLine {
            time: Some(Timestamp::from_nanos(1_795_237_200_000_000_000 + nanos)),
            level: Level::of(&text),
            text: text.into(),
            ..LogLine::default()
        }
    };
    (from..from + count).map(line).collect()
}

/// The dashboard with an open page of logs.
fn opened() -> State {
    let mut state = State::default();
    let pod = PodRow {
        namespace: "shop".into(),
        name: "web-1".into(),
        containers: [Container {
            name: "app".into(),
            ..Container::default()
        }]
        .into(),
        ..PodRow::default()
    };
    apply(
        &mut state,
        Message::Source(SourceKind::Vitals, String::new()),
    );
    apply(&mut state, Message::Pods(Batch::All(vec![pod])));
    act(&mut state, Action::Resize(COLUMNS, ROWS));
    act(&mut state, Action::Show(View::Pods));
    act(&mut state, Action::Logs(false));
    state
}

fn receive(state: &mut State, lines: Vec<LogLine>) {
    let id = state.text.as_ref().unwrap().id;
    let batch = LogBatch {
        id,
        lines,
        ..LogBatch::default()
    };
    apply(state, Message::Logs(Box::new(batch)));
}

fn frame(state: &State, theme: &Theme, keys: &KeyMap, buffer: &mut Buffer) {
    black_box(view::draw(state, theme, keys, buffer));
}

/// A minute at [`RATE`]: what the source, the loop and the screen take of one CPU, and the memory of the page.
fn minute() {
    let (mut state, theme, keys) = (
        opened(),
        Theme::new(Depth::Indexed, Ground::Dark, false),
        KeyMap::default(),
    );
    let mut buffer = Buffer::empty(Rect::new(0, 0, COLUMNS, ROWS));
    let per_batch = RATE / BATCHES;
    let [mut converting, mut applying, mut drawing] = [0.0; 3];
    let mut most = 0;
    for at in 0..60 * BATCHES {
        let begin = Instant::now();
        let batch = lines(at * per_batch, per_batch);
        converting += begin.elapsed().as_secs_f64();
        let begin = Instant::now();
        receive(&mut state, batch);
        applying += begin.elapsed().as_secs_f64();
        let begin = Instant::now();
        frame(&state, &theme, &keys, &mut buffer);
        drawing += begin.elapsed().as_secs_f64();
        let ring = &state.text.as_ref().unwrap().logs().unwrap().ring;
        most = most.max(ring.bytes());
    }
    let share = |seconds: f64| seconds / 60.0 * 100.0;
    println!(
        "{RATE} lines a second for a minute: {:.2} % of a CPU to convert, {:.2} % to apply, {:.2} % to draw {BATCHES} frames a second; at most {:.1} MiB of lines",
        share(converting),
        share(applying),
        share(drawing),
        most as f64 / f64::from(1 << 20)
    );
}

fn main() {
    minute();
    let mut criterion = Criterion::default().configure_from_args();
    criterion.bench_function("logs/convert 1000 lines", |bench| {
        bench.iter(|| lines(0, 1_000))
    });
    let mut state = opened();
    for at in 0..60 {
        receive(&mut state, lines(at * 1_000, 1_000));
    }
    let (theme, keys) = (
        Theme::new(Depth::Indexed, Ground::Dark, false),
        KeyMap::default(),
    );
    let mut buffer = Buffer::empty(Rect::new(0, 0, COLUMNS, ROWS));
    criterion.bench_function("logs/frame of a full page", |bench| {
        bench.iter(|| frame(&state, &theme, &keys, &mut buffer));
    });
    let mut ring = Ring::default();
    let mut at = 0;
    criterion.bench_function("logs/add 500 lines to a full ring", |bench| {
        bench.iter_batched(
            || {
                at += 500;
                lines(at, 500)
            },
            |batch| ring.add(batch),
            criterion::BatchSize::SmallInput,
        );
    });
    criterion.final_summary();
}
