//! What the latest usage of a node costs, counted by the allocator itself: bytes for each container, and the memory that
//! a scrape allocates.

use std::fmt::Write as _;
use std::time::Duration;

use kubevitals_proto::kubelet::resource::{ResourceScrape, decode};
use kubevitals_server::clock::Age;
use kubevitals_server::intern::Interner;
use kubevitals_server::store::{NodeCell, ScrapeTimes};
use tikv_jemalloc_ctl::thread;

const RESOLUTION: Duration = Duration::from_secs(15);
const PODS: usize = 30;
pub const CONTAINERS: usize = 45;

/// The bytes that this thread has allocated and not freed.
pub fn in_use() -> u64 {
    crate::allocated() - thread::deallocatedp::read().unwrap().get()
}

/// The bytes that this thread has allocated, and those of them that are in use.
fn allocated() -> (u64, u64) {
    (crate::allocated(), in_use())
}

/// The page of a scrape: every second pod has a sidecar.
pub fn page(turn: u64) -> String {
    let at = 1_800_000_000_000 + turn * 15_000;
    let mut page = String::new();
    for (metric, value) in [
        ("container_cpu_usage_seconds_total", 100 + turn),
        ("container_memory_working_set_bytes", 17_391_616),
    ] {
        for container in ["mesh-proxy", "web"] {
            let step = if container == "web" { 1 } else { 2 };
            for pod in (0..PODS).step_by(step) {
                let labels = format!(
                    r#"{{container="{container}",namespace="shop",pod="web-7dbd77488b-{pod:05}"}}"#
                );
                writeln!(page, "{metric}{labels} {value} {at}").unwrap();
            }
        }
    }
    writeln!(page, "node_cpu_usage_seconds_total {turn} {at}").unwrap();
    writeln!(page, "node_memory_working_set_bytes 5 {at}").unwrap();
    page
}

/// Ingests and publishes a scrape. Returns the bytes that were allocated for it, without decoding.
fn scrape(cell: &NodeCell, names: &Interner, turn: u64) -> u64 {
    let (page, now) = (page(turn), Age::from_elapsed(RESOLUTION * turn as u32));
    let mut scrape = ResourceScrape::default();
    decode(page.as_bytes(), &mut scrape);
    assert_eq!(scrape.containers.len(), CONTAINERS);
    let (before, _) = allocated();
    let mut series = cell.series();
    series.ingest(&mut scrape, &ScrapeTimes::at(now), names);
    cell.publish(series.latest(&scrape, now, names));
    let (after, _) = allocated();
    after - before
}

#[test]
fn the_usage_of_a_container_takes_less_than_180_bytes() {
    let names = Interner::default();
    // The names are those of the watches.
    let interned = NodeCell::new(RESOLUTION);
    scrape(&interned, &names, 0);
    let (_, before) = allocated();
    let cell = NodeCell::new(RESOLUTION);
    for turn in 1..5 {
        scrape(&cell, &names, turn);
    }
    let (_, after) = allocated();
    let each = (after - before) / CONTAINERS as u64;
    println!("{each} bytes a container");
    assert!(each < 180, "{each} bytes a container");
    let latest = cell.latest().unwrap();
    assert_eq!(latest.containers.len(), CONTAINERS);
}

#[test]
fn a_scrape_allocates_what_it_publishes_and_little_more() {
    let (names, cell) = (Interner::default(), NodeCell::new(RESOLUTION));
    for turn in 1..5 {
        scrape(&cell, &names, turn);
    }
    let (_, before) = allocated();
    let each = scrape(&cell, &names, 5);
    let (_, after) = allocated();
    println!("{each} bytes a scrape");
    assert!(each < 9_000, "{each} bytes");
    assert_eq!(after, before, "the memory does not grow");
}
