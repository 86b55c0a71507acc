//! Six real minutes of pods that crash, leak, are OOM-killed and are killed by their liveness probe.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kubevitals_proto::kubelet::resource::{ResourceScrape, decode};
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{Cause, Certainty, IncidentKind, ProbeKind, ProbeStatus};
use serde_json::Value;

use super::super::past::Point;
use super::{Told, render};
use crate::cluster::PodKey;

const STEPS: usize = 24;
const NODE: &str = "lab";

/// In which order the parts of a look are told.
type Order = [Part; 4];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Usage,
    Pods,
    Events,
    Probes,
}

use Part::{Events, Pods, Probes, Usage};

/// The recording, told look by look.
struct Player {
    told: Told,
    /// The last reading of each container: time, CPU, start.
    cpu: BTreeMap<(String, String), (Timestamp, u64, Option<i64>)>,
    /// How many looks lie between two at the counters.
    probes_every: usize,
}

fn file(step: usize, kind: &str) -> String {
    let folder: PathBuf = kubevitals_sim::fixtures().join("recording");
    std::fs::read_to_string(folder.join(format!("{step:02}-{kind}"))).unwrap()
}

fn items(step: usize, kind: &str) -> Vec<Value> {
    let mut list: Value = serde_json::from_str(&file(step, kind)).unwrap();
    list["items"].as_array_mut().map(std::mem::take).unwrap()
}

/// The latest time that a look speaks of.
fn time_of(step: usize) -> Timestamp {
    let page = file(step, "metrics-resource.txt");
    let mut scrape = ResourceScrape::default();
    decode(page.as_bytes(), &mut scrape);
    let points = scrape
        .containers
        .iter()
        .filter_map(|(_, reading)| reading.at);
    let events = items(step, "events.json").into_iter();
    let events = events.filter_map(|event| event["lastTimestamp"].as_str()?.parse().ok());
    points.chain(scrape.node.at).chain(events).max().unwrap()
}

impl Player {
    fn new(probes_every: usize) -> Self {
        Self {
            told: Told::new(time_of(1)),
            cpu: BTreeMap::new(),
            probes_every,
        }
    }

    fn play(&mut self, order: Order) {
        for step in 1..=STEPS {
            self.step(step, order);
        }
    }

    fn step(&mut self, step: usize, order: Order) {
        self.told.now = time_of(step).max(self.told.now);
        for part in order {
            match part {
                Usage => self.usage(step),
                Pods => self.pods(step),
                Events => {
                    let mut events = items(step, "events.json");
                    events.sort_by_key(|event| event["lastTimestamp"].as_str().map(str::to_owned));
                    for event in events {
                        self.told.event(event);
                    }
                }
                Probes if step.is_multiple_of(self.probes_every) => {
                    self.told.probes(NODE, &file(step, "metrics-probes.txt"));
                }
                Probes => {}
            }
        }
        self.told.tick();
    }

    fn pods(&mut self, step: usize) {
        let pods = items(step, "pods.json");
        let name = |pod: &Value| PodKey {
            namespace: pod["metadata"]["namespace"].as_str().unwrap().into(),
            name: pod["metadata"]["name"].as_str().unwrap().into(),
        };
        let there: Vec<PodKey> = pods.iter().map(name).collect();
        let gone: Vec<PodKey> = self
            .told
            .pods
            .keys()
            .filter(|key| !there.contains(key))
            .cloned()
            .collect();
        for key in gone {
            self.told.delete(&key);
        }
        for pod in pods {
            self.told.pod(pod);
        }
    }

    fn usage(&mut self, step: usize) {
        let page = file(step, "metrics-resource.txt");
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
            let points = self.told.past.0.entry(key).or_default();
            if points.last().is_none_or(|last| last.at < at) {
                points.push(Point {
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
    let incidents = player.told.incidents();
    let text: Vec<String> = incidents.iter().map(|incident| render(incident)).collect();
    insta::assert_snapshot!(text.join("\n"));
}

/// What each incident is, whatever was told first.
#[test]
fn it_does_not_matter_what_is_told_first() {
    for order in [
        [Usage, Events, Pods, Probes],
        [Probes, Usage, Events, Pods],
        [Usage, Probes, Pods, Events],
        [Usage, Pods, Probes, Events],
    ] {
        let mut player = Player::new(1);
        player.play(order);
        let mut all: Vec<_> = player
            .told
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

/// The kubelet is asked for its counters once a minute, not at every look.
#[test]
fn counters_seen_once_a_minute_tell_the_same() {
    let mut player = Player::new(4);
    player.play([Usage, Pods, Events, Probes]);
    let incidents = player.told.incidents();
    assert_eq!(incidents.len(), 5);
    let flaky = incidents
        .iter()
        .find(|it| it.involved.name == "flaky")
        .unwrap();
    assert_eq!((flaky.count, flaky.cause), (7, Cause::LivenessProbe));
}

#[test]
fn a_pod_that_was_scaled_up_is_no_incident() {
    let mut player = Player::new(1);
    player.play([Usage, Pods, Events, Probes]);
    let pods = player.told.pods.keys();
    assert_eq!(pods.filter(|key| key.name.starts_with("burner")).count(), 3);
    let incidents = player.told.incidents();
    assert!(
        incidents
            .iter()
            .all(|it| !it.involved.name.starts_with("burner"))
    );
}

#[test]
fn probes_are_as_the_recording_shows_them() {
    let mut player = Player::new(1);
    let mut seen = Vec::new();
    for step in 1..=STEPS {
        player.step(step, [Usage, Pods, Events, Probes]);
        for pod in ["flaky", "notready"] {
            let pod = player.told.pods.iter().find(|(key, _)| &*key.name == pod);
            let statuses = player
                .told
                .engine
                .probe_statuses(pod.unwrap().1, player.told.now);
            for probe in statuses {
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
