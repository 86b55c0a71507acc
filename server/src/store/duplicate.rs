//! Selects one of several readings with the same name.

use kubevitals_proto::kubelet::resource::{ContainerKey, Reading, ResourceScrape};
use kubevitals_proto::time::Timestamp;

use super::rate::{Bounds, Lack, Pair, Point};

/// Adds an empty reading for each container that has only invalid lines, and replaces each duplicate by the reading that
/// continues its series, or by an empty one. `pair_of` returns the pair of a container, or of the node.
pub(super) fn settle<'k>(
    scrape: &mut ResourceScrape<'_>,
    sent: Timestamp,
    bounds: &Bounds,
    pair_of: impl Fn(Option<&ContainerKey<'_>>) -> Option<&'k Pair>,
) {
    let sorted = scrape.containers.len();
    for key in &scrape.flawed {
        let reported = scrape.containers.get(..sorted).unwrap_or_default();
        if index(reported, key).is_none() {
            scrape.containers.push((*key, Reading::default()));
        }
    }
    if scrape.containers.len() > sorted {
        scrape.containers.sort_unstable_by_key(|(key, _)| *key);
    }
    for duplicate in &scrape.duplicates {
        let key = duplicate.key.as_ref();
        let reading = match key {
            None => Some(&mut scrape.node),
            Some(key) => index(&scrape.containers, key)
                .and_then(|at| scrape.containers.get_mut(at))
                .map(|(_, reading)| reading),
        };
        if let Some(reading) = reading {
            let followed = follow(pair_of(key), &duplicate.candidates, sent, bounds);
            *reading = followed.unwrap_or_default();
        }
    }
}

/// The index of a container.
fn index(containers: &[(ContainerKey<'_>, Reading)], key: &ContainerKey<'_>) -> Option<usize> {
    containers.binary_search_by(|(it, _)| it.cmp(key)).ok()
}

/// Returns the reading that continues a series' last point; without such a reading the newest one. Returns none if the
/// choice is ambiguous, so that two counters are never mixed.
pub(super) fn follow(
    pair: Option<&Pair>,
    candidates: &[Reading],
    sent: Timestamp,
    bounds: &Bounds,
) -> Option<Reading> {
    let whole = candidates
        .iter()
        .filter_map(|reading| Some((reading, Point::whole(reading, sent).ok()?)));
    if let Some(pair) = pair {
        let last = pair.last();
        // The kubelet reports one start time for all duplicates, so the series keeps its own.
        let own_start = (last.start.0 != 0).then_some(last.start.0);
        let with_start = |reading: &Reading| Reading {
            start: own_start,
            ..*reading
        };
        let is_last = |point: &Point| (point.at, point.cpu_ns) == (last.at, last.cpu_ns);
        if let Some((repeated, _)) = whole.clone().find(|(_, point)| is_last(point)) {
            return Some(with_start(repeated));
        }
        let bounds = bounds.likely();
        let mut next_ones = whole
            .clone()
            .filter(|(_, next)| pair.may_continue_with(next, &bounds));
        if let Some((first, _)) = next_ones.next() {
            return next_ones.next().is_none().then(|| with_start(first));
        }
    }
    let newest = whole.clone().map(|(_, point)| point.at).max()?;
    let mut newest = whole.filter(|(_, point)| point.at == newest);
    let (first, _) = newest.next()?;
    newest.next().is_none().then_some(*first)
}

/// What a reading lacks. An invalid or duplicate line is not a missing one.
pub(super) fn lack(
    scrape: &ResourceScrape<'_>,
    key: Option<&ContainerKey<'_>>,
    lack: Lack,
) -> Lack {
    if !matches!(lack, Lack::NoCpu | Lack::NoMemory) {
        return lack;
    }
    let flawed = match key {
        Some(key) => scrape.flawed.binary_search(key).is_ok(),
        None => scrape.node_flawed,
    };
    if is_duplicate(scrape, key) {
        Lack::Duplicate
    } else if flawed {
        Lack::BadLine
    } else {
        lack
    }
}

/// Whether a scrape has different values for one container, or for the node.
pub(super) fn is_duplicate(scrape: &ResourceScrape<'_>, key: Option<&ContainerKey<'_>>) -> bool {
    let found = scrape
        .duplicates
        .binary_search_by(|duplicate| duplicate.key.as_ref().cmp(&key));
    found.is_ok()
}
