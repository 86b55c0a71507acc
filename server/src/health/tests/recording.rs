//! Six real minutes of pods that crash, leak, are OOM-killed and are killed by their liveness probe; and four minutes
//! of the same pods after an hour and a half, with an outage of their node.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use kubevitals_proto::kubelet::resource::{ResourceScrape, decode};
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{Cause, Certainty, Incident, IncidentKind, ProbeKind, ProbeStatus};
use serde_json::Value;

use super::super::usage_history::UsagePoint;
use super::{TestCluster, render};
use crate::cluster::PodKey;

const STEPS: usize = 24;
const NODE: &str = "lab";

/// Looks at a cluster that were recorded.
#[derive(Debug, Clone, Copy)]
struct Recording {
    folder: &'static str,
    steps: usize,
}

const LOOPS: Recording = Recording {
    folder: "recording",
    steps: STEPS,
};

const OUTAGE: Recording = Recording {
    folder: "recording-node-outage",
    steps: 18,
};

/// The first look of [`OUTAGE`] after which nothing tells of the outage any more.
const BACK: usize = 11;

/// In which order the parts of a look are told.
type Order = [GroupRole; 4];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GroupRole {
    Usage,
    Pods,
    Events,
    Probes,
}

use GroupRole::{Events, Pods, Probes, Usage};

/// The recording, told look by look.
struct Player {
    recording: Recording,
    cluster: TestCluster,
    /// The last reading of each container: time, CPU, start.
    cpu: BTreeMap<(String, String), (Timestamp, u64, Option<i64>)>,
    /// How many looks lie between two at the counters.
    probes_every: usize,
}

impl Recording {
    /// A file of a look; none if the kubelet did not answer then.
    fn file(self, step: usize, kind: &str) -> Option<String> {
        let folder: PathBuf = kubevitals_sim::fixtures().join(self.folder);
        std::fs::read_to_string(folder.join(format!("{step:02}-{kind}"))).ok()
    }

    /// The objects as of a look: a look is without those that were as before.
    fn items(self, step: usize, kind: &str) -> Vec<Value> {
        let last = (1..=step).rev().find_map(|step| self.file(step, kind));
        let Some(text) = last else { return Vec::new() };
        let mut list: Value = serde_json::from_str(&text).unwrap();
        list["items"].as_array_mut().map(std::mem::take).unwrap()
    }

    /// When a look was taken, or else the latest time that it speaks of.
    fn time(self, step: usize) -> Timestamp {
        if let Some(time) = self.file(step, "time.txt") {
            return time.trim().parse().unwrap();
        }
        let page = self.file(step, "metrics-resource.txt").unwrap();
        let mut scrape = ResourceScrape::default();
        decode(page.as_bytes(), &mut scrape);
        let points = scrape
            .containers
            .iter()
            .filter_map(|(_, reading)| reading.at);
        let events = self.items(step, "events.json").into_iter();
        let events = events.filter_map(|event| event["lastTimestamp"].as_str()?.parse().ok());
        points.chain(scrape.node.at).chain(events).max().unwrap()
    }
}

impl Player {
    fn new(probes_every: usize) -> Self {
        Self::of(LOOPS, probes_every)
    }

    fn of(recording: Recording, probes_every: usize) -> Self {
        Self {
            recording,
            cluster: TestCluster::new(recording.time(1)),
            cpu: BTreeMap::new(),
            probes_every,
        }
    }

    fn play(&mut self, order: Order) {
        self.play_from(1, order);
    }

    /// Plays what a server sees that starts at a look.
    fn play_from(&mut self, first: usize, order: Order) {
        self.cluster.now = self.recording.time(first);
        for step in first..=self.recording.steps {
            self.step(step, order);
        }
    }

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
        let name = |pod: &Value| PodKey {
            namespace: pod["metadata"]["namespace"].as_str().unwrap().into(),
            name: pod["metadata"]["name"].as_str().unwrap().into(),
        };
        let there: Vec<PodKey> = pods.iter().map(name).collect();
        for gone in self.cluster.pods() {
            if !there.contains(&gone.key) {
                self.cluster.delete(&gone.key);
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
}

#[test]
fn the_recording_s_incidents() {
    let mut player = Player::new(1);
    player.play([Usage, Pods, Events, Probes]);
    let incidents = player.cluster.incidents();
    let text: Vec<String> = incidents.iter().map(|incident| render(incident)).collect();
    insta::assert_snapshot!(text.join("\n"));
}

/// What each incident is, whatever was told first.
#[test]
fn order_of_changes_does_not_matter() {
    for order in [
        [Usage, Events, Pods, Probes],
        [Probes, Usage, Events, Pods],
        [Usage, Probes, Pods, Events],
        [Usage, Pods, Probes, Events],
    ] {
        let mut player = Player::new(1);
        player.play(order);
        let mut all: Vec<_> = player
            .cluster
            .incidents()
            .iter()
            .map(|it| {
                let what = (it.involved.name.clone(), it.reason, it.cause, it.certainty);
                (what, it.ended.is_none())
            })
            .collect();
        all.sort();
        let of =
            |name: &str, reason, cause| ((name.to_owned(), reason, cause, Certainty::Direct), true);
        let expected = [
            of("crash", IncidentKind::Restart, Cause::Exited),
            of("flaky", IncidentKind::Restart, Cause::LivenessProbe),
            of("leak", IncidentKind::Restart, Cause::OomKilled),
            of(
                "notready",
                IncidentKind::ProbeFailing,
                Cause::ReadinessProbe,
            ),
            of("oom", IncidentKind::Restart, Cause::OomKilled),
        ];
        assert_eq!(all, expected, "{order:?}");
    }
}

/// What an incident is about, and how often it happened where that is known to the last one.
type What = (String, IncidentKind, Cause, u64);

fn what(incident: &Incident) -> What {
    let count = match incident.reason {
        IncidentKind::Restart => incident.count,
        _ => 0,
    };
    (
        incident.involved.name.clone(),
        incident.reason,
        incident.cause,
        count,
    )
}

/// The node's outage is one incident, and each loop is one with its cause, whatever is told first: nothing else is.
#[test]
fn node_outage_is_one_incident_and_each_old_loop_one() {
    for order in [
        [Usage, Pods, Events, Probes],
        [Usage, Events, Pods, Probes],
        [Probes, Usage, Events, Pods],
        [Usage, Probes, Pods, Events],
    ] {
        let mut player = Player::of(OUTAGE, 1);
        player.play(order);
        let incidents = player.cluster.incidents();
        let mut all: Vec<What> = incidents.iter().map(|it| what(it)).collect();
        all.sort();
        use IncidentKind::{NodeNotReady, ProbeFailing, Restart};
        let of = |name: &str, reason, cause, count| (name.to_owned(), reason, cause, count);
        let expected = [
            of("crash", Restart, Cause::Exited, 33),
            of("flaky", Restart, Cause::LivenessProbe, 44),
            of("lab", NodeNotReady, Cause::NodeLost, 0),
            of("leak", Restart, Cause::OomKilled, 26),
            of("notready", ProbeFailing, Cause::ReadinessProbe, 0),
            of("oom", Restart, Cause::OomKilled, 33),
        ];
        assert_eq!(all, expected, "{order:?}");
        let node = incidents
            .iter()
            .find(|it| it.involved.kind == "Node")
            .unwrap();
        assert!(node.message.contains("6 pods"), "{}", node.message);
        assert_eq!(
            node.ended.map(Timestamp::to_rfc3339_seconds).as_deref(),
            Some("2026-11-29T21:30:49Z")
        );
    }
}

#[test]
fn the_outage_s_incidents() {
    let mut player = Player::of(OUTAGE, 1);
    player.play([Usage, Pods, Events, Probes]);
    let incidents = player.cluster.incidents();
    let text: Vec<String> = incidents.iter().map(|incident| render(incident)).collect();
    insta::assert_snapshot!(text.join("\n"));
}

/// What is told of the time before a server's start is the same whenever it starts: what, of whom, why and how often.
#[test]
fn start_at_any_state_gives_the_same_incidents() {
    for recording in [LOOPS, OUTAGE] {
        let mut of_all = Player::of(recording, 1);
        of_all.play([Usage, Pods, Events, Probes]);
        let mut expected: Vec<What> = of_all
            .cluster
            .incidents()
            .iter()
            .map(|it| what(it))
            .collect();
        expected.sort();
        for first in 2..=recording.steps {
            for order in [[Usage, Pods, Events, Probes], [Probes, Usage, Events, Pods]] {
                let mut player = Player::of(recording, 1);
                player.play_from(first, order);
                let mut all: Vec<What> = player
                    .cluster
                    .incidents()
                    .iter()
                    .map(|it| what(it))
                    .collect();
                all.sort();
                // Nothing tells of an outage that is over.
                let known = |it: &&What| it.1 != IncidentKind::NodeNotReady || first < BACK;
                let expected: Vec<What> = expected.iter().filter(known).cloned().collect();
                assert_eq!(
                    all, expected,
                    "{} from look {first}, {order:?}",
                    recording.folder
                );
            }
        }
    }
}

/// What is taken over from one server to the next is told once, and never less often than before.
#[test]
fn restart_at_any_state_gives_the_same_incidents() {
    for recording in [LOOPS, OUTAGE] {
        for stop in 1..recording.steps {
            let mut player = Player::of(recording, 1);
            for step in 1..=stop {
                player.step(step, [Usage, Pods, Events, Probes]);
            }
            let before = player.cluster.incidents();
            player.cluster.restart();
            let counts = |all: &[Arc<Incident>]| -> BTreeMap<String, (u64, i64)> {
                let all = all.iter();
                all.map(|it| (it.metadata.name.clone(), (it.count, it.last_seen.as_secs())))
                    .collect()
            };
            let (before, mut known) = (counts(&before), BTreeMap::new());
            for step in stop + 1..=recording.steps {
                player.step(step, [Usage, Pods, Events, Probes]);
                let now = counts(&player.cluster.incidents());
                for (name, last) in before.iter().chain(&known) {
                    let now = now.get(name);
                    assert!(
                        now.is_none_or(|now| now.0 >= last.0 && now.1 >= last.1),
                        "{}: {name} at look {step} after {stop}: {last:?}, then {now:?}",
                        recording.folder
                    );
                }
                known = now;
            }
            let mut all: Vec<What> = player
                .cluster
                .incidents()
                .iter()
                .map(|it| what(it))
                .collect();
            all.sort();
            let mut whole = Player::of(recording, 1);
            whole.play([Usage, Pods, Events, Probes]);
            let mut expected: Vec<What> = whole
                .cluster
                .incidents()
                .iter()
                .map(|it| what(it))
                .collect();
            expected.sort();
            assert_eq!(all, expected, "{} stopped after {stop}", recording.folder);
        }
    }
}

/// The kubelet is asked for its counters once a minute, not at every look.
#[test]
fn counters_once_a_minute_give_the_same_incidents() {
    let mut player = Player::new(4);
    player.play([Usage, Pods, Events, Probes]);
    let incidents = player.cluster.incidents();
    assert_eq!(incidents.len(), 5);
    let flaky = incidents
        .iter()
        .find(|it| it.involved.name == "flaky")
        .unwrap();
    assert_eq!((flaky.count, flaky.cause), (7, Cause::LivenessProbe));
}

#[test]
fn scaled_up_pod_is_no_incident() {
    let mut player = Player::new(1);
    player.play([Usage, Pods, Events, Probes]);
    let pods = player.cluster.pods();
    let burners = pods.iter().filter(|pod| pod.key.name.starts_with("burner"));
    assert_eq!(burners.count(), 3);
    let incidents = player.cluster.incidents();
    assert!(
        incidents
            .iter()
            .all(|it| !it.involved.name.starts_with("burner"))
    );
}

#[test]
fn probe_statuses_of_the_recording() {
    let mut player = Player::new(1);
    let mut seen = Vec::new();
    for step in 1..=STEPS {
        player.step(step, [Usage, Pods, Events, Probes]);
        for pod in ["flaky", "notready"] {
            let cluster = &player.cluster;
            let pods = cluster.pods();
            let pod = pods.iter().find(|it| &*it.key.name == pod).unwrap();
            for probe in cluster.engine.probe_statuses(pod, cluster.now) {
                seen.push((
                    step,
                    probe.container.clone(),
                    probe.kind,
                    probe.status,
                    probe.failures,
                ));
            }
        }
    }
    let at = |step, container: &str, kind| {
        let found = seen
            .iter()
            .find(|it| it.0 == step && it.1 == container && it.2 == kind);
        found.map(|it| (it.3, it.4)).unwrap()
    };
    use ProbeKind::{Liveness, Readiness};
    use ProbeStatus::{Failing, NotRunning, Passing};
    assert_eq!(at(1, "flaky", Liveness), (NotRunning, 0));
    assert_eq!(at(2, "flaky", Liveness), (Passing, 0));
    // One failed attempt of three: it fails, and is ready still.
    assert_eq!(at(3, "flaky", Liveness), (Failing, 1));
    assert_eq!(at(3, "flaky", Readiness), (Passing, 1));
    // Started again, and well.
    assert_eq!(at(4, "flaky", Readiness), (Passing, 0));
    assert_eq!(at(5, "flaky", Liveness), (Passing, 0));
    assert_eq!(at(13, "flaky", Liveness), (NotRunning, 0));
    assert_eq!(at(18, "flaky", Liveness), (Passing, 0));
    assert_eq!(at(2, "app", Readiness), (Failing, 5));
    assert_eq!(at(24, "app", Readiness).0, Failing);
    // Events have become rare; the counter still tells: 112, of which 5 before the first look.
    assert!(
        at(24, "app", Readiness).1 >= 107,
        "{:?}",
        at(24, "app", Readiness)
    );
}
