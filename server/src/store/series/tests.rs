//! Tests of a node's series.

use super::*;
use crate::store::{Absent, Lack, Latest, Retention};
use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::kubelet::resource::decode;
use kubevitals_proto::units::{Bytes, Nanocores};

mod early;

const RESOLUTION: Duration = Duration::from_secs(15);

/// A node whose responses a test writes.
struct Node {
    series: NodeSeries,
    names: Interner,
    latest: Option<Latest>,
    now: Duration,
}

impl Node {
    fn new() -> Self {
        Self {
            series: NodeSeries::new(RESOLUTION),
            names: Interner::default(),
            latest: None,
            now: Duration::ZERO,
        }
    }

    /// One scrape, a resolution after the last. Each container is (pod/container, CPU seconds, bytes,
    /// timestamp in seconds).
    fn scrape(&mut self, containers: &[(&str, f64, u64, u64)]) {
        let mut body = String::new();
        for (path, cpu, memory, at) in containers {
            body += &lines(path, *cpu, *memory, *at as i64 * 1000);
        }
        self.page(&body);
    }

    /// One scrape with this response. Returns the step of the clock in nanoseconds, if the response confirms one.
    fn page(&mut self, body: &str) -> Option<i64> {
        self.page_after(body, RESOLUTION, Duration::ZERO)
    }

    /// The same, requested `wait` after the last response; the response took `took`.
    fn page_after(&mut self, body: &str, wait: Duration, took: Duration) -> Option<i64> {
        let requested = Age::from_elapsed(self.now + wait);
        self.now += wait + took;
        let now = Age::from_elapsed(self.now);
        let turn = ScrapeTimes {
            requested,
            ..ScrapeTimes::at(now)
        };
        let mut scrape = ResourceScrape::default();
        decode(body.as_bytes(), &mut scrape);
        let set_by = self.series.ingest(&mut scrape, &turn, &self.names);
        self.latest = Some(self.series.latest(&scrape, now, &self.names));
        set_by
    }

    /// CPU in millicores and memory of each container of a pod.
    fn containers(&self, pod: &str) -> Result<Vec<(u64, u64)>, Absent> {
        let now = Age::from_elapsed(self.now);
        let latest = self.latest.as_ref().unwrap();
        let pod = PodKey::new("ns", pod);
        let (_, containers) = latest.pod(&pod, Retention::of(RESOLUTION), now)?;
        let used = containers.iter();
        Ok(used.map(|it| (it.cpu.0 / 1_000_000, it.memory.0)).collect())
    }

    /// CPU in millicores and memory of the only container of a pod.
    fn used(&self, pod: &str) -> Result<(u64, u64), Absent> {
        self.containers(pod).map(|used| used[0])
    }

    /// CPU of the node in millicores.
    fn of_node(&self) -> Result<u64, Absent> {
        let now = Age::from_elapsed(self.now);
        let latest = self.latest.as_ref().unwrap();
        let node = latest.node(Retention::of(RESOLUTION), now)?;
        Ok(node.usage.cpu.0 / 1_000_000)
    }

    /// CPU in millicores of each container of a pod.
    fn cpu(&self, pod: &str) -> Result<Vec<u64>, Absent> {
        let used = self.containers(pod)?.into_iter();
        Ok(used.map(|(cpu, _)| cpu).collect())
    }
}

/// The result for a pod whose container has no rate.
fn no_rate<T>(container: &str, why: NoRate) -> Result<T, Absent> {
    let container = Some(container.into());
    Err(Absent::NoRate { container, why })
}

/// The result for a pod whose container lacks something.
fn lacks<T>(container: &str, lack: Lack) -> Result<T, Absent> {
    let container = Some(container.into());
    Err(Absent::Incomplete { container, lack })
}

/// The kubelet's own rate of 42 millicores.
fn first_rate() -> Usage {
    Usage {
        at: Timestamp(1),
        window: GoDuration(20_000_000_000),
        cpu: Nanocores(42_000_000),
        memory: Bytes(0),
    }
}

/// The time of a scrape, in milliseconds.
fn stamp(turn: i64) -> i64 {
    1_800_000_000_000 + turn * 15_000
}

/// A container's lines; the time is in milliseconds.
fn lines(path: &str, cpu: f64, memory: u64, at: i64) -> String {
    let (pod, container) = path.split_once('/').unwrap();
    let labels = format!("{{container=\"{container}\",namespace=\"ns\",pod=\"{pod}\"}}");
    format!(
        "container_cpu_usage_seconds_total{labels} {cpu} {at}\n\
         container_memory_working_set_bytes{labels} {memory} {at}\n\
         container_start_time_seconds{labels} 1\n"
    )
}

/// The node's own lines.
fn node_lines(cpu: f64, at: i64) -> String {
    format!("node_cpu_usage_seconds_total {cpu} {at}\nnode_memory_working_set_bytes 5 {at}\n")
}

#[test]
fn pods_are_found_whatever_the_order_of_the_lines() {
    let mut node = Node::new();
    node.scrape(&[
        ("b/x", 1.0, 1, 1000),
        ("a/y", 1.0, 1, 1000),
        ("a/x", 1.0, 1, 1000),
    ]);
    node.scrape(&[
        ("a/x", 2.5, 1, 1015),
        ("b/x", 4.0, 1, 1015),
        ("a/y", 1.0, 1, 1015),
    ]);
    assert_eq!(node.cpu("a"), Ok(vec![100, 0]));
    assert_eq!(node.cpu("b"), Ok(vec![200]));
    assert_eq!(node.cpu("c"), Err(Absent::NotReported));
}

#[test]
fn one_container_without_a_rate_omits_its_pod_with_a_reason() {
    let mut node = Node::new();
    node.scrape(&[("a/x", 1.0, 1, 1000)]);
    node.scrape(&[("a/new", 1.0, 1, 1015), ("a/x", 2.5, 1, 1015)]);
    assert_eq!(node.cpu("a"), no_rate("new", NoRate::FirstPoint));
    node.scrape(&[("a/new", 1.0, 0, 1030), ("a/x", 4.0, 1, 1030)]);
    assert_eq!(node.cpu("a"), lacks("new", Lack::ZeroMemory));
}

#[test]
fn a_gone_container_leaves_and_is_forgotten_after_the_reach_of_a_pair() {
    let mut node = Node::new();
    node.scrape(&[("a/x", 1.0, 1, 1000), ("b/x", 1.0, 1, 1000)]);
    for turn in 1..=5 {
        node.scrape(&[("a/x", 1.0, 1, 1000 + turn * 15)]);
        assert_eq!(node.cpu("b"), Err(Absent::NotReported));
    }
    assert_eq!(node.series.len(), 2, "it may still come back");
    node.scrape(&[("a/x", 1.0, 1, 1090)]);
    assert_eq!(node.series.len(), 1);
}

#[test]
fn a_sample_that_the_kubelet_repeats_is_fresh_for_five_resolutions() {
    let mut node = Node::new();
    node.scrape(&[("a/x", 1.0, 1, 1000)]);
    node.scrape(&[("a/x", 2.5, 1, 1015)]);
    for _ in 0..5 {
        node.scrape(&[("a/x", 2.5, 1, 1015)]);
        assert_eq!(node.cpu("a"), Ok(vec![100]));
    }
    node.scrape(&[("a/x", 2.5, 1, 1015)]);
    assert_eq!(node.cpu("a"), Err(Absent::Stale));
}

#[test]
fn without_scrapes_the_last_rate_is_fresh_for_two_and_a_half_resolutions() {
    let mut node = Node::new();
    node.scrape(&[("a/x", 1.0, 1, 1000)]);
    node.scrape(&[("a/x", 2.5, 1, 1015)]);
    node.now += RESOLUTION * 5 / 2;
    assert_eq!(node.cpu("a"), Ok(vec![100]));
    node.now += Duration::from_millis(1);
    assert_eq!(node.cpu("a"), Err(Absent::Stale));
}

#[test]
fn a_series_whose_times_go_back_continues_once_the_last_rate_is_stale() {
    let mut node = Node::new();
    let others = |turn: u64| ("b/x", 10.0, 1, 9000 + turn * 15);
    let more = |turn: u64| ("c/x", 10.0, 1, 9000 + turn * 15);
    node.scrape(&[("a/x", 1.0, 1, 9000), others(0), more(0)]);
    node.scrape(&[("a/x", 2.5, 1, 9015), others(1), more(1)]);
    for (turn, at) in [(2u32, 5400), (3, 5415), (4, 5430)] {
        let cpu = 1.0 + 1.5 * f64::from(turn);
        let turn = u64::from(turn);
        node.scrape(&[("a/x", cpu, 1, at), others(turn), more(turn)]);
    }
    node.scrape(&[("a/x", 8.5, 1, 5445), others(5), more(5)]);
    assert_eq!(node.cpu("a"), Ok(vec![100]));
}

/// Steps of a clock, in milliseconds.
#[rustfmt::skip]
const STEPS: [i64; 24] = [
    -86_400_000, -3_600_000, -75_000, -60_000, -45_000, -44_900, -44_000, -31_000, -30_000, -29_000, -20_000, -15_000,
    -14_500, -10_000, -5000, -2000, -1000, 1000, 2000, 10_000, 15_000, 30_000, 60_000, 3_600_000,
];

/// A node with a container that use a core each; its clock is set by so many milliseconds before the scrape `at`.
/// Returns what they use after each scrape, and by what the clock was seen to be set.
fn stepping(step: i64, at: i64, with_node: bool) -> (Vec<Result<u64, Absent>>, i64) {
    let mut node = Node::new();
    let (mut used, mut seen) = (Vec::new(), 0);
    for turn in 0..at + 6 {
        let stamp = stamp(turn) + if turn >= at { step } else { 0 };
        let cpu = 1000.0 + turn as f64 * 15.0;
        let mut body = lines("a/x", cpu, 7, stamp);
        if with_node {
            body += &node_lines(cpu, stamp);
        }
        seen += node.page(&body).unwrap_or_default();
        if with_node {
            let of_both = (node.of_node(), node.used("a").map(|used| used.0));
            assert_eq!(of_both.0.is_ok(), of_both.1.is_ok());
            assert_eq!(of_both.0.clone().ok(), of_both.1.clone().ok());
        }
        used.push(node.used("a").map(|used| used.0));
    }
    (used, seen / 1_000_000)
}

#[test]
fn a_clock_that_is_set_costs_one_scrape_whatever_the_step() {
    for step in STEPS {
        for at in [2, 3, 6] {
            for with_node in [true, false] {
                let (used, seen) = stepping(step, at, with_node);
                for (turn, used) in used.iter().enumerate().skip(1) {
                    let is_step = turn as i64 == at;
                    let is_right = *used == Ok(1000) || is_step && used.is_err();
                    assert!(is_right, "{step} ms before {at}: {used:?} at {turn}");
                }
                assert_eq!(seen, step, "before {at}");
            }
        }
    }
}

#[test]
fn no_rate_spans_a_clock_step() {
    for (first, second) in [
        (-20_000, 10_000),
        (-44_000, 44_000),
        (3_600_000, -3_599_000),
        (5000, 5000),
    ] {
        let mut node = Node::new();
        let mut off = 0;
        for turn in 0..12 {
            off += match turn {
                4 => first,
                5 => second,
                _ => 0,
            };
            let stamp = stamp(turn) + off;
            let cpu = 1000.0 + turn as f64 * 15.0;
            node.page(&(lines("a/x", cpu, 7, stamp) + &node_lines(cpu, stamp)));
            let used = node.used("a").map(|used| used.0);
            assert!(
                used.is_err() && turn != 3 || used == Ok(1000),
                "{turn}: {used:?}"
            );
            assert!(turn < 7 || used.is_ok(), "{turn}: {used:?}");
        }
    }
}

/// Cgroups that are sampled as cAdvisor does, each at its own pace: when each was sampled last.
struct Sampled {
    state: u64,
    next: Vec<i64>,
    /// When, and what the node's clock showed beyond that.
    last: Vec<(i64, i64)>,
    /// How far that clock is ahead.
    off: i64,
}

impl Sampled {
    fn new(seed: u64, cgroups: usize) -> Self {
        let mut new = Self {
            state: seed,
            next: vec![0; cgroups],
            last: vec![(0, 0); cgroups],
            off: 0,
        };
        for at in 0..cgroups {
            new.next[at] = new.random(15_000) - 15_000;
        }
        new.pass(0);
        new
    }

    fn random(&mut self, below: i64) -> i64 {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        ((self.state >> 33) as i64) % below
    }

    /// Time passes until `now`, in milliseconds. The first cgroup is the node's; each third one is idle.
    fn pass(&mut self, now: i64) {
        for at in 0..self.next.len() {
            while self.next[at] <= now {
                self.last[at] = (self.next[at], self.off);
                let pace = match at {
                    0 => 10_000,
                    _ if at % 3 == 0 => 15_000 + self.random(23_000),
                    _ => 10_000 + self.random(10_000),
                };
                self.next[at] += pace;
            }
        }
    }

    fn page(&self) -> String {
        let values = |(at, off): &(i64, i64)| (1000.0 + *at as f64 / 1e3, stamp(0) + at + off);
        let (cpu, at) = values(&self.last[0]);
        let mut body = node_lines(cpu, at);
        for (n, last) in self.last.iter().enumerate().skip(1) {
            let (cpu, at) = values(last);
            body += &lines(&format!("p{n}/x"), cpu, 7, at);
        }
        body
    }
}

#[test]
fn the_pace_of_a_kubelet_and_its_slowness_are_no_steps() {
    for seed in 0..60 {
        let cgroups = [4, 8, 12, 45][seed as usize % 4];
        let mut kubelet = Sampled::new(seed, cgroups);
        let (mut node, mut now, mut late) = (Node::new(), 0, 0);
        for turn in 0..100 {
            let took = if turn % 7 == 3 {
                kubelet.random(9000)
            } else {
                20
            };
            let sampled = now + kubelet.random(took + 1);
            kubelet.pass(sampled);
            let wait = Duration::from_millis(if turn == 0 { 0 } else { 15_000 - late as u64 });
            let took_so_long = Duration::from_millis(took as u64);
            let set_by = node.page_after(&kubelet.page(), wait, took_so_long);
            assert_eq!(set_by, None, "seed {seed}, turn {turn}");
            (now, late) = (now + 15_000, took);
            let pods = (1..cgroups).map(|n| node.used(&format!("p{n}")).map(|used| used.0));
            for used in pods.chain([node.of_node()]) {
                let right = match &used {
                    Ok(cpu) => (999..=1000).contains(cpu),
                    Err(_) => turn < 4,
                };
                assert!(right, "seed {seed}, turn {turn}: {used:?}");
            }
        }
    }
}

#[test]
fn a_step_is_detected_on_a_node_with_spread_samples() {
    for seed in 0..40 {
        for step in [-3_600_000, -60_000, -45_000, 45_000, 60_000, 3_600_000] {
            let mut kubelet = Sampled::new(seed, 20);
            let mut node = Node::new();
            let mut seen = 0;
            for turn in 0..30 {
                // The clock is set between two responses: some samples are of the time before.
                if turn == 20 {
                    kubelet.pass(turn * 15_000 - 6000);
                    kubelet.off = step;
                }
                kubelet.pass(turn * 15_000);
                seen += node.page(&kubelet.page()).unwrap_or_default() / 1_000_000;
                for n in 1..20 {
                    let used = node.used(&format!("p{n}")).map(|used| used.0);
                    let right = match used {
                        Ok(cpu) => (999..=1000).contains(&cpu),
                        // What is idle is seldom sampled.
                        Err(_) => turn < 4 || (20..26).contains(&turn),
                    };
                    assert!(
                        right,
                        "seed {seed}, step {step}, turn {turn}, p{n}: {used:?}"
                    );
                }
            }
            // If samples of both clocks are close together, the step is only as exact.
            let near = if step.abs() < 60_000 { 20_000 } else { 8000 };
            assert!((seen - step).abs() < near, "seed {seed}: {seen} of {step}");
        }
    }
}

/// Two cgroups with one name, in the order in which a kubelet prints them: sorted by their times.
#[derive(Clone, Copy)]
struct Copies {
    first: (f64, u64),
    second: (f64, u64),
}

impl Copies {
    /// The page of a scrape, at which the two change places in every other one.
    fn page(self, turn: i64, half_cores: bool) -> String {
        let at = stamp(turn);
        let grown = if half_cores { turn as f64 * 7.5 } else { 0.0 };
        let (mut a, mut b) = (self.first, self.second);
        (a.0, b.0) = (a.0 + grown, b.0 + turn as f64 * 7.5);
        if turn % 2 == 1 {
            std::mem::swap(&mut a, &mut b);
        }
        lines("db/x", a.0, a.1, at + 41) + &lines("db/x", b.0, b.1, at + 162) + &web(turn)
    }
}

fn web(turn: i64) -> String {
    lines("web/x", 50.0 + turn as f64 * 3.75, 9, stamp(turn))
}

fn four_cores() -> Node {
    let mut node = Node::new();
    node.series
        .bound(Bounds::of(Some(Nanocores(4_000_000_000)), None));
    node
}

#[test]
fn one_of_two_series_with_one_name_is_followed() {
    for (first, second) in [
        ((130_000.5, 57), (100_000.5, 33)),
        ((900_000.0, 57), (300_000.0, 33)),
        ((5.0, 57), (100_000.5, 33)),
        ((200.0, 57), (20_000.0, 58)),
    ] {
        let mut node = four_cores();
        let copies = Copies { first, second };
        let mut memory = None;
        for turn in 0..9 {
            assert_eq!(node.page(&copies.page(turn, true)), None);
            if turn > 0 {
                assert_eq!(node.used("web"), Ok((250, 9)));
                let (cpu, of) = node.used("db").unwrap();
                // The stamps of either jump by the 121 ms between the two.
                assert!((495..=505).contains(&cpu), "{cpu}");
                assert_eq!(*memory.get_or_insert(of), of);
            }
        }
        // The other one goes away, or the one that was followed: that is another counter, and said at once.
        for gone in [copies.first, copies.second] {
            let mut node = four_cores();
            for turn in 0..4 {
                node.page(&copies.page(turn, true));
            }
            let (_, followed) = node.used("db").unwrap();
            let left = if gone == copies.first { second } else { first };
            for turn in 4..8 {
                let cpu = left.0 + turn as f64 * 7.5;
                node.page(&(lines("db/x", cpu, left.1, stamp(turn) + 41) + &web(turn)));
                let used = node.used("db");
                assert!(
                    used.is_err() && turn == 4 || (490..=510).contains(&used.clone().unwrap().0),
                    "{used:?}"
                );
                assert!(followed != left.1 || used.is_ok());
            }
        }
    }
}

#[test]
fn the_kubelets_own_rate_does_not_stand_in_for_one_of_two() {
    let mut node = four_cores();
    let copies = Copies {
        first: (130_000.5, 57),
        second: (100_000.5, 33),
    };
    let page = copies.page(0, true);
    node.page(&page);
    let key = |pod: &str| ("ns".to_owned(), pod.to_owned(), "x".to_owned());
    let mut rates = FirstRates {
        node: None,
        containers: ["db", "web"].map(|pod| (key(pod), first_rate())).into(),
    };
    let mut scrape = ResourceScrape::default();
    decode(page.as_bytes(), &mut scrape);
    rates.leave_out(&scrape.duplicates);
    assert_eq!(Vec::from_iter(rates.containers.into_keys()), [key("web")]);
}

#[test]
fn one_of_two_series_is_followed_on_a_node_of_unknown_size() {
    let mut node = Node::new();
    let copies = Copies {
        first: (130_000.5, 57),
        second: (100_000.5, 33),
    };
    for turn in 0..6 {
        node.page(&copies.page(turn, true));
        if turn > 0 {
            let (cpu, _) = node.used("db").unwrap();
            assert!((495..=505).contains(&cpu), "{cpu}");
        }
    }
}

#[test]
fn a_duplicate_that_appears_changes_nothing() {
    let mut node = four_cores();
    let copies = Copies {
        first: (130_000.0, 57),
        second: (10.0, 33),
    };
    for turn in 0..3 {
        let at = stamp(turn) + 41;
        node.page(&(lines("db/x", 10.0 + turn as f64 * 7.5, 33, at) + &web(turn)));
    }
    for turn in 3..8 {
        node.page(&copies.page(turn, turn % 3 == 0));
        let (cpu, memory) = node.used("db").unwrap();
        assert!((495..=505).contains(&cpu) && memory == 33, "{cpu} {memory}");
    }
}

#[test]
fn ambiguous_series_are_left_out_with_a_reason() {
    let left_out = |page: &dyn Fn(i64) -> String| {
        let mut node = four_cores();
        for turn in 0..8 {
            node.page(&(page(turn) + &web(turn)));
            let used = node.used("db");
            // Until two counters come too close to each other, one reading is followed.
            let expected = [
                lacks("x", Lack::Duplicate),
                no_rate("x", NoRate::FirstPoint),
            ];
            assert!(turn == 0 || expected.contains(&used), "{turn}: {used:?}");
            assert!(turn == 0 || node.used("web").is_ok());
        }
    };
    // Equal times; counters so close that each might be the other's next.
    left_out(&|turn| {
        lines("db/x", 1.0, 57, stamp(turn)) + &lines("db/x", 90_000.0, 33, stamp(turn))
    });
    left_out(&|turn| {
        let grown = turn as f64 * 7.5;
        lines("db/x", 1000.5 + grown, 57, stamp(turn) + 41)
            + &lines("db/x", 1001.0 + grown, 33, stamp(turn) + 162)
    });
    // CPU once and memory twice, at other times than that.
    left_out(&|turn| {
        let one = lines("db/x", 1000.5 + turn as f64, 57, stamp(turn));
        let other = lines("db/x", 1.0, 33, stamp(turn) + 100);
        let (cpu, memory) = (one.lines().next().unwrap(), other.lines().nth(1).unwrap());
        let [first, second] = [100, 50].map(|millis| (stamp(turn) + millis).to_string());
        let later = memory.replace(&first, &second);
        format!("{cpu}\n{memory}\n{}\n", later.replace(" 33 ", " 57 "))
    });
}

#[test]
fn three_copies_and_those_of_the_node_are_followed_too() {
    let mut node = four_cores();
    for turn in 0..8 {
        let at = stamp(turn);
        let grown = turn as f64 * 7.5;
        let mut copies = [(9_000.0, 1), (500_000.0, 2), (70.0, 3)];
        copies.rotate_left(turn as usize % 3);
        let each = copies.iter().zip([10, 80, 300]);
        let mut body: String = each
            .clone()
            .map(|((cpu, memory), ms)| lines("db/x", cpu + grown, *memory, at + ms))
            .collect();
        for ((cpu, _), ms) in each {
            body += &node_lines(cpu * 3.0 + grown, at + ms);
        }
        node.page(&body);
        if turn > 0 {
            let (cpu, _) = node.used("db").unwrap();
            assert!((480..=520).contains(&cpu), "{cpu}");
            assert!((480..=520).contains(&node.of_node().unwrap()));
        }
    }
}

#[test]
fn an_invalid_line_is_not_a_missing_one() {
    let bad = |family: &str, value: &str| {
        format!("{family}{{container=\"x\",namespace=\"ns\",pod=\"a\"}} {value}\n")
    };
    let whole = lines("a/x", 5.0, 7, 1_800_000_000_000);
    let cpu = bad("container_cpu_usage_seconds_total", "5 -62135596800000");
    let memory = bad("container_memory_working_set_bytes", "7 -62135596800000");
    let own = |name: &str| {
        let line = whole.lines().find(|line| line.contains(name));
        format!("{}\n", line.unwrap())
    };
    for body in [
        cpu.clone() + &own("memory"),
        own("cpu") + &memory,
        cpu + &memory,
        bad("container_cpu_usage_seconds_total", "NaN 1800000000000"),
    ] {
        let mut node = Node::new();
        node.page(&body);
        assert_eq!(node.used("a"), lacks("x", Lack::BadLine), "{body}");
    }
    let mut node = Node::new();
    node.page(&own("memory"));
    assert_eq!(node.used("a"), lacks("x", Lack::NoCpu));
}

#[test]
fn the_kubelets_rate_is_used_until_the_second_sample() {
    let mut node = Node::new();
    node.scrape(&[("a/x", 1.0, 7, 1000)]);
    assert!(node.series.needs_first_rates());
    let key = ("ns".to_owned(), "a".to_owned(), "x".to_owned());
    node.series.use_first_rates(&FirstRates {
        node: None,
        containers: [(key, first_rate())].into(),
    });
    assert!(!node.series.needs_first_rates());
    node.scrape(&[("a/x", 1.0, 7, 1000)]);
    assert_eq!(
        node.cpu("a"),
        Ok(vec![42]),
        "the same point again: the stand-in stays"
    );
    node.scrape(&[("a/x", 2.5, 7, 1015)]);
    assert_eq!(node.cpu("a"), Ok(vec![100]));
}
