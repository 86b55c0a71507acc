//! Benchmarks of the history: bytes a point and errors for a recording and for simulations, the memory of large
//! clusters, the time to store and read points, and the top pods of 150,000.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "a measurement that cannot go on ends, and it shares what a test uses"
)]

#[path = "../tests/gates/cluster.rs"]
mod cluster;
#[path = "../tests/feed/mod.rs"]
mod feed;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use feed::{Scrape, age, errors, take};
use kubevitals_server::intern::Interner;
use kubevitals_server::query::{Measure, TopQuery, TopScope};
use kubevitals_server::store::history::Excerpt;
use kubevitals_server::store::ring::Tick;
use kubevitals_server::store::{History, Retention};
use kubevitals_server::work::Cancel;
use kubevitals_sim::Faults;
use tikv_jemalloc_ctl::thread;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Scrapes in an hour.
const HOUR: u32 = 240;

/// The number of simulated nodes; each node of a large cluster is a copy of one of them.
const SIMULATED: u32 = 20;

/// The bytes that this thread has allocated and not freed.
fn allocated() -> usize {
    let allocated = thread::allocatedp::read().unwrap().get();
    (allocated - thread::deallocatedp::read().unwrap().get()) as usize
}

/// Gives the scrapes to so many nodes, those of one after the other, turn by turn as a cluster would; the history, the
/// bytes it takes, and how long it took.
fn fed(nodes: &[Vec<Scrape>], count: usize) -> (History, usize, Duration) {
    let names: Vec<Arc<str>> = (0..count).map(|n| Arc::from(format!("n{n}"))).collect();
    let before = allocated();
    let history = feed::history();
    let all: Vec<_> = names
        .iter()
        .map(|name| history.begin(name).unwrap())
        .collect();
    let began = Instant::now();
    let turns = nodes.iter().map(Vec::len).max().unwrap();
    for turn in 0..turns {
        for (node, scrapes) in all.iter().zip(nodes.iter().cycle()) {
            if let Some(scrape) = scrapes.get(turn) {
                take(node, scrape, turn as u32);
            }
        }
    }
    let took = began.elapsed();
    drop(all);
    let bytes = allocated() - before;
    (history, bytes, took)
}

fn report(what: &str, nodes: &[Vec<Scrape>]) {
    let (history, bytes, _) = fed(nodes, nodes.len());
    let points = history.totals().points;
    let (time, value) = errors(&history, nodes);
    println!(
        "{what}: {points} points, {:.2} bytes a point in total; errors at most {:.1} ms and {:.3} %",
        bytes as f64 / points as f64,
        time as f64 / 1e6,
        value * 100.0
    );
}

fn memory(_: &mut Criterion) {
    let names = Interner::default();
    let recorded = feed::recording(&names);
    report("recording, six minutes", std::slice::from_ref(&recorded));
    report(
        "recording, repeated for an hour",
        &[feed::repeated(&recorded, HOUR as usize)],
    );
    let troubled = feed::simulation(SIMULATED, 30, Faults::Scheduled, HOUR, &names);
    report("simulation, an hour of every fault", &troubled);
    drop(troubled);
    let quiet = feed::simulation(SIMULATED, 30, Faults::None, HOUR, &names);
    report("simulation, an hour of peace", &quiet);
    for nodes in [1000, 5000] {
        let (history, bytes, took) = fed(&quiet, nodes);
        let counts = history.totals();
        println!(
            "an hour of {nodes} nodes of 30 pods: {} series, {} points, {:.1} MiB ({:.1} MiB by its own count), \
             {:.2} bytes a point; fed in {:.2} s, {:.0} ns a point",
            counts.series,
            counts.points,
            bytes as f64 / 1048576.0,
            counts.bytes as f64 / 1048576.0,
            bytes as f64 / counts.points as f64,
            took.as_secs_f64(),
            took.as_nanos() as f64 / counts.points as f64,
        );
        let began = Instant::now();
        history.tidy(age(HOUR));
        println!(
            "  tidied up in {:.1} ms",
            began.elapsed().as_secs_f64() * 1e3
        );
        let began = Instant::now();
        let mut excerpt = Excerpt::default();
        let mut read = 0;
        for (_, node) in history.nodes() {
            node.copy(&mut excerpt, |_| true, Tick::EARLIEST, Tick::LATEST);
            read += excerpt
                .series()
                .map(|series| series.samples().count())
                .sum::<usize>();
        }
        println!(
            "  all {read} points read in {:.2} s",
            began.elapsed().as_secs_f64()
        );
        let mut out = Vec::new();
        let began = Instant::now();
        let mut written = 0;
        let other = feed::history();
        let mut imported = Duration::ZERO;
        for (name, node) in history.nodes() {
            out.clear();
            node.export(&name, age(HOUR), &mut out);
            written += out.len();
            let began = Instant::now();
            other
                .import(&out, Duration::ZERO, age(HOUR), &names)
                .unwrap();
            imported += began.elapsed();
        }
        println!(
            "  exported as {:.1} MiB in {:.2} s, imported in {:.2} s",
            written as f64 / 1048576.0,
            (began.elapsed() - imported).as_secs_f64(),
            imported.as_secs_f64()
        );
    }
}

fn speed(criterion: &mut Criterion) {
    let names = Interner::default();
    let nodes = feed::simulation(1, 30, Faults::None, HOUR, &names);
    let scrapes = feed::repeated(&nodes[0], 1_000_000.min(HOUR as usize * 4));
    let points = scrapes[0].containers.len() as u64 + 1;
    let mut group = criterion.benchmark_group("history of a node");
    group.throughput(Throughput::Elements(points));
    let history = feed::history();
    let node = history.begin(&Arc::from("n0")).unwrap();
    let lasts = i64::try_from(feed::RESOLUTION.as_nanos()).unwrap() * scrapes.len() as i64;
    let mut turn = 0usize;
    group.bench_function("take a scrape", |bencher| {
        bencher.iter_custom(|count| {
            let mut took = Duration::ZERO;
            for _ in 0..count {
                let round = (turn / scrapes.len()) as i64;
                let mut scrape = scrapes[turn % scrapes.len()].clone();
                for it in &mut scrape.containers {
                    it.sample.at = it.sample.at.plus_nanos(round * lasts);
                }
                if let Some(node) = &mut scrape.node {
                    node.at = node.at.plus_nanos(round * lasts);
                }
                let began = Instant::now();
                take(&node, &scrape, turn as u32);
                took += began.elapsed();
                turn += 1;
            }
            took
        });
    });
    let mut excerpt = Excerpt::default();
    group.throughput(Throughput::Elements(node.size().points as u64));
    group.bench_function("read an hour", |bencher| {
        bencher.iter(|| {
            node.copy(&mut excerpt, |_| true, Tick::EARLIEST, Tick::LATEST);
            let all = excerpt.series().flat_map(|series| series.samples());
            black_box(all.map(|sample| sample.cpu.0).sum::<u64>())
        });
    });
    group.bench_function("copy an hour under the lock", |bencher| {
        bencher.iter(|| node.copy(&mut excerpt, |_| true, Tick::EARLIEST, Tick::LATEST));
    });
    group.finish();
}

fn top(criterion: &mut Criterion) {
    let (pods, store) = cluster::large(5000);
    let ranking = TopQuery {
        restarted: pods.values().collect(),
        pods: Arc::new(pods),
        cells: store.cells(),
        history: store.history(),
        retention: Retention::of(feed::RESOLUTION),
        now: age(11),
    };
    let everyone = TopScope {
        namespace: None,
        filter: &|_| true,
        cancel: &Cancel::default(),
    };
    let mut group = criterion.benchmark_group("top 50 of 150,000 pods");
    group.sample_size(20);
    for (name, measure) in [
        ("CPU", Measure::Cpu),
        ("memory", Measure::Memory),
        ("CPU of request", Measure::CpuOfRequest),
        ("memory of limit", Measure::MemoryOfLimit),
        ("restarts", Measure::Restarts),
        ("growth", Measure::MemoryGrowth(Duration::from_secs(120))),
    ] {
        assert_eq!(ranking.pods(measure, 50, &everyone).len(), 50, "{name}");
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(ranking.pods(measure, 50, &everyone)));
        });
    }
    group.finish();
}

criterion_group!(benches, memory, speed, top);
criterion_main!(benches);
