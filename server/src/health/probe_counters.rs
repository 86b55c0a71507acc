//! The kubelets' counters of probes: the numbers of failed and successful attempts between two readings.
//!
//! There is an entry for every probe of the cluster, so entries are small: a hash of the name, and the numbers that are
//! needed.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash};
use std::sync::Arc;

use kubevitals_proto::kubelet::probes::{ProbeKey, ProbeScrape};
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::ProbeKind;

use super::terminations::is_static;
use crate::cluster::{Pod, Uid, time};

/// A probe of a container of one pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct ProbeId([u32; 2]);

impl ProbeId {
    /// The probe of a container of a pod.
    pub(super) fn of(pod: &Pod, container: &str, kind: ProbeKind) -> Self {
        if is_static(pod) {
            return Self::by_name((&pod.key.namespace, &pod.key.name), container, kind);
        }
        Self::by_uid(pod.uid, container, kind)
    }

    /// The probe of a line. A UID that is not a UUID is the kubelet's UID of a static pod.
    fn of_line(key: &ProbeKey<'_>, uid: Uid) -> Self {
        let kind = key.probe;
        if key.pod_uid.contains('-') {
            return Self::by_uid(uid, &key.container, kind);
        }
        Self::by_name((&key.namespace, &key.pod), &key.container, kind)
    }

    fn by_uid(uid: Uid, container: &str, kind: ProbeKind) -> Self {
        Self::hash((uid, container, kind))
    }

    fn by_name(pod: (&str, &str), container: &str, kind: ProbeKind) -> Self {
        Self::hash((pod, container, kind))
    }

    fn hash(what: impl Hash) -> Self {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(what);
        // Two halves, so that an entry needs no padding.
        Self([(hash >> u32::BITS) as u32, hash as u32])
    }
}

/// The last reading of a probe's counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ProbeReading {
    /// The time of the reading before.
    pub(super) from: Timestamp,
    /// The last reading.
    pub(super) to: Timestamp,
    /// Attempts that failed between the two.
    pub(super) failed: u32,
    /// Attempts that succeeded between the two.
    pub(super) succeeded: u32,
    /// The largest possible number of failures in a row up to the last reading.
    pub(super) run: u32,
    /// The same up to the reading before.
    pub(super) run_before: u32,
    /// The kubelet's count of failures.
    pub(super) failures: u32,
    /// Whether there were successes and no failure.
    pub(super) flawless: bool,
    /// Whether there were failures and no success.
    pub(super) only_failures: bool,
    /// The time of the last reading with new attempts.
    pub(super) moved: Option<Timestamp>,
    /// Whether there was no reading before: the times of the counted attempts are unknown.
    pub(super) first: bool,
}

/// The counters of all nodes.
#[derive(Debug, Default)]
pub(super) struct Counters {
    nodes: HashMap<Arc<str>, NodeReading>,
}

#[derive(Debug)]
struct NodeReading {
    before: Option<Timestamp>,
    at: Timestamp,
    /// Sorted by probe.
    entries: Box<[Entry]>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    id: ProbeId,
    succeeded: u32,
    failed: u32,
    rise_succeeded: u16,
    rise_failed: u16,
    run: u16,
    run_before: u16,
    moved_seconds: u32,
}

impl Counters {
    /// Applies a reading of a node's counters. Returns the probes with new failures, with the kubelet's UIDs of their
    /// pods.
    pub(super) fn apply<'s, 'b>(
        &mut self,
        node: &Arc<str>,
        scrape: &'s ProbeScrape<'b>,
        now: Timestamp,
    ) -> Vec<(&'s ProbeKey<'b>, Uid)> {
        let last = self.nodes.get(node);
        let mut risen = Vec::new();
        let mut entries = Vec::with_capacity(scrape.probes.len());
        for (key, counts) in &scrape.probes {
            let uid = Uid::of(&key.pod_uid);
            let id = ProbeId::of_line(key, uid);
            let count = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
            let (succeeded, failed) = (count(counts.successful), count(counts.failed));
            let mut entry = Entry {
                id,
                succeeded,
                failed,
                ..Entry::default()
            };
            // The times of the attempts in the first reading of a node are unknown. A later new or smaller counter
            // counts from zero: its series is new, or its kubelet restarted.
            if let Some(last) = last {
                let before = last.find(id);
                let (old_succeeded, old_failed) = before
                    .filter(|old| old.succeeded <= succeeded && old.failed <= failed)
                    .map_or((0, 0), |old| (old.succeeded, old.failed));
                entry.rise(succeeded - old_succeeded, failed - old_failed, before, now);
            }
            if entry.rise_failed > 0 {
                risen.push((key, uid));
            }
            entries.push(entry);
        }
        entries.sort_unstable_by_key(|entry| entry.id);
        let reading = NodeReading {
            before: last.map(|last| last.at),
            at: now,
            entries: entries.into(),
        };
        self.nodes.insert(Arc::clone(node), reading);
        risen
    }

    /// The last reading of a probe; none if the node does not report it.
    pub(super) fn of(&self, node: &str, id: ProbeId) -> Option<ProbeReading> {
        let reading = self.nodes.get(node)?;
        let entry = reading.find(id)?;
        Some(ProbeReading {
            from: reading.before.unwrap_or(reading.at),
            to: reading.at,
            failed: entry.rise_failed.into(),
            succeeded: entry.rise_succeeded.into(),
            run: entry.run.into(),
            run_before: entry.run_before.into(),
            failures: entry.failed,
            flawless: entry.failed == 0 && entry.succeeded > 0,
            only_failures: entry.failed > 0 && entry.succeeded == 0,
            moved: time(entry.moved_seconds),
            first: reading.before.is_none(),
        })
    }

    /// Removes a node.
    pub(super) fn remove(&mut self, node: &str) {
        self.nodes.remove(node);
    }

    /// The number of probes.
    pub(super) fn len(&self) -> usize {
        self.nodes
            .values()
            .map(|reading| reading.entries.len())
            .sum()
    }
}

impl NodeReading {
    fn find(&self, id: ProbeId) -> Option<&Entry> {
        let at = self.entries.binary_search_by_key(&id, |entry| entry.id);
        self.entries.get(at.ok()?)
    }
}

impl Entry {
    fn rise(&mut self, succeeded: u32, failed: u32, before: Option<&Self>, now: Timestamp) {
        let small = |count: u32| u16::try_from(count).unwrap_or(u16::MAX);
        self.rise_succeeded = small(succeeded);
        self.rise_failed = small(failed);
        self.run_before = before.map_or(0, |before| before.run);
        self.run = match (succeeded, failed) {
            (0, failed) => self.run_before.saturating_add(small(failed)),
            // The order of the attempts is unknown: at most all failures came last.
            (_, failed) => small(failed),
        };
        self.moved_seconds = if succeeded + failed > 0 {
            u32::try_from(now.as_secs()).unwrap_or_default()
        } else {
            before.map_or(0, |before| before.moved_seconds)
        };
    }
}

#[cfg(test)]
mod tests {
    use kubevitals_proto::kubelet::probes::decode;

    use super::*;

    const UID: &str = "e92829ba-e786-415c-9c86-fd7f0a91bdaf";

    fn page(succeeded: u64, failed: u64) -> String {
        let line = |result: &str, count: u64| {
            format!(
                "prober_probe_total{{container=\"c\",namespace=\"n\",pod=\"p\",pod_uid=\"{UID}\",probe_type=\"Liveness\",result=\"{result}\"}} {count}\n"
            )
        };
        line("successful", succeeded) + &line("failed", failed)
    }

    /// Reads counters with these successes and failures at 60, 120, … s.
    fn readings(counts: &[(u64, u64)]) -> (Counters, Option<ProbeReading>) {
        let (mut counters, node) = (Counters::default(), Arc::from("node"));
        for (nth, (succeeded, failed)) in (1..).zip(counts) {
            let page = page(*succeeded, *failed);
            counters.apply(
                &node,
                &decode(page.as_bytes()),
                Timestamp::from_secs(60 * nth),
            );
        }
        let id = ProbeId::by_uid(Uid::of(UID), "c", ProbeKind::Liveness);
        let seen = counters.of("node", id);
        (counters, seen)
    }

    #[test]
    fn first_reading_has_no_rise() {
        let seen = readings(&[(7, 3)]).1.unwrap();
        assert_eq!((seen.failed, seen.succeeded, seen.run), (0, 0, 0));
        assert!(seen.first && !seen.flawless && seen.moved.is_none());
        assert!(readings(&[(7, 0)]).1.unwrap().flawless);
    }

    #[test]
    fn failures_without_a_success_between_them_are_in_a_row() {
        let seen = readings(&[(7, 0), (7, 2), (7, 5)]).1.unwrap();
        assert_eq!((seen.failed, seen.run, seen.run_before), (3, 5, 2));
        let seen = readings(&[(7, 0), (7, 2), (9, 3)]).1.unwrap();
        assert_eq!((seen.failed, seen.run, seen.run_before), (1, 1, 2));
        let seen = readings(&[(7, 0), (7, 2), (9, 2)]).1.unwrap();
        assert_eq!((seen.failed, seen.succeeded, seen.run), (0, 2, 0));
    }

    #[test]
    fn counters_that_restart_count_from_zero() {
        let seen = readings(&[(700, 30), (4, 1)]).1.unwrap();
        assert_eq!((seen.succeeded, seen.failed), (4, 1));
    }

    #[test]
    fn reading_without_attempts_does_not_move() {
        let seen = readings(&[(7, 0), (8, 0), (8, 0)]).1.unwrap();
        assert_eq!(seen.moved, Some(Timestamp::from_secs(120)));
        assert_eq!(seen.from, Timestamp::from_secs(120));
        assert_eq!(seen.to, Timestamp::from_secs(180));
    }

    #[test]
    fn a_probe_takes_thirty_two_bytes() {
        assert!(size_of::<Entry>() <= 32, "{}", size_of::<Entry>());
        assert_eq!(readings(&[(1, 0)]).0.len(), 1);
    }
}
