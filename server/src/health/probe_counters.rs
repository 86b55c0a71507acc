//! What the kubelets' counters of probes tell: between two looks, how many attempts failed and how many did not.
//!
//! Kept for every probe of the cluster, so it is small: a hash for the name, and no more than what is asked for.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use kubevitals_proto::kubelet::probes::{ProbeKey, ProbeScrape, ProbeType};
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::ProbeKind;

use super::terminations::{is_static, time};
use crate::cluster::{Pod, Uid};

/// A probe of a container of one pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ProbeId(u64);

impl ProbeId {
    /// Of a container of a pod.
    pub(super) fn of(pod: &Pod, container: &str, kind: ProbeKind) -> Self {
        if is_static(pod) {
            return Self::by_name((&pod.key.namespace, &pod.key.name), container, kind);
        }
        Self::by_uid(pod.uid, container, kind)
    }

    /// Of a line: a UID that is no UUID is a kubelet's own, of a pod of its own manifests.
    fn of_line(key: &ProbeKey<'_>, uid: Uid) -> Self {
        let kind = kind(key.probe);
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
        let mut hasher = DefaultHasher::new();
        what.hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// What the last look at a probe's counters told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    /// The look before.
    pub(super) from: Timestamp,
    /// The last look.
    pub(super) to: Timestamp,
    /// Attempts that failed between the two.
    pub(super) failed: u32,
    /// Attempts that succeeded between the two.
    pub(super) succeeded: u32,
    /// Attempts that failed in a row up to the last look, at most.
    pub(super) run: u32,
    /// The same up to the look before.
    pub(super) run_before: u32,
    /// All failures the kubelet counted.
    pub(super) failures: u32,
    /// Whether there were successes, and never a failure.
    pub(super) flawless: bool,
    /// Whether there were failures, and never a success.
    pub(super) only_failures: bool,
    /// The last look that found more attempts than the one before.
    pub(super) moved: Option<Timestamp>,
    /// Whether there was no look before: what is counted happened at some time.
    pub(super) first: bool,
}

/// The counters of all nodes.
#[derive(Debug, Default)]
pub(super) struct Counters {
    nodes: HashMap<Arc<str>, Look>,
}

#[derive(Debug)]
struct Look {
    before: Option<Timestamp>,
    at: Timestamp,
    /// Sorted by probe.
    entries: Box<[Entry]>,
}

#[derive(Debug, Clone, Copy)]
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
    /// Takes in a look at a node's counters; the probes whose failures rose since the one before, with the UIDs of their
    /// pods as the kubelet has them.
    pub(super) fn look<'s, 'b>(
        &mut self,
        node: &Arc<str>,
        scrape: &'s ProbeScrape<'b>,
        now: Timestamp,
    ) -> Vec<(&'s ProbeKey<'b>, Uid)> {
        let known = self.nodes.get(node);
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
                rise_succeeded: 0,
                rise_failed: 0,
                run: 0,
                run_before: 0,
                moved_seconds: 0,
            };
            // At the first look at a node nobody knows when what is counted happened. Later, what was not there
            // before, or counts less, has been counted since: its series is new, or its kubelet.
            if let Some(known) = known {
                let before = known.find(id);
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
        let look = Look {
            before: known.map(|known| known.at),
            at: now,
            entries: entries.into(),
        };
        self.nodes.insert(Arc::clone(node), look);
        risen
    }

    /// What the last look at a node told of one of its probes; nothing if it told nothing of it.
    pub(super) fn of(&self, node: &str, id: ProbeId) -> Option<Seen> {
        let look = self.nodes.get(node)?;
        let entry = look.find(id)?;
        Some(Seen {
            from: look.before.unwrap_or(look.at),
            to: look.at,
            failed: entry.rise_failed.into(),
            succeeded: entry.rise_succeeded.into(),
            run: entry.run.into(),
            run_before: entry.run_before.into(),
            failures: entry.failed,
            flawless: entry.failed == 0 && entry.succeeded > 0,
            only_failures: entry.failed > 0 && entry.succeeded == 0,
            moved: time(entry.moved_seconds),
            first: look.before.is_none(),
        })
    }

    /// Forgets a node.
    pub(super) fn forget(&mut self, node: &str) {
        self.nodes.remove(node);
    }

    /// How many probes are known.
    pub(super) fn len(&self) -> usize {
        self.nodes.values().map(|look| look.entries.len()).sum()
    }
}

impl Look {
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
            // In which order they came is not told: at most all that failed came last.
            (_, failed) => small(failed),
        };
        self.moved_seconds = if succeeded + failed > 0 {
            u32::try_from(now.as_secs()).unwrap_or_default()
        } else {
            before.map_or(0, |before| before.moved_seconds)
        };
    }
}

/// The API's name for what the kubelet calls it.
fn kind(probe: ProbeType) -> ProbeKind {
    match probe {
        ProbeType::Liveness => ProbeKind::Liveness,
        ProbeType::Readiness => ProbeKind::Readiness,
        ProbeType::Startup => ProbeKind::Startup,
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

    /// Looks at 60, 120, … s at counters with so many successes and failures.
    fn looks(counts: &[(u64, u64)]) -> (Counters, Option<Seen>) {
        let (mut counters, node) = (Counters::default(), Arc::from("node"));
        for (nth, (succeeded, failed)) in (1..).zip(counts) {
            let page = page(*succeeded, *failed);
            counters.look(
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
    fn the_first_look_tells_no_rise() {
        let seen = looks(&[(7, 3)]).1.unwrap();
        assert_eq!((seen.failed, seen.succeeded, seen.run), (0, 0, 0));
        assert!(seen.first && !seen.flawless && seen.moved.is_none());
        assert!(looks(&[(7, 0)]).1.unwrap().flawless);
    }

    #[test]
    fn failures_without_a_success_between_them_are_in_a_row() {
        let seen = looks(&[(7, 0), (7, 2), (7, 5)]).1.unwrap();
        assert_eq!((seen.failed, seen.run, seen.run_before), (3, 5, 2));
        let seen = looks(&[(7, 0), (7, 2), (9, 3)]).1.unwrap();
        assert_eq!((seen.failed, seen.run, seen.run_before), (1, 1, 2));
        let seen = looks(&[(7, 0), (7, 2), (9, 2)]).1.unwrap();
        assert_eq!((seen.failed, seen.succeeded, seen.run), (0, 2, 0));
    }

    #[test]
    fn counters_that_begin_again_count_from_nothing() {
        let seen = looks(&[(700, 30), (4, 1)]).1.unwrap();
        assert_eq!((seen.succeeded, seen.failed), (4, 1));
    }

    #[test]
    fn a_probe_that_is_not_tried_does_not_move() {
        let seen = looks(&[(7, 0), (8, 0), (8, 0)]).1.unwrap();
        assert_eq!(seen.moved, Some(Timestamp::from_secs(120)));
        assert_eq!(seen.from, Timestamp::from_secs(120));
        assert_eq!(seen.to, Timestamp::from_secs(180));
    }

    #[test]
    fn a_probe_takes_thirty_two_bytes() {
        assert!(size_of::<Entry>() <= 32, "{}", size_of::<Entry>());
        assert_eq!(looks(&[(1, 0)]).0.len(), 1);
    }
}
