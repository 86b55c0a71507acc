//! Costs of the dashboard: frames of each view, keys, typing a filter, bytes per frame, and memory.
//!
//! `cargo bench -p kubevitals --bench dashboard`. `VITALS_BENCH_CLUSTERS`
//! (`vitals:300,metrics:20000,vitals:30000,vitals:150000`: source and pods) sets the clusters.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark is a program for its author: it stops where it fails, and prints"
)]

#[path = "../tests/it/shop.rs"]
#[allow(dead_code, reason = "tests use all of the shop, this uses a part")]
mod shop;

use std::cell::Cell;
use std::hint::black_box;
use std::io::{self, Write};
use std::rc::Rc;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion};
use kubevitals::input::KeyMap;
use kubevitals::model::{Action, Edit, MapAction, Row as _, SourceKind, State, View, act, refresh};
use kubevitals::view;
use kubevitals::view::theme::{Depth, Ground, Theme};
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

use shop::Shop;

const COLUMNS: u16 = 160;
const ROWS: u16 = 50;
const PODS_PER_NODE: usize = 30;

/// The views whose frames are measured.
const VIEWS: [View; 11] = View::SWITCHABLE;

fn clusters() -> Vec<(SourceKind, usize)> {
    let clusters = std::env::var("VITALS_BENCH_CLUSTERS")
        .unwrap_or_else(|_| "vitals:300,metrics:20000,vitals:30000,vitals:150000".to_owned());
    let cluster = |text: &str| {
        let (source, pods) = text.split_once(':').unwrap();
        let kinds = [SourceKind::Vitals, SourceKind::Metrics, SourceKind::None];
        let kind = kinds.into_iter().find(|kind| kind.to_string() == source);
        (kind.unwrap(), pods.parse().unwrap())
    };
    clusters.split(',').map(cluster).collect()
}

fn theme() -> Theme {
    Theme::new(Depth::Indexed, Ground::Dark, false)
}

fn state(pods: usize, source: SourceKind) -> State {
    let shop = Shop {
        nodes: pods / PODS_PER_NODE,
        pods_per_node: PODS_PER_NODE,
    };
    let mut state = shop.state(State::default(), source);
    act(&mut state, Action::Resize(COLUMNS, ROWS));
    state
}

/// Draws a frame into a buffer, without encoding it for the terminal.
fn frame(state: &mut State, keys: &KeyMap, buffer: &mut Buffer) {
    refresh(state);
    buffer.reset();
    black_box(view::draw(state, &theme(), keys, buffer));
}

fn frames(criterion: &mut Criterion, pods: &str, state: &State) {
    let keys = KeyMap::default();
    let mut buffer = Buffer::empty(Rect::new(0, 0, COLUMNS, ROWS));
    let mut group = criterion.benchmark_group("frame");
    for view in VIEWS {
        let mut state = state.clone();
        act(&mut state, Action::Show(view));
        refresh(&mut state);
        group.bench_function(BenchmarkId::new(view.title(), pods), |bencher| {
            bencher.iter(|| frame(&mut state, &keys, &mut buffer));
        });
    }
}

fn keys(criterion: &mut Criterion, pods: &str, state: &State) {
    let keys = KeyMap::default();
    let mut buffer = Buffer::empty(Rect::new(0, 0, COLUMNS, ROWS));
    let mut group = criterion.benchmark_group("key to frame");
    let mut state = state.clone();
    act(&mut state, Action::Show(View::Pods));
    refresh(&mut state);
    let mut down = false;
    group.bench_function(BenchmarkId::new("down and up", pods), |bencher| {
        bencher.iter(|| {
            down = !down;
            act(&mut state, Action::Move(if down { 1 } else { -1 }));
            frame(&mut state, &keys, &mut buffer);
        });
    });
    act(&mut state, Action::Show(View::Map));
    let mut right = false;
    group.bench_function(
        BenchmarkId::new("right and left on the map", pods),
        |bencher| {
            bencher.iter(|| {
                right = !right;
                let cells = if right { 1 } else { -1 };
                act(&mut state, Action::Map(MapAction::Across(cells)));
                frame(&mut state, &keys, &mut buffer);
            });
        },
    );
    act(&mut state, Action::Show(View::Pods));
    refresh(&mut state);
    let mut sorted = false;
    group.bench_function(BenchmarkId::new("sort", pods), |bencher| {
        bencher.iter(|| {
            sorted = !sorted;
            let field = if sorted {
                kubevitals::model::Field::Memory
            } else {
                kubevitals::model::Field::Name
            };
            act(&mut state, Action::SortBy(field));
            frame(&mut state, &keys, &mut buffer);
        });
    });
    act(&mut state, Action::Filter);
    act(
        &mut state,
        Action::Edit(Edit::Insert("web cpu>10m".to_owned())),
    );
    group.bench_function(
        BenchmarkId::new("a letter of the filter", pods),
        |bencher| {
            bencher.iter(|| {
                act(&mut state, Action::Edit(Edit::Insert("0".to_owned())));
                frame(&mut state, &keys, &mut buffer);
                act(&mut state, Action::Edit(Edit::Backspace));
            });
        },
    );
}

/// Frames with everything that charts can show, and of tables whose sparklines have to be summed again.
fn charts(criterion: &mut Criterion, pods: &str, state: &State) {
    let keys = KeyMap::default();
    let mut buffer = Buffer::empty(Rect::new(0, 0, COLUMNS, ROWS));
    let mut group = criterion.benchmark_group("charts");
    let mut page = state.clone();
    act(&mut page, Action::Show(View::Pods));
    act(&mut page, Action::Enter);
    for name in ["usage", "shares", "earlier", "containers"] {
        page.pointed = Some(page.now.plus_nanos(-300_000_000_000));
        group.bench_function(BenchmarkId::new(format!("pod, {name}"), pods), |bencher| {
            bencher.iter(|| frame(&mut page, &keys, &mut buffer));
        });
        act(&mut page, Action::LayOver);
    }
    let mut node = state.clone();
    act(&mut node, Action::Show(View::Nodes));
    act(&mut node, Action::Enter);
    group.bench_function(BenchmarkId::new("pods of a node", pods), |bencher| {
        bencher.iter(|| frame(&mut node, &keys, &mut buffer));
    });
    for view in [View::Workloads, View::Namespaces] {
        let mut state = state.clone();
        act(&mut state, Action::Show(view));
        let name = format!("sums again, {}", view.title());
        group.bench_function(BenchmarkId::new(name, pods), |bencher| {
            bencher.iter(|| {
                state.now = state.now.plus_nanos(10_000_000_000);
                frame(&mut state, &keys, &mut buffer);
            });
        });
    }
}

/// A frame after a change of one pod, for which the list is sorted again; and a pause, which makes a snapshot.
fn changes(criterion: &mut Criterion, pods: &str, state: &State) {
    let keys = KeyMap::default();
    let mut buffer = Buffer::empty(Rect::new(0, 0, COLUMNS, ROWS));
    let mut group = criterion.benchmark_group("something has changed");
    let mut state = state.clone();
    act(&mut state, Action::Show(View::Pods));
    let key = state.live.pods.rows()[0].key();
    group.bench_function(BenchmarkId::new("a frame", pods), |bencher| {
        bencher.iter(|| {
            state.live.pods.get_mut(&key).unwrap().uid += 1;
            frame(&mut state, &keys, &mut buffer);
        });
    });
    group.bench_function(BenchmarkId::new("pause and go on", pods), |bencher| {
        bencher.iter(|| {
            act(&mut state, Action::Pause);
            act(&mut state, Action::Pause);
        });
    });
}

/// Counts the bytes for the terminal.
#[derive(Clone, Default)]
struct Counted(Rc<Cell<u64>>);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.set(self.0.get() + bytes.len() as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Bytes of the first frame, and of a frame with new usage of every pod.
fn bytes(pods: usize) -> (u64, u64) {
    let shop = Shop {
        nodes: pods / PODS_PER_NODE,
        pods_per_node: PODS_PER_NODE,
    };
    let keys = KeyMap::default();
    let counted = Counted::default();
    let viewport = Viewport::Fixed(Rect::new(0, 0, COLUMNS, ROWS));
    let backend = CrosstermBackend::new(counted.clone());
    let mut terminal = Terminal::with_options(backend, TerminalOptions { viewport }).unwrap();
    let mut state = state(pods, SourceKind::Vitals);
    act(&mut state, Action::Show(View::Pods));
    let mut draw = |state: &mut State| {
        refresh(state);
        let drawn = terminal.draw(|frame| {
            view::draw(state, &theme(), &keys, frame.buffer_mut());
        });
        drawn.unwrap();
        counted.0.replace(0)
    };
    let first = draw(&mut state);
    let mut state = shop.later(state, 15);
    (first, draw(&mut state))
}

/// Resident memory of this process, in MiB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    let kibibytes: f64 = line
        .trim()
        .strip_suffix(" kB")
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    kibibytes / 1024.0
}

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .sample_size(20)
        .configure_from_args();
    println!("frames of {COLUMNS}×{ROWS}, {PODS_PER_NODE} pods a node");
    for (source, pods) in clusters() {
        let before = resident();
        let state_of_cluster = state(pods, source);
        let name = format!("{pods}, {source}");
        println!("{name}: the state takes {:.1} MiB", resident() - before);
        frames(&mut criterion, &name, &state_of_cluster);
        keys(&mut criterion, &name, &state_of_cluster);
        charts(&mut criterion, &name, &state_of_cluster);
        changes(&mut criterion, &name, &state_of_cluster);
        drop(state_of_cluster);
        let (first, next) = bytes(pods);
        println!(
            "{pods} pods: the first frame is {first} bytes, one with all usage changed {next}"
        );
    }
    criterion.final_summary();
}
