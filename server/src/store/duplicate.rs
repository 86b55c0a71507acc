//! Which of several readings with one name is to be followed.

use kubevitals_proto::kubelet::resource::{ContainerKey, Reading, ResourceScrape};
use kubevitals_proto::time::Timestamp;

use super::rate::{Bounds, Lack, Pair, Point};

/// Gives each container with a line a reading, if it be an empty one, and each that was told more than once the one
/// that is followed, or an empty one. `known` has the pairs so far, by container or of the node.
pub(super) fn settle<'k>(
    scrape: &mut ResourceScrape<'_>,
    sent: Timestamp,
    bounds: &Bounds,
    known: impl Fn(Option<&ContainerKey<'_>>) -> Option<&'k Pair>,
) {
    let told = scrape.containers.len();
    for key in &scrape.flawed {
        let known = scrape.containers.get(..told).unwrap_or_default();
        if place(known, key).is_none() {
            scrape.containers.push((*key, Reading::default()));
        }
    }
    if scrape.containers.len() > told {
        scrape.containers.sort_unstable_by_key(|(key, _)| *key);
    }
    for duplicate in &scrape.duplicates {
        let key = duplicate.key.as_ref();
        let reading = match key {
            None => Some(&mut scrape.node),
            Some(key) => place(&scrape.containers, key)
                .and_then(|at| scrape.containers.get_mut(at))
                .map(|(_, reading)| reading),
        };
        if let Some(reading) = reading {
            let followed = follow(known(key), &duplicate.candidates, sent, bounds);
            *reading = followed.unwrap_or_default();
        }
    }
}

/// Where a container is.
fn place(containers: &[(ContainerKey<'_>, Reading)], key: &ContainerKey<'_>) -> Option<usize> {
    containers.binary_search_by(|(it, _)| it.cmp(key)).ok()
}

/// The reading that goes on from a series' last point, or the newest one where there is no series, or none goes on.
/// Nothing where more than one may go on, or none is the newest: it is better to know nothing than to mix two counters.
pub(super) fn follow(
    known: Option<&Pair>,
    candidates: &[Reading],
    sent: Timestamp,
    bounds: &Bounds,
) -> Option<Reading> {
    let whole = candidates
        .iter()
        .filter_map(|reading| Some((reading, Point::whole(reading, sent).ok()?)));
    if let Some(pair) = known {
        let last = pair.last();
        // The kubelet prints one start, of whichever it is: what goes on has the start that it had.
        let known_start = (last.start.0 != 0).then_some(last.start.0);
        let with_start = |reading: &Reading| Reading {
            start: known_start,
            ..*reading
        };
        let is_last = |point: &Point| (point.at, point.cpu_ns) == (last.at, last.cpu_ns);
        if let Some((repeated, _)) = whole.clone().find(|(_, point)| is_last(point)) {
            return Some(with_start(repeated));
        }
        let bounds = bounds.likely();
        let mut going_on = whole
            .clone()
            .filter(|(_, next)| pair.may_continue_with(next, &bounds));
        if let Some((first, _)) = going_on.next() {
            return going_on.next().is_none().then(|| with_start(first));
        }
    }
    let newest = whole.clone().map(|(_, point)| point.at).max()?;
    let mut newest = whole.filter(|(_, point)| point.at == newest);
    let (first, _) = newest.next()?;
    newest.next().is_none().then_some(*first)
}

/// What a reading lacks, told more exactly where the scrape knows more: a line that is there is not missing.
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

/// Whether a scrape holds different figures of one container, or of the node.
pub(super) fn is_duplicate(scrape: &ResourceScrape<'_>, key: Option<&ContainerKey<'_>>) -> bool {
    let found = scrape
        .duplicates
        .binary_search_by(|duplicate| duplicate.key.as_ref().cmp(&key));
    found.is_ok()
}
