//! Recordings of a real cluster: six minutes of pods that crash, leak, are OOM-killed and are killed by their liveness
//! probe; and four minutes of the same pods an hour and a half later, with an outage of their node.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kubevitals_proto::kubelet::resource::{ResourceScrape, decode};
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{Cause, Certainty, IncidentKind, ProbeKind, ProbeStatus};
use serde_json::Value;

use super::{TestCluster, render};
use crate::health::usage_history::UsagePoint;

const NODE: &str = "lab";

/// A recording: the objects and pages of a cluster in some steps.
#[derive(Debug, Clone, Copy)]
struct Recording {
    folder: &'static str,
    steps: usize,
}

const LOOPS: Recording = Recording {
    folder: "recording",
    steps: 24,
};

const OUTAGE: Recording = Recording {
    folder: "recording-node-outage",
    steps: 18,
};

/// The first step of [`OUTAGE`] after which nothing reports the outage any more.
const BACK: usize = 11;

/// The parts of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Usage,
    Pods,
    Events,
    Probes,
}

use Part::{Events, Pods, Probes, Usage};

/// The order in which the engine receives the parts of a step.
type Order = [Part; 4];

const ORDERS: [Order; 5] = [
    [Usage, Pods, Events, Probes],
    [Usage, Events, Pods, Probes],
    [Probes, Usage, Events, Pods],
    [Usage, Probes, Pods, Events],
    [Usage, Pods, Probes, Events],
];

/// Plays a recording step by step.
struct Player {
    recording: Recording,
    cluster: TestCluster,
    /// The last reading of each container: time, CPU, start.
    cpu: BTreeMap<(String, String), (Timestamp, u64, Option<i64>)>,
    /// The number of steps between two readings of the counters of probes.
    probes_every: usize,
}

impl Recording {
    /// A file of a step; none if the kubelet did not respond then.
    fn file(self, step: usize, kind: &str) -> Option<String> {
        let folder: PathBuf = kubevitals_sim::fixtures().join(self.folder);
        std::fs::read_to_string(folder.join(format!("{step:02}-{kind}"))).ok()
    }

    /// The objects of a step. Without a file they are those of the step before.
    fn items(self, step: usize, kind: &str) -> Vec<Value> {
        let last = (1..=step).rev().find_map(|step| self.file(step, kind));
        let Some(text) = last else { return Vec::new() };
        let mut list: Value = serde_json::from_str(&text).unwrap();
        list["items"].as_array_mut().map(std::mem::take).unwrap()
    }

    /// The time of a step, or else the latest time in its files.
    fn time(self, step: usize) -> Timestamp {
        if let Some(time) = self.file(step, "time.txt") {
            return time.trim().parse().unwrap();
        }
        let page = self.file(step, "metrics-resource.txt").unwrap();
        let mut scrape = ResourceScrape::default();
        decode(page.as_bytes(), &mut scrape);
        let containers = scrape.containers.iter();
        let points = containers.filter_map(|(_, reading)| reading.at);
        let events = self.items(step, "events.json").into_iter();
        let events = events.filter_map(|event| event["lastTimestamp"].as_str()?.parse().ok());
        points.chain(scrape.node.at).chain(events).max().unwrap()
    }

    /// Plays the whole recording.
    fn play(self, order: Order) -> Player {
        self.play_from(1, order, 1)
    }

    /// Plays the recording from a step, with the counters of probes at every `probes_every`-th step.
    fn play_from(self, first: usize, order: Order, probes_every: usize) -> Player {
        let mut player = self.player(first, probes_every);
        for step in first..=self.steps {
            player.step(step, order);
        }
        player
    }

    /// A player at a step.
    fn player(self, first: usize, probes_every: usize) -> Player {
        Player {
            recording: self,
            cluster: TestCluster::new(self.time(first)),
            cpu: BTreeMap::new(),
            probes_every,
        }
    }
}

impl Player {
    fn step(&mut self, step: usize, order: Order) {
        self.cluster.now = self.recording.time(step).max(self.cluster.now);
        for node in self.recording.items(step, "nodes.json") {
            self.cluster.node(node);
        }
        for part in order {
            match part {
                Usage => self.usage(step),
                Pods => self.pods(step),
                Events => {
                    let mut events = self.recording.items(step, "events.json");
                    events.sort_by_key(|event| event["lastTimestamp"].as_str().map(str::to_owned));
                    for event in events {
                        self.cluster.event(event);
                    }
                }
                Probes if step.is_multiple_of(self.probes_every) => {
                    if let Some(page) = self.recording.file(step, "metrics-probes.txt") {
                        self.cluster.probes(NODE, &page);
                    }
                }
                Probes => {}
            }
        }
        self.cluster.pass(0);
    }

    fn pods(&mut self, step: usize) {
        let pods = self.recording.items(step, "pods.json");
        let exists = |name: &str| pods.iter().any(|pod| pod["metadata"]["name"] == name);
        for gone in self.cluster.pods() {
            if !exists(&gone.key.name) {
                self.cluster.delete(&gone.key.name);
            }
        }
        for pod in pods {
            self.cluster.pod(pod);
        }
    }

    fn usage(&mut self, step: usize) {
        let Some(page) = self.recording.file(step, "metrics-resource.txt") else {
            return;
        };
        let mut scrape = ResourceScrape::default();
        decode(page.as_bytes(), &mut scrape);
        for (key, reading) in &scrape.containers {
            let (Some(at), Some(cpu), Some(memory)) = (reading.at, reading.cpu_ns, reading.memory)
            else {
                continue;
            };
            let key = (key.pod.to_owned(), key.container.to_owned());
            let before = self.cpu.insert(key.clone(), (at, cpu, reading.start));
            let before = before.filter(|(time, used, start)| {
                *time < at && *used <= cpu && *start == reading.start
            });
            let rate = before.map_or(0, |(time, used, _)| {
                ((cpu - used) as f64 * 1e9 / at.since(time) as f64) as u64
            });
            let mut usage = self.cluster.usage.0.lock();
            let points = usage.entry(key).or_default();
            if points.last().is_none_or(|last| last.at < at) {
                points.push(UsagePoint {
                    at,
                    cpu: Nanocores(rate),
                    memory: Bytes(memory),
                });
            }
        }
    }
    /// The incidents, sorted.
    fn all(&self) -> Vec<Summary> {
        let incidents = self.cluster.incidents();
        let mut all: Vec<Summary> = incidents
            .iter()
            .map(|it| {
                let is_restart = it.reason == IncidentKind::Restart;
                let count = if is_restart { it.count } else { 0 };
                (it.involved.name.clone(), it.reason, it.cause, count)
            })
            .collect();
        all.sort();
        all
    }

    /// The incidents as text.
    fn render(&self) -> String {
        let incidents = self.cluster.incidents();
        let texts: Vec<String> = incidents.iter().map(|it| render(it)).collect();
        texts.join("\n")
    }

    /// The count and last-seen of each incident, in seconds.
    fn counts(&self) -> BTreeMap<String, (u64, i64)> {
        let incidents = self.cluster.incidents();
        let counts = incidents.iter().map(|it| {
            let last_seen = it.last_seen.as_secs();
            (it.metadata.name.clone(), (it.count, last_seen))
        });
        counts.collect()
    }
}

/// An incident: object, reason, cause, and the count of restarts.
type Summary = (String, IncidentKind, Cause, u64);

fn summary(name: &str, reason: IncidentKind, cause: Cause, count: u64) -> Summary {
    (name.to_owned(), reason, cause, count)
}

#[test]
fn the_recording_s_incidents() {
    insta::assert_snapshot!(LOOPS.play(ORDERS[0]).render());
}

#[test]
fn the_outage_s_incidents() {
    insta::assert_snapshot!(OUTAGE.play(ORDERS[0]).render());
}

#[test]
fn order_of_changes_does_not_matter() {
    use IncidentKind::{ProbeFailing, Restart};
    for order in ORDERS {
        let player = LOOPS.play(order);
        for it in player.cluster.incidents() {
            assert_eq!(it.certainty, Certainty::Direct, "{order:?}: {it:#?}");
            assert_eq!(it.ended, None, "{order:?}: {it:#?}");
        }
        let expected = [
            summary("crash", Restart, Cause::Exited, 6),
            summary("flaky", Restart, Cause::LivenessProbe, 7),
            summary("leak", Restart, Cause::OomKilled, 4),
            summary("notready", ProbeFailing, Cause::ReadinessProbe, 0),
            summary("oom", Restart, Cause::OomKilled, 6),
        ];
        assert_eq!(player.all(), expected, "{order:?}");
    }
}

#[test]
fn node_outage_is_one_incident_and_each_old_loop_one() {
    use IncidentKind::{NodeNotReady, ProbeFailing, Restart};
    for order in ORDERS {
        let player = OUTAGE.play(order);
        let expected = [
            summary("crash", Restart, Cause::Exited, 33),
            summary("flaky", Restart, Cause::LivenessProbe, 44),
            summary("lab", NodeNotReady, Cause::NodeLost, 0),
            summary("leak", Restart, Cause::OomKilled, 26),
            summary("notready", ProbeFailing, Cause::ReadinessProbe, 0),
            summary("oom", Restart, Cause::OomKilled, 33),
        ];
        assert_eq!(player.all(), expected, "{order:?}");
        let incidents = player.cluster.incidents();
        let mut incidents = incidents.iter();
        let node = incidents.find(|it| it.involved.kind == "Node").unwrap();
        assert!(node.message.contains("6 pods"), "{}", node.message);
        let ended = node.ended.map(Timestamp::to_rfc3339_seconds);
        assert_eq!(ended.as_deref(), Some("2026-11-29T21:30:49Z"));
    }
}

/// The incidents about the time before a server's start are the same whenever the server starts.
#[test]
fn start_at_any_state_gives_the_same_incidents() {
    for recording in [LOOPS, OUTAGE] {
        let expected = recording.play(ORDERS[0]).all();
        for first in 2..=recording.steps {
            for order in [ORDERS[0], ORDERS[2]] {
                let all = recording.play_from(first, order, 1).all();
                // Nothing reports an outage that is over.
                let is_known = |it: &&Summary| it.1 != IncidentKind::NodeNotReady || first < BACK;
                let expected: Vec<_> = expected.iter().filter(is_known).cloned().collect();
                let folder = recording.folder;
                assert_eq!(all, expected, "{folder} from step {first}, {order:?}");
            }
        }
    }
}

/// The next server reports what the last one reported, once and never with a smaller count.
#[test]
fn restart_at_any_state_gives_the_same_incidents() {
    for recording in [LOOPS, OUTAGE] {
        let expected = recording.play(ORDERS[0]).all();
        for stop in 1..recording.steps {
            let case = format!("{} stopped after {stop}", recording.folder);
            let mut player = recording.player(1, 1);
            for step in 1..=stop {
                player.step(step, ORDERS[0]);
            }
            let (first, mut last) = (player.counts(), BTreeMap::new());
            player.cluster.restart();
            for step in stop + 1..=recording.steps {
                player.step(step, ORDERS[0]);
                let now = player.counts();
                for (name, before) in first.iter().chain(&last) {
                    let now = now.get(name);
                    assert!(
                        now.is_none_or(|now| now.0 >= before.0 && now.1 >= before.1),
                        "{case}: {name} at step {step}: {before:?}, then {now:?}"
                    );
                }
                last = now;
            }
            assert_eq!(player.all(), expected, "{case}");
        }
    }
}

/// The server scrapes the counters once a minute, not at every step.
#[test]
fn counters_once_a_minute_give_the_same_incidents() {
    let all = LOOPS.play_from(1, ORDERS[0], 4).all();
    assert_eq!(all.len(), 5);
    let flaky = all.iter().find(|it| it.0 == "flaky").unwrap();
    assert_eq!((flaky.3, flaky.2), (7, Cause::LivenessProbe));
}

#[test]
fn scaled_up_pod_is_no_incident() {
    let player = LOOPS.play(ORDERS[0]);
    let pods = player.cluster.pods();
    let burners = pods.iter().filter(|pod| pod.key.name.starts_with("burner"));
    assert_eq!(burners.count(), 3);
    assert!(player.all().iter().all(|it| !it.0.starts_with("burner")));
}

#[test]
fn probe_statuses_of_the_recording() {
    use ProbeKind::{Liveness, Readiness};
    use ProbeStatus::{Failing, NotRunning, Passing};
    let mut player = LOOPS.player(1, 1);
    let mut seen = BTreeMap::new();
    for step in 1..=LOOPS.steps {
        player.step(step, ORDERS[0]);
        let cluster = &player.cluster;
        for pod in cluster.pods() {
            if !["flaky", "notready"].contains(&&*pod.key.name) {
                continue;
            }
            for probe in cluster.engine.probe_statuses(&pod, cluster.now) {
                let key = (step, probe.container, probe.kind);
                seen.insert(key, (probe.status, probe.failures));
            }
        }
    }
    let at = |step, container: &str, kind| seen[&(step, container.to_owned(), kind)];
    for (step, kind, status) in [
        (1, Liveness, (NotRunning, 0)),
        (2, Liveness, (Passing, 0)),
        // One of three attempts has failed: the probe fails, and the container is still ready.
        (3, Liveness, (Failing, 1)),
        (3, Readiness, (Passing, 1)),
        // The container has restarted and is healthy.
        (4, Readiness, (Passing, 0)),
        (5, Liveness, (Passing, 0)),
        (13, Liveness, (NotRunning, 0)),
        (18, Liveness, (Passing, 0)),
    ] {
        assert_eq!(at(step, "flaky", kind), status, "{step} {kind:?}");
    }
    assert_eq!(at(2, "app", Readiness), (Failing, 5));
    let (status, failures) = at(24, "app", Readiness);
    assert_eq!(status, Failing);
    // Events have become rare. The counter is 112, of which 5 are before the first step.
    assert!(failures >= 107, "{failures}");
}
