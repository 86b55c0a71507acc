//! Tests of the history.

mod bounds;

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use proptest::prelude::*;

use super::*;
use crate::clock::Age;
use crate::cluster::{Binding, Uid};
use crate::intern::Interner;
use crate::store::ring::{Sample, Tick};

const RESOLUTION: Duration = Duration::from_secs(15);
const HOUR: Duration = Duration::from_secs(3600);
const EPOCH: i64 = 1_800_000_000;

fn settings() -> Settings {
    Settings {
        retention: HOUR,
        step: Duration::ZERO,
        memory_limit: usize::MAX / 4,
        resolution: RESOLUTION,
    }
}

/// The time of the n-th scrape, on our clock.
fn age(n: i64) -> Age {
    Age::from_elapsed(RESOLUTION * u32::try_from(n).unwrap())
}

fn time(n: i64) -> Timestamp {
    Timestamp::from_secs(EPOCH + n * 15)
}

/// Busy enough to need some bits.
fn sample(n: i64, cpu: u64) -> Sample {
    let noise = n.unsigned_abs() * 7919 % 401;
    Sample {
        at: time(n),
        cpu: Nanocores(cpu * (1000 + noise)),
        memory: Bytes(cpu * (3_000_000 + noise * 100)),
        swap: None,
        restarted: false,
    }
}

/// A UID for each number; none for zero.
fn uid(number: u128) -> Uid {
    match number {
        0 => Uid::default(),
        number => Uid::of(&format!("{number:032x}")),
    }
}

/// The number of [`uid`].
fn number(uid: Uid) -> u128 {
    u128::from_str_radix(&uid.to_string(), 16).unwrap_or_default()
}

/// A node whose scrapes a test writes.
struct Kubelet {
    names: Interner,
    node: Arc<NodeHistory>,
    uid: Cell<u128>,
    elsewhere: Cell<bool>,
    lookups: Cell<usize>,
}

impl Kubelet {
    fn new(history: &History, name: &str) -> Self {
        let names = Interner::default();
        Self {
            node: history.begin(&names.intern(name)).unwrap(),
            names,
            uid: Cell::new(1),
            elsewhere: Cell::new(false),
            lookups: Cell::new(0),
        }
    }

    /// The n-th scrape: of each container its pod's and its own name, and the number of its run.
    fn scrape(&self, n: i64, containers: &[(&str, &str, u32)]) {
        let intern = |name: &str| self.names.intern(name);
        let named: Vec<_> = containers
            .iter()
            .map(|(pod, container, run)| {
                let pod = self.names.key("shop", pod);
                (pod, intern(container), *run)
            })
            .collect();
        let readings = named.iter().map(|(pod, container, run)| Reading {
            pod,
            container,
            sample: sample(n, 100),
            run: *run,
        });
        self.node
            .take(age(n), Some(sample(n, 1000)), readings, |_| {
                self.lookups.set(self.lookups.get() + 1);
                match self.uid.get() {
                    _ if self.elsewhere.get() => Binding::Elsewhere,
                    0 => Binding::Unknown,
                    number => Binding::Here(uid(number)),
                }
            });
    }

    fn all(&self) -> Vec<Row> {
        all(&self.node)
    }
}

/// A history with one node.
fn node() -> (History, Kubelet) {
    let history = History::new(settings());
    let kubelet = Kubelet::new(&history, "n1");
    (history, kubelet)
}

/// A series as [`all`] lists it.
fn row(pod: &str, uid: u128, container: &str, points: impl IntoIterator<Item = i64>) -> Row {
    let points = points.into_iter().collect();
    (pod.to_owned(), uid, container.to_owned(), points)
}

/// Pod, UID, container, and the numbers of the scrapes of the points, negative where another run begins.
type Row = (String, u128, String, Vec<i64>);

/// All series of a node.
fn all(node: &NodeHistory) -> Vec<Row> {
    let mut excerpt = Excerpt::default();
    node.copy(&mut excerpt, |_| true, Tick::EARLIEST, Tick::LATEST);
    excerpt
        .series()
        .map(|series| {
            let seconds = series.samples().map(|sample| {
                let n = (sample.at.as_secs() - EPOCH) / 15;
                if sample.restarted { -n } else { n }
            });
            let pod = series.pod.map_or("", |pod| &pod.key.name);
            let uid = series.pod.map_or(0, |pod| number(pod.uid));
            let container = series.container.map_or("", |name| name);
            row(pod, uid, container, seconds)
        })
        .collect()
}

#[test]
fn each_sample_is_stored_once() {
    let (history, kubelet) = node();
    for n in [1, 2, 2, 3, 1] {
        kubelet.scrape(n, &[("a", "x", 1), ("a", "y", 1), ("b", "x", 1)]);
    }
    let series = [("", 0, ""), ("a", 1, "x"), ("a", 1, "y"), ("b", 1, "x")];
    let rows = series.map(|(pod, uid, container)| row(pod, uid, container, 1..=3));
    assert_eq!(kubelet.all(), rows);
    let totals = history.totals();
    assert_eq!((totals.nodes, totals.series, totals.points), (1, 4, 12));
    assert_eq!(totals.oldest, Some(time(1)));
}

#[test]
fn a_restart_continues_the_series_and_is_marked() {
    let (_, kubelet) = node();
    for (n, run) in [(1, 7), (2, 7), (3, 8), (4, 8)] {
        kubelet.scrape(n, &[("a", "x", run)]);
    }
    assert_eq!(kubelet.all()[1], row("a", 1, "x", [1, 2, -3, 4]));
}

#[test]
fn a_pod_created_again_under_its_name_is_another_series() {
    let (_, kubelet) = node();
    kubelet.scrape(1, &[("a", "x", 7), ("b", "x", 1)]);
    kubelet.scrape(2, &[("a", "x", 7), ("b", "x", 1)]);
    kubelet.uid.set(2);
    kubelet.scrape(3, &[("a", "x", 8), ("a", "y", 8)]);
    kubelet.scrape(4, &[("a", "x", 8), ("a", "y", 8)]);
    assert_eq!(
        kubelet.all()[1..],
        [
            row("a", 1, "x", [1, 2]),
            row("a", 2, "x", [3, 4]),
            row("a", 2, "y", [3, 4]),
            row("b", 1, "x", [1, 2]),
        ]
    );
}

#[test]
fn uids_are_looked_up_only_while_they_are_uncertain() {
    let (_, kubelet) = node();
    kubelet.uid.set(0);
    (0..20).for_each(|n| kubelet.scrape(n, &[("a", "x", 7)]));
    assert_eq!(kubelet.lookups.get(), 20);
    kubelet.uid.set(5);
    (20..100).for_each(|n| kubelet.scrape(n, &[("a", "x", 7)]));
    assert!(kubelet.lookups.get() < 40, "{}", kubelet.lookups.get());
    assert_eq!(kubelet.all()[1].1, 5);
    assert_eq!(kubelet.all().len(), 2);
}

#[test]
fn ended_series_stay_until_they_are_too_old() {
    let (history, kubelet) = node();
    kubelet.scrape(1, &[("gone", "x", 1), ("here", "x", 1)]);
    (2..200).for_each(|n| kubelet.scrape(n, &[("here", "x", 1)]));
    history.tidy(age(199));
    assert_eq!(kubelet.all().len(), 3);
    (200..300).for_each(|n| kubelet.scrape(n, &[("here", "x", 1)]));
    history.tidy(age(299));
    let left = kubelet.all();
    assert_eq!(left.len(), 2);
    // A block is dropped when all of it is too old.
    let lengths = left.iter().map(|(.., points)| points.len());
    assert!(lengths.clone().all(|length| (240..299).contains(&length)));
    assert_eq!(history.totals().points, lengths.sum::<usize>());
}

#[test]
fn a_node_that_is_gone_is_dropped_when_its_history_is_too_old() {
    let (history, kubelet) = node();
    (0..10).for_each(|n| kubelet.scrape(n, &[("a", "x", 1)]));
    drop(kubelet);
    history.tidy(age(240));
    assert_eq!(history.totals().nodes, 1);
    history.tidy(age(260));
    assert_eq!(history.totals(), HistoryTotals::default());
    assert_eq!(history.shared.bytes.load(Ordering::Relaxed), 0);
}

#[test]
fn samples_of_a_clock_that_was_set_back_are_removed() {
    let (history, kubelet) = node();
    (100..200).for_each(|n| kubelet.scrape(n, &[("a", "x", 1)]));
    (150..160).for_each(|n| kubelet.scrape(n, &[("a", "x", 1)]));
    let points: Vec<i64> = (100..160).collect();
    assert!(kubelet.all().iter().all(|(.., have)| *have == points));
    assert_eq!(history.totals().points, 120);
}

#[test]
fn a_clock_step_moves_earlier_samples() {
    for by in [-700, -100, -3, 3, 240, 5000] {
        let history = History::new(Settings {
            retention: HOUR * 100,
            ..settings()
        });
        let kubelet = Kubelet::new(&history, "n1");
        (1000..1100).for_each(|n| kubelet.scrape(n, &[("a", "x", 1), ("b", "y", 1)]));
        kubelet.node.shift(by * 15_000_000_000);
        // One scrape shows that it was set.
        (1101..1200).for_each(|n| kubelet.scrape(n + by, &[("a", "x", 1), ("b", "y", 1)]));
        let points: Vec<i64> = (1000..1100).chain(1101..1200).map(|n| n + by).collect();
        assert_eq!(kubelet.all().len(), 3);
        let is_moved = |(.., have): &Row| *have == points;
        assert!(kubelet.all().iter().all(is_moved), "{by}");
        assert_eq!(history.totals().points, points.len() * 3);
    }
}

#[test]
fn the_servers_time_is_converted_to_the_nodes() {
    let (history, kubelet) = node();
    (0..10).for_each(|n| kubelet.scrape(n, &[]));
    let hour = 3_600_000_000_000;
    for (ahead, off) in [
        (hour, hour),
        (-hour, -hour),
        (6_000_000_000, 6_000_000_000),
        (4_000_000_000, 0),
    ] {
        let (then, wall) = (time(9), time(9).plus_nanos(-ahead));
        kubelet.node.set_clock(then, age(9));
        // A scrape does not change a clock that was set.
        kubelet.scrape(9, &[]);
        for (now, wall) in [(9, wall), (40, wall.plus_nanos(31 * 15_000_000_000))] {
            let offset = kubelet.node.offset(age(now), wall);
            assert_eq!(offset.theirs(wall), wall.plus_nanos(off));
            assert_eq!(offset.ours(offset.theirs(wall)), wall);
        }
        let oldest = history.totals_at(age(9), wall).oldest;
        assert_eq!(oldest, Some(time(0).plus_nanos(-off)));
    }
}

#[test]
fn nothing_is_stored_without_retention() {
    let history = History::new(Settings::OFF);
    assert!(history.begin(&Arc::from("n1")).is_none());
}

#[test]
fn points_closer_than_the_step_are_left_out() {
    let history = History::new(Settings {
        step: Duration::from_secs(60),
        ..settings()
    });
    let kubelet = Kubelet::new(&history, "n1");
    (0..12).for_each(|n| kubelet.scrape(n, &[]));
    assert_eq!(kubelet.all()[0].3, [0, 4, 8]);
}

#[test]
fn above_the_memory_limit_all_nodes_are_shortened() {
    let limit = 40_000;
    let history = History::new(Settings {
        memory_limit: limit,
        ..settings()
    });
    let kubelets: Vec<Kubelet> = (0..5)
        .map(|n| Kubelet::new(&history, &format!("n{n}")))
        .collect();
    let names: Vec<String> = (0..20).map(|n| format!("pod-{n}")).collect();
    let mut pods: Vec<_> = names.iter().map(|name| (name.as_str(), "x", 1)).collect();
    pods.sort_unstable();
    let mut cut = false;
    for n in 0..400 {
        // One of the nodes has half the pods.
        for (kubelet, part) in kubelets.iter().zip([10, 20, 20, 20, 20]) {
            kubelet.scrape(n, &pods[..part]);
        }
        let Cut { nodes, all } = history.tidy(age(n));
        assert_eq!(nodes, [], "all are alike");
        cut |= all;
        let totals = history.totals();
        assert!(totals.bytes <= limit, "{n}: {totals:?}");
        assert_eq!(totals.bytes, history.shared.bytes.load(Ordering::Relaxed));
    }
    assert!(cut && history.totals().cut_blocks > 0);
    let oldest = kubelets.iter().map(|kubelet| kubelet.all()[0].3[0]);
    let oldest: Vec<i64> = oldest.collect();
    let is_near = |n: &i64| (oldest[0] - n).abs() < 40 && *n > 200;
    assert!(oldest.iter().all(is_near), "{oldest:?}");
    assert_eq!(history.totals().refused_points, 0);
}

#[test]
fn in_the_steady_state_nothing_is_allocated() {
    let (history, kubelet) = node();
    let pods = [("a", "x", 1), ("a", "y", 1), ("b", "x", 1)];
    (0..400).for_each(|n| kubelet.scrape(n, &pods));
    let bytes = history.totals().bytes;
    (400..4000).for_each(|n| kubelet.scrape(n, &pods));
    assert_eq!(history.totals().bytes, bytes);
}

fn exported(kubelet: &Kubelet, now: Age) -> Vec<u8> {
    let mut out = Vec::new();
    kubelet.node.export("n1", now, &mut out);
    out
}

#[test]
fn an_export_imports_without_loss() {
    let (history, kubelet) = node();
    (0..100).for_each(|n| kubelet.scrape(n, &[("a", "x", 1), ("a", "y", 1), ("b", "x", 1)]));
    (100..110).for_each(|n| kubelet.scrape(n, &[("b", "x", 2)]));
    let (bytes, names) = (exported(&kubelet, age(109)), Interner::default());
    let other = History::new(settings());
    // Ten minutes later, in another process.
    let (ago, now) = (RESOLUTION * 40, age(3));
    let imported = other.import(&bytes, ago, now, &names).unwrap();
    assert_eq!(imported.points, history.totals().points);
    let node = other.node("n1").unwrap();
    assert_eq!(all(&node), kubelet.all());
    assert_eq!(node.time(now), Some(Tick::nearest(time(149))));
    // A second time nothing is news.
    assert_eq!(
        other.import(&bytes, ago, now, &names),
        Ok(Imported::default())
    );
    assert_eq!(all(&node), kubelet.all());
    assert_eq!(other.totals().points, imported.points);
}

#[test]
fn an_import_is_merged_with_existing_samples() {
    let (first, second) = (History::new(settings()), History::new(settings()));
    let (before, now) = (Kubelet::new(&first, "n1"), Kubelet::new(&second, "n1"));
    (0..50).for_each(|n| before.scrape(n, &[("a", "x", 1), ("gone", "x", 1)]));
    before.uid.set(2);
    (48..60).for_each(|n| before.scrape(n, &[("a", "x", 1)]));
    // Since then the other one has seen the end of it, and more: another pod under a name, another run.
    now.uid.set(2);
    (55..80).for_each(|n| now.scrape(n, &[("a", "x", 3)]));
    let bytes = exported(&before, age(59));
    let names = Interner::default();
    second
        .import(&bytes, RESOLUTION * 20, age(79), &names)
        .unwrap();
    let found = now.all();
    assert_eq!(found[0], row("", 0, "", 0..80));
    assert_eq!(found[1], row("a", 1, "x", 0..60));
    assert_eq!(found[2], row("a", 2, "x", 55..80));
    assert_eq!(found[3], row("gone", 1, "x", 0..50));
}

#[test]
fn samples_that_are_too_old_are_not_imported() {
    let (_, kubelet) = node();
    (0..100).for_each(|n| kubelet.scrape(n, &[("a", "x", 1)]));
    let bytes = exported(&kubelet, age(99));
    let other = History::new(settings());
    let imported = other.import(&bytes, HOUR * 2, age(0), &Interner::default());
    assert_eq!(imported, Ok(Imported::default()));
    other.tidy(age(0));
    assert_eq!(other.totals(), HistoryTotals::default());
}

proptest! {
    #[test]
    fn damaged_bytes_never_panic(place in 0usize..5000, bits: u8, cut in 0usize..10_000) {
        let (_, kubelet) = node();
        (0..60).for_each(|n| kubelet.scrape(n, &[("a", "x", 1), ("b", "x", 1)]));
        let mut bytes = exported(&kubelet, age(59));
        bytes.truncate(cut);
        let length = bytes.len();
        if let Some(byte) = bytes.get_mut(place % length.max(1)) {
            *byte ^= bits;
        }
        let other = History::new(settings());
        // The import may fail, but the imported samples can be read.
        let _either = other.import(&bytes, Duration::ZERO, age(60), &Interner::default());
        for (_, node) in other.nodes() {
            let read = all(&node).iter().map(|(.., points)| points.len()).sum::<usize>();
            prop_assert_eq!(read, node.size().points);
        }
        other.tidy(age(1000));
        prop_assert_eq!(other.totals().points, 0);
    }
}
