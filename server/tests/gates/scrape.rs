//! A scrape of a node in the steady state, without the network: decode the page, ingest it, publish the usage, and append
//! it to the history.

use std::sync::Arc;

use kubevitals_proto::kubelet::resource::{ResourceScrape, decode};
use kubevitals_server::cluster::Binding;
use kubevitals_server::intern::Interner;
use kubevitals_server::store::{History, NodeCell, ScrapeTimes};

use super::callgrind;
use super::cluster::{self, RESOLUTION, age};
use super::usage::{CONTAINERS, page};

/// The scrapes before the first that counts.
const BEFORE: u32 = 8;

#[test]
#[ignore = "a workload"]
fn scrapes() {
    let pages: Vec<String> = (0..BEFORE + callgrind::MOST_UNITS as u32)
        .map(|turn| page(turn.into()))
        .collect();
    let (names, cell) = (Interner::default(), NodeCell::new(RESOLUTION));
    let history = History::new(cluster::history());
    let history = history.begin(&Arc::from("node")).unwrap();
    let turns = BEFORE as usize + callgrind::units() as usize;
    for (turn, page) in (0..).zip(pages.iter().take(turns)) {
        let now = age(turn);
        let mut scrape = ResourceScrape::default();
        decode(page.as_bytes(), &mut scrape);
        let mut series = cell.series();
        series.ingest(&mut scrape, &ScrapeTimes::at(now), &names);
        cell.publish(series.latest(&scrape, now, &names));
        let (node, containers) = series.readings(&scrape);
        history.take(now, node, containers, |_| Binding::Unknown);
    }
    assert_eq!(cell.latest().unwrap().containers.len(), CONTAINERS);
}

#[test]
fn a_scraped_container_takes_few_instructions() {
    callgrind::assert_each("scrape::scrapes", CONTAINERS as u64, 45_000);
}
