//! What an hour of history costs, counted by the allocator itself, and how near it is to what was measured: on six real
//! minutes of a kubelet, and on an hour of the simulation.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    reason = "clippy's exemption for tests does not reach the functions that they share"
)]

mod feed;

use std::sync::Arc;

use feed::{Scrape, errors, take};
use kubevitals_server::intern::Interner;
use kubevitals_server::store::History;
use kubevitals_sim::Faults;
use tikv_jemalloc_ctl::thread;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What this thread has allocated, and what of it is in use: bytes.
fn allocated() -> (u64, u64) {
    let allocated = thread::allocatedp::read().unwrap().get();
    let freed = thread::deallocatedp::read().unwrap().get();
    (allocated, allocated - freed)
}

/// Gives all nodes' scrapes to a history; it, and the bytes that it takes.
fn fed(nodes: &[Vec<Scrape>]) -> (History, u64) {
    let names: Vec<Arc<str>> = (0..nodes.len())
        .map(|n| Arc::from(format!("n{n}")))
        .collect();
    let (_, before) = allocated();
    let history = feed::history();
    for (name, scrapes) in names.iter().zip(nodes) {
        let node = history.begin(name).unwrap();
        for (turn, scrape) in (0..).zip(scrapes) {
            take(&node, scrape, turn);
        }
    }
    let (_, after) = allocated();
    (history, after - before)
}

/// Asserts what the design promises, and says what it is.
fn assert_small(what: &str, nodes: &[Vec<Scrape>], most: f64) {
    let (history, bytes) = fed(nodes);
    let counts = history.totals();
    let each = bytes as f64 / counts.points as f64;
    let (time, value) = errors(&history, nodes);
    println!(
        "{what}: {} series, {} points, {bytes} bytes (by its own count {}): {each:.2} bytes a point; \
         errors at most {:.0} ms and {:.3} %",
        counts.series,
        counts.points,
        counts.bytes,
        time as f64 / 1e6,
        value * 100.0,
    );
    assert!(each <= most, "{what}: {each:.2} bytes a point");
    assert!(
        time <= 100_000_000 && value <= 0.005,
        "{what}: {time} ns, {value}"
    );
    // What it says of itself is what the allocator says of it, but for the names, which the scrapes have too.
    let own = counts.bytes - counts.name_bytes;
    let untold = bytes.abs_diff(own as u64);
    assert!(
        untold < 400 + bytes / 50,
        "{what}: {bytes} bytes, and tells of {}",
        own
    );
}

#[test]
fn an_hour_of_the_simulation_takes_less_than_four_bytes_a_point() {
    let names = Interner::default();
    let quiet = feed::simulation(2, 30, Faults::None, 240, &names);
    assert_small("simulation, an hour of peace", &quiet, 2.9);
    // Pods that come and go cost what they cost however few points they have.
    let troubled = feed::simulation(2, 30, Faults::Scheduled, 240, &names);
    assert_small("simulation, an hour of every fault", &troubled, 3.25);
}

#[test]
fn an_hour_of_a_real_kubelet_uses_less_than_four_bytes_a_sample() {
    let names = Interner::default();
    let recorded = feed::recording(&names);
    assert_small(
        "recording, repeated for an hour",
        &[feed::repeated(&recorded, 240)],
        4.0,
    );
    // Six minutes alone are mostly what a series costs before it has many points.
    assert_small("recording, six minutes", &[recorded], 13.0);
}

#[test]
fn in_the_steady_state_a_scrape_allocates_nothing() {
    let names = Interner::default();
    let recorded = feed::repeated(&feed::recording(&names), 600);
    let history = feed::history();
    let node = history.begin(&Arc::from("n0")).unwrap();
    for (turn, scrape) in (0..).zip(&recorded) {
        let (before, _) = allocated();
        take(&node, scrape, turn);
        let (after, _) = allocated();
        // An hour and the block of each series that is too old in part.
        if turn > 400 {
            assert_eq!(after, before, "scrape {turn}");
        }
    }
}
