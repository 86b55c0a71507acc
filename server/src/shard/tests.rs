use std::net::SocketAddr;
use std::time::Duration;

use kubevitals_proto::kubelet::resource::{ResourceScrape, decode};
use kubevitals_proto::units::Nanocores;
use kubevitals_sim::SimClock;
use serde_json::json;

use std::sync::Arc;

use kubevitals_proto::time::Timestamp;

use super::claim::owner;
use super::inbox::Inbox;
use super::members::Member;
use super::messages::Hello;
use super::shards::Scope;
use super::*;
use crate::clock::Age;
use crate::cluster::testing::Reader;
use crate::scrape::Instants;
use crate::state::StateParts;
use crate::state::wire::Decoder;
use crate::state::wire::{Kind, Writer};
use crate::store::{Retention, ScrapeTimes};

const RESOLUTION: Duration = Duration::from_secs(15);
const NODES: [&str; 4] = ["node-1", "node-2", "node-3", "node-4"];

/// A shard of two, without connections.
fn shard(index: u32, wall: &SimClock) -> Arc<Shards> {
    let settings = Settings {
        index,
        count: Count::Fixed(2),
    };
    let parts = StateParts {
        store: Arc::default(),
        cluster: Arc::default(),
        health: crate::health::Health::unfed(),
        availability: None,
        clock: wall.process(),
        resolution: RESOLUTION,
        max_age: Duration::ZERO,
    };
    parts.cluster.change_nodes(|nodes| {
        for name in NODES {
            let node = Reader::default().node(json!({"metadata": {"name": name}}));
            nodes.insert(name.into(), node);
        }
    });
    let shards = Shards::new(
        settings,
        Arc::new(parts),
        &format!("{index} {}", wall.now().0),
    );
    let scope = Scope {
        before: None,
        ..**shards.scope.load()
    };
    shards.scope.store(Arc::new(scope));
    shards
}

/// Two shards, and a node of the first.
fn pair(wall: &SimClock) -> (Arc<Shards>, Arc<Shards>, &'static str) {
    let node = NODES.into_iter().find(|node| owner(node, 2) == 0);
    (shard(0, wall), shard(1, wall), node.unwrap())
}

/// The first shard scrapes a node twice, `lag` seconds ago by the kubelet's clock.
fn scrape(shards: &Shards, wall: &SimClock, node: &str, lag: i64) {
    let cell = shards.parts.store.add(&node.into(), RESOLUTION);
    for (ago, cpu) in [(15, 1.0), (0, 2.5)] {
        let at = wall.now().as_secs() - lag - ago;
        let body = format!(
            "node_cpu_usage_seconds_total {cpu} {at}000\nnode_memory_working_set_bytes 7 {at}000\n"
        );
        let mut scrape = ResourceScrape::default();
        decode(body.as_bytes(), &mut scrape);
        let (now, names) = (shards.parts.clock.elapsed(), shards.parts.cluster.names());
        let mut series = cell.series();
        series.ingest(&mut scrape, &ScrapeTimes::at(now), names);
        cell.publish(series.latest(&scrape, now, names));
    }
}

/// What a shard answers to the first request of another.
fn answer(shards: &Shards) -> Vec<u8> {
    let request = PeerRequest::Latest {
        since: 0,
        process: String::new(),
    };
    shards.write(&request, Vec::new()).unwrap()
}

/// Applies an answer. Returns why it is refused.
fn apply(shards: &Shards, answer: &[u8], before: Option<Hello>) -> Result<Hello, String> {
    let sent = Instants {
        age: shards.parts.clock.elapsed(),
        wall: shards.parts.clock.wall(),
    };
    let mut inbox = Inbox::new(shards, sent, before);
    let mut decoder = Decoder::default();
    let result = decoder.push(answer, &mut |item| inbox.apply(item));
    match result.and_then(|()| decoder.finish()) {
        Ok(()) => Ok(inbox.hello.unwrap()),
        Err(error) => Err(inbox.refusal.unwrap_or_else(|| error.to_string())),
    }
}

/// The CPU usage of a node, if it has any.
fn cpu(shards: &Shards, node: &str) -> Option<Nanocores> {
    let cells = shards.parts.store.cells();
    let latest = cells.get(node)?.latest()?;
    let now = shards.parts.clock.elapsed();
    let node = latest.node(Retention::of(RESOLUTION), now).ok()?;
    Some(node.usage.cpu)
}

fn refused(shards: &Shards, reason: &'static str) -> u64 {
    shards
        .metrics
        .refused
        .read()
        .get(&[reason])
        .copied()
        .unwrap_or_default()
}

fn wall() -> SimClock {
    SimClock::manual(Timestamp::from_secs(1_800_000_000))
}

#[test]
fn a_shard_stores_what_another_one_reports() {
    let wall = wall();
    let (first, second, node) = pair(&wall);
    scrape(&first, &wall, node, 0);
    apply(&second, &answer(&first), None).unwrap();
    assert_eq!(cpu(&second, node), Some(Nanocores(100_000_000)));
    // It becomes stale at the same time.
    wall.advance(Duration::from_secs(37));
    assert!(cpu(&first, node).is_some() && cpu(&second, node).is_some());
    wall.advance(Duration::from_secs(1));
    assert!(cpu(&first, node).is_none() && cpu(&second, node).is_none());
}

#[test]
fn yesterdays_answer_is_refused() {
    let wall = wall();
    let (first, second, node) = pair(&wall);
    scrape(&first, &wall, node, 0);
    let yesterday = answer(&first);
    wall.advance(Duration::from_secs(86_400));
    let refusal = apply(&second, &yesterday, None).unwrap_err();
    assert!(
        refusal.contains("is dated 2027-01-15T08:00:00Z, 24h0m0s ago"),
        "{refusal}"
    );
    assert_eq!(cpu(&second, node), None);
    // A shard that runs but has not scraped since yesterday.
    apply(&second, &answer(&first), None).unwrap();
    assert_eq!((cpu(&second, node), refused(&second, "stale")), (None, 1));
}

#[test]
fn an_answer_that_is_repeated_is_refused() {
    let wall = wall();
    let (first, second, node) = pair(&wall);
    scrape(&first, &wall, node, 0);
    let earlier = answer(&first);
    wall.advance(Duration::from_secs(20));
    let hello = apply(&second, &answer(&first), None).unwrap();
    let refusal = apply(&second, &earlier, Some(hello)).unwrap_err();
    assert!(refusal.contains("repeated an earlier answer"), "{refusal}");
}

/// A machine that slept believes that it has scraped just now.
#[test]
fn samples_older_than_the_stored_ones_are_dropped() {
    let wall = wall();
    let (first, second, node) = pair(&wall);
    scrape(&first, &wall, node, 0);
    apply(&second, &answer(&first), None).unwrap();
    let other = shard(0, &wall);
    wall.advance(Duration::from_secs(5));
    scrape(&other, &wall, node, 86_400);
    apply(&second, &answer(&other), None).unwrap();
    assert_eq!(refused(&second, "older"), 1);
    let latest = second.parts.store.cells()[node].latest().unwrap();
    let at = latest.node.as_ref().unwrap().usage.at;
    assert_eq!(at, Timestamp::from_secs(1_800_000_000));
}

#[test]
fn a_node_that_two_shards_scrape_counts_once() {
    let wall = wall();
    let (first, _, node) = pair(&wall);
    let rival = shard(0, &wall);
    scrape(&first, &wall, node, 0);
    scrape(&rival, &wall, node, 0);
    apply(&first, &answer(&rival), None).unwrap();
    assert_eq!(refused(&first, "own") + refused(&first, "rival"), 1);
    assert!(
        first.parts.store.cells()[node]
            .snapshot(Age::default())
            .is_some()
    );
}

#[test]
fn the_data_of_an_earlier_server_with_the_same_index_is_not_used() {
    let wall = wall();
    let (earlier, second, node) = pair(&wall);
    wall.advance(Duration::from_secs(1));
    let later = shard(0, &wall);
    let hello = apply(&second, &answer(&later), None).unwrap();
    second.members.lock().0.insert(
        SocketAddr::from(([10, 0, 0, 1], 10250)),
        Member {
            listed: true,
            hello: Some(hello),
            answered: Some(Instants {
                age: second.parts.clock.elapsed(),
                wall: wall.now(),
            }),
            ..Member::default()
        },
    );
    scrape(&earlier, &wall, node, 0);
    apply(&second, &answer(&earlier), None).unwrap();
    assert_eq!((cpu(&second, node), refused(&second, "rival")), (None, 1));
}

#[test]
fn nodes_that_the_api_server_does_not_have_are_not_stored() {
    let wall = wall();
    let (first, second, _) = pair(&wall);
    let foreign = (0..).map(|n| format!("foreign-{n}"));
    let foreign = foreign
        .into_iter()
        .find(|node| owner(node, 2) == 0)
        .unwrap();
    scrape(&first, &wall, &foreign, 0);
    apply(&second, &answer(&first), None).unwrap();
    assert_eq!(refused(&second, "unknown"), 1);
    assert!(second.parts.store.cells().is_empty());
}

#[test]
fn damaged_answers_do_no_harm() {
    let wall = wall();
    let (first, second, node) = pair(&wall);
    scrape(&first, &wall, node, 0);
    let whole = answer(&first);
    for length in 0..whole.len() {
        assert!(apply(&second, &whole[..length], None).is_err(), "{length}");
    }
    let mut writer = Writer::begin(Vec::new(), wall.now()).unwrap();
    for kind in [
        Kind::Report,
        Kind::Probes,
        Kind::Shard,
        Kind::Report,
        Kind::Probes,
    ] {
        writer.frame(kind, &[0xff; 9]).unwrap();
    }
    let (bytes, _) = writer.end().unwrap();
    let refusal = apply(&second, &bytes, None).unwrap_err();
    assert!(
        refusal.contains("does not say which shard it is"),
        "{refusal}"
    );
}
