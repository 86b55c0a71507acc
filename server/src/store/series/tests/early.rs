//! Tests of early scrapes and provisional usage, with a kubelet that measures young containers on request.

use super::*;

/// A container: its path, its start in milliseconds after the first turn, and the CPU seconds that it has used.
type Container<'a> = (&'a str, i64, f64);

/// The response at `at` milliseconds after the first turn. The node uses one core.
fn page(at: i64, containers: &[Container<'_>]) -> String {
    let time = stamp(0) + at;
    let mut body = node_lines(1000.0 + at as f64 / 1e3, time);
    for (path, start, cpu) in containers {
        let start = (stamp(0) + start) as f64 / 1e3;
        let lines = lines(path, *cpu, 7, time);
        body += &lines.replace("} 1\n", &format!("}} {start:.3}\n"));
    }
    body
}

impl Node {
    /// The clock stands at `at` milliseconds after the first turn.
    fn set(&mut self, at: i64) {
        self.now = Duration::from_millis(at.unsigned_abs());
    }

    /// A scrape at a turn.
    fn turn(&mut self, at: i64, containers: &[Container<'_>]) {
        self.set(at);
        self.page_after(&page(at, containers), Duration::ZERO, Duration::ZERO);
    }

    /// An early scrape. Returns how long before it the young containers have started, in milliseconds.
    fn early(&mut self, at: i64, containers: &[Container<'_>]) -> Vec<u128> {
        self.set(at);
        let now = Age::from_elapsed(self.now);
        let body = page(at, containers);
        let mut scrape = ResourceScrape::default();
        decode(body.as_bytes(), &mut scrape);
        let times = ScrapeTimes::at(now);
        self.series.ingest_early(&mut scrape, &times, &self.names);
        self.latest = Some(self.series.latest(&scrape, now, &self.names));
        let wall = Timestamp(0);
        let starts = self.series.recent_starts(&scrape, now, wall).into_iter();
        starts.map(|start| now.since(start).as_millis()).collect()
    }

    /// CPU in millicores and the window in milliseconds of a pod's provisional usage.
    fn provisional(&self, pod: &str) -> Option<(Vec<u64>, i64)> {
        let latest = self.latest.as_ref().unwrap();
        let (at, _) = latest.find(&PodKey::new("ns", pod)).unwrap();
        let now = Age::from_elapsed(self.now);
        let (rates, containers) = latest.provisional_of(at, Retention::of(RESOLUTION), now)?;
        let cpu = containers.iter().map(|it| it.cpu.0 / 1_000_000);
        Some((cpu.collect(), rates.window.0 / 1_000_000))
    }
}

/// A container that has run for long.
const OLD: i64 = -3_600_000;

#[test]
fn a_container_has_provisional_usage_and_then_a_rate_between_two_turns() {
    let mut node = Node::new();
    node.turn(0, &[("old/x", OLD, 10.0)]);
    node.turn(15_000, &[("old/x", OLD, 11.5)]);
    // It starts a second after the turn.
    let young = node.early(18_750, &[("new/x", 16_000, 0.5502), ("old/x", OLD, 12.5)]);
    assert_eq!(young, [2_750]);
    assert_eq!(node.cpu("new"), no_rate("x", NoRate::FirstPoint));
    assert_eq!(node.provisional("new"), Some((vec![200], 2_750)));
    assert_eq!(node.cpu("old"), Ok(vec![100]), "the rate of the last turn");
    let young = node.early(26_250, &[("new/x", 16_000, 2.0502), ("old/x", OLD, 13.5)]);
    assert!(young.is_empty());
    assert_eq!(node.cpu("new"), Ok(vec![200]));
    assert_eq!(node.provisional("new"), None);
    assert_eq!(node.cpu("old"), Ok(vec![100]));
    node.turn(30_000, &[("new/x", 16_000, 2.8002), ("old/x", OLD, 14.5)]);
    assert_eq!(
        (node.cpu("new"), node.cpu("old")),
        (Ok(vec![200]), Ok(vec![200]))
    );
}

#[test]
fn every_turn_makes_the_same_rates_with_and_without_early_scrapes() {
    // A container starts at every tenth of a second of two resolutions; some restart.
    for start in (50..30_000).step_by(100) {
        let (mut with, mut without) = (Node::new(), Node::new());
        let containers = |at: i64| {
            let runs = [(start, "new/x"), (start + 17_300, "restarts/y")];
            let mut all = vec![("old/x", OLD, 100.0 + at as f64 / 3e3)];
            for (start, path) in runs {
                let (start, cpu) = match (path, at < start) {
                    ("restarts/y", true) => (OLD, 50.0 + at as f64 / 1e4),
                    (_, true) => continue,
                    (_, false) => (start, (at - start) as f64 / 7e3 + 0.001),
                };
                all.push((path, start, cpu));
            }
            all.sort_by_key(|(path, ..)| *path);
            all
        };
        for turn in 0..6 {
            let at = turn * 15_000;
            with.turn(at, &containers(at));
            without.turn(at, &containers(at));
            for pod in ["new", "old", "restarts"] {
                assert_eq!(with.cpu(pod), without.cpu(pod), "{pod}, {start}, {turn}");
            }
            for early in [2_750, 10_250].map(|age| [start + age, start + 17_300 + age]) {
                let between = early
                    .into_iter()
                    .filter(|it| (1..15_000).contains(&(it - at)));
                for it in between {
                    with.early(it, &containers(it));
                }
            }
        }
    }
}

#[test]
fn a_pod_with_a_young_container_has_provisional_usage_as_a_whole() {
    let mut node = Node::new();
    for (at, cpu) in [(0, 10.0), (15_000, 11.5)] {
        node.turn(at, &[("pod/x", OLD, cpu), ("pod/y", OLD, cpu)]);
    }
    // Container y restarts.
    node.turn(30_000, &[("pod/x", OLD, 13.0), ("pod/y", 27_000, 0.9)]);
    assert_eq!(node.cpu("pod"), no_rate("y", NoRate::Restarted));
    assert_eq!(node.provisional("pod"), Some((vec![100, 300], 15_000)));
    // Too young, or incomplete.
    node.turn(45_000, &[("pod/x", OLD, 14.5), ("pod/y", 44_000, 0.9)]);
    assert_eq!(node.provisional("pod"), None);
    node.turn(60_000, &[("pod/x", OLD, 16.0), ("pod/y", 57_000, 0.0)]);
    assert_eq!(node.provisional("pod"), None);
}

#[test]
fn an_early_scrape_does_not_judge_a_clock() {
    let mut node = Node::new();
    for turn in 0..4 {
        node.turn(turn * 15_000, &[("old/x", OLD, 10.0 + turn as f64)]);
    }
    node.set(48_000);
    let hour = 3_600_000;
    let body = page(
        48_000 + hour,
        &[("new/x", 35_000 + hour, 2.0), ("old/x", OLD, 14.0)],
    );
    let mut scrape = ResourceScrape::default();
    decode(body.as_bytes(), &mut scrape);
    let now = Age::from_elapsed(node.now);
    let before = node.series.len();
    node.series
        .ingest_early(&mut scrape, &ScrapeTimes::at(now), &node.names);
    assert_eq!(node.series.len(), before);
}
