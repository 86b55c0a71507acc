//! Remote write: to a receiver that checks the specification, and to real engines.

mod backfill;
mod engine;
mod engines;
mod receiver;
mod ring;
mod sender;
mod series;

use std::time::Duration;

use kubevitals_proto::clock::system_time;
use kubevitals_server::config::{Flags, Invocation, Settings};
use kubevitals_sim::{Config, Faults, SimClock};

use crate::harness::{Harness, counted, wait_until};

/// Adds flags of remote write to the settings.
pub(crate) fn export(settings: &mut Settings, flags: &[String]) {
    let words = ["vitals-server"].iter().map(ToString::to_string);
    let words = words.chain(flags.iter().cloned()).map(Into::into);
    let Ok(Invocation::Serve(flags)) = Flags::read(words) else {
        panic!("the flags are valid: {flags:?}");
    };
    settings.state = flags.state.settings().or(settings.state.take());
    settings.export = flags.export.settings().expect("they can be used");
}

/// A small cluster an hour and a half ago: a receiver refuses samples of the future.
pub(super) fn config(nodes: u32, faults: Faults) -> Config {
    let start = system_time().plus_nanos(-5400 * 1_000_000_000);
    Config {
        nodes,
        pods_per_node: 6,
        faults,
        clock: Some(SimClock::manual(start)),
        ..Config::default()
    }
}

async fn rounds(harness: &Harness) -> u64 {
    let name = "kubevitals_remote_write_rounds_total";
    counted(&harness.cluster, &harness.server, name).await
}

/// Moves the clock one resolution on, by the time between two rounds. Each scrape is collected before the next of its
/// node: it is over before the next part begins, and that has a round.
pub(super) async fn step(harness: &Harness, nodes: u64) {
    let before = harness.scraped();
    for _ in 0..3 {
        let last = rounds(harness).await;
        harness.clock.advance(Duration::from_secs(5));
        harness.due_scrapes().await;
        wait_until("there was a round", async || rounds(harness).await > last).await;
    }
    wait_until("every node was scraped once more", async || {
        harness.scraped() >= before + nodes
    })
    .await;
}
