//! A cluster in which things go wrong, the same at each run: what snapshots, pictures and benchmarks show.
//!
//! A shop's web and search, its payments, what a cluster needs for itself. Everything follows from the time it is asked
//! of: load goes up and down, one container's memory grows until the kernel kills it, another one is killed by its
//! liveness probe.

use std::f64::consts::TAU;

use kubevitals::model::row::{
    Claim, ClaimPhase, ClaimReason, ClusterRow, HpaMetric, HpaRow, IncidentRow, Limited,
    MetricKind, NodeRow, PodRow, VolumeUsage,
};
use kubevitals::model::{
    Batch, Condition, Detail, Event, Key, Message, Names, Outcome, Part, SourceKind, State,
    Subject, VolumeChange, apply,
};
use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{
    Absence, Amounts, Cause, Certainty, ContainerState, ContainerVitals, Ended, Evidence, History,
    Incident, IncidentKind, Involved, LastRestart, Mark, Meta, NodeVitals, PodCapacity, PodVitals,
    Point, Probe, ProbeKind, ProbeStatus, Quantiles, Restarts, Role, Series, Source, Span, Usage,
    Workload,
};

const MI: u64 = 1 << 20;
const GI: u64 = 1 << 30;
const MILLI: u64 = 1_000_000;
/// Seconds between two readings.
const STEP: i64 = 15;

/// When everything is looked at: `2026-07-08T14:30:00Z`.
pub(crate) const NOW: i64 = 1_783_521_000;

/// The cluster, of so many nodes and pods a node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shop {
    pub(crate) nodes: usize,
    pub(crate) pods_per_node: usize,
}

/// What is wrong with a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    None,
    /// Its memory grows until the kernel kills it.
    OomKilled,
    /// Its liveness probe fails and the kubelet kills it.
    Liveness,
    /// It ends by itself again and again.
    Crashes,
    /// Its image is not there.
    NoImage,
    /// It has done what it was for.
    Done,
    /// It is not known what it uses.
    NoUsage,
}

struct Kind {
    namespace: &'static str,
    workload: (&'static str, &'static str),
    containers: &'static [&'static str],
    cpu: u64,
    memory: u64,
    trouble: Trouble,
}

const KINDS: [Kind; 14] = [
    kind(
        "shop",
        ("Deployment", "web"),
        &["web", "istio-proxy"],
        240,
        210,
        Trouble::None,
    ),
    kind(
        "shop",
        ("Deployment", "search"),
        &["search"],
        410,
        620,
        Trouble::OomKilled,
    ),
    kind(
        "payments",
        ("Deployment", "ledger"),
        &["ledger"],
        90,
        300,
        Trouble::Liveness,
    ),
    kind(
        "payments",
        ("Deployment", "fraud-score"),
        &["fraud-score"],
        530,
        770,
        Trouble::None,
    ),
    kind(
        "shop",
        ("StatefulSet", "postgres"),
        &["postgres", "exporter"],
        320,
        1_250,
        Trouble::None,
    ),
    kind(
        "payments",
        ("Deployment", "reconcile"),
        &["reconcile"],
        20,
        60,
        Trouble::Crashes,
    ),
    kind(
        "kube-system",
        ("DaemonSet", "node-local-dns"),
        &["node-cache"],
        12,
        28,
        Trouble::None,
    ),
    kind(
        "monitoring",
        ("StatefulSet", "prometheus"),
        &["prometheus", "reloader"],
        350,
        1_800,
        Trouble::None,
    ),
    kind(
        "shop",
        (
            "Deployment",
            "checkout-with-a-name-that-is-longer-than-any-column",
        ),
        &["checkout"],
        130,
        190,
        Trouble::NoUsage,
    ),
    kind(
        "kube-system",
        ("Deployment", "coredns"),
        &["coredns"],
        25,
        40,
        Trouble::None,
    ),
    kind(
        "shop",
        ("Deployment", "recommend"),
        &["recommend"],
        0,
        0,
        Trouble::NoImage,
    ),
    kind(
        "payments",
        ("Job", "nightly-report"),
        &["report"],
        0,
        0,
        Trouble::Done,
    ),
    kind(
        "shop",
        ("Deployment", "cart"),
        &["cart"],
        75,
        130,
        Trouble::None,
    ),
    kind(
        "kube-system",
        ("DaemonSet", "kube-proxy"),
        &["kube-proxy"],
        8,
        35,
        Trouble::None,
    ),
];

const fn kind(
    namespace: &'static str,
    workload: (&'static str, &'static str),
    containers: &'static [&'static str],
    cpu: u64,
    memory: u64,
    trouble: Trouble,
) -> Kind {
    Kind {
        namespace,
        workload,
        containers,
        cpu,
        memory,
        trouble,
    }
}

/// The same scattered number for the same two.
fn dice(a: usize, b: u64) -> u64 {
    let mut x =
        (a as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ b.wrapping_mul(0xD1B5_4A32_D192_ED03);
    x ^= x >> 31;
    x = x.wrapping_mul(0x7FB5_D329_728E_A185);
    x ^ (x >> 27)
}

fn cpu(nanocores: u64) -> Quantity {
    Nanocores(nanocores).into()
}

fn bytes(bytes: u64) -> Quantity {
    Bytes(bytes).into()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(seconds)
}

fn ago(seconds: i64) -> Timestamp {
    at(NOW - seconds)
}

/// When a pod in trouble was restarted last, and every so often before.
fn restart(trouble: Trouble) -> Option<(i64, i64)> {
    match trouble {
        Trouble::OomKilled => Some((190, 780)),
        Trouble::Liveness => Some((400, 1_500)),
        Trouble::Crashes => Some((75, 310)),
        _ => None,
    }
}

impl Shop {
    /// How many pods there are.
    pub(crate) const fn pods(&self) -> usize {
        self.nodes * self.pods_per_node
    }

    fn kind(index: usize) -> &'static Kind {
        let count = KINDS.len();
        // In large clusters trouble is rare.
        let kind = &KINDS[index % count];
        if index >= 3 * count && kind.trouble != Trouble::None && !index.is_multiple_of(97) {
            return &KINDS[(index * 7 + 12) % 2 * 12];
        }
        kind
    }

    fn pod_name(index: usize) -> String {
        let (kind, name) = Self::kind(index).workload;
        let replica = index / KINDS.len();
        let letters = |number: u64| -> String {
            const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
            (0..5)
                .map(|place| {
                    char::from(ALPHABET[(number >> (place * 5)) as usize % ALPHABET.len()])
                })
                .collect()
        };
        match kind {
            "StatefulSet" => format!("{name}-{replica}"),
            "DaemonSet" => format!("{name}-{}", letters(dice(index, 3))),
            _ => format!(
                "{name}-{}{}-{}",
                letters(dice(name.len(), 1)),
                letters(dice(name.len(), 2)),
                letters(dice(index, 4))
            ),
        }
    }

    fn node_name(&self, node: usize) -> String {
        format!("node-{node:04}")
    }

    /// What a container uses at a time, before what grows.
    fn load(index: usize, kind: &Kind, part: usize, time: i64) -> (u64, u64) {
        let phase = (dice(index, 7) % 1_000) as f64 / 1_000.0;
        let wave = (TAU * (time as f64 / 1_700.0 + phase)).sin() * 0.35
            + (TAU * (time as f64 / 210.0 + phase)).sin() * 0.1;
        let noise = (dice(index, time as u64) % 1_000) as f64 / 1_000.0 * 0.12;
        let share = if part == 0 { 1.0 } else { 0.12 };
        let size = 0.7 + (dice(index, 11) % 600) as f64 / 1_000.0;
        let cpu = kind.cpu as f64 * share * size * (0.75 + wave + noise);
        let mut memory = kind.memory as f64 * share * size * (0.9 + wave * 0.1);
        if kind.trouble == Trouble::OomKilled && part == 0 {
            let (last, every) = restart(kind.trouble).unwrap();
            let since = (time - (NOW - last)).rem_euclid(every);
            memory = 300.0 + 724.0 * (since as f64 / every as f64);
        }
        (
            (cpu.max(1.0) * MILLI as f64) as u64,
            (memory.max(1.0) * MI as f64) as u64,
        )
    }

    /// A pod as it is at a time.
    pub(crate) fn pod(&self, index: usize, time: i64) -> PodVitals {
        let kind = Self::kind(index);
        let trouble = kind.trouble;
        let name = Self::pod_name(index);
        let runs = !matches!(trouble, Trouble::NoImage | Trouble::Done);
        let has_usage = runs && trouble != Trouble::NoUsage;
        let restarts = Self::restarts(kind, time);
        let mut probes = Vec::new();
        let containers: Vec<ContainerVitals> = kind
            .containers
            .iter()
            .enumerate()
            .map(|(part, container)| {
                let (used, memory) = Self::load(index, kind, part, time);
                let main = part == 0;
                if main {
                    probes = Self::probes(kind, container);
                }
                let usage = has_usage.then(|| usage(used, memory, time));
                let requests = amounts(kind.cpu * MILLI * 4 / 5, kind.memory * MI, main);
                let limits = amounts(
                    kind.cpu * MILLI * 2,
                    if trouble == Trouble::OomKilled {
                        GI
                    } else {
                        kind.memory * MI * 3 / 2
                    },
                    main,
                );
                ContainerVitals {
                    name: (*container).to_owned(),
                    role: if *container == "istio-proxy" {
                        Role::Sidecar
                    } else {
                        Role::App
                    },
                    state: state(trouble, main),
                    ready: ready(trouble) || !main,
                    started: runs,
                    usage,
                    requests,
                    limits,
                    restarts: if main {
                        restarts.clone()
                    } else {
                        Restarts::default()
                    },
                    ..ContainerVitals::default()
                }
            })
            .collect();
        let sum = |get: fn(&ContainerVitals) -> Option<(u64, u64)>| {
            containers
                .iter()
                .filter_map(get)
                .fold((0, 0), |sum, more| (sum.0 + more.0, sum.1 + more.1))
        };
        let used = sum(|container| {
            let usage = container.usage.as_ref()?;
            Some((usage.cpu.to_nanocores().0, usage.memory.to_bytes().0))
        });
        let (phase, status) = match trouble {
            Trouble::NoImage => ("Pending", "ImagePullBackOff"),
            Trouble::Done => ("Succeeded", "Completed"),
            Trouble::Crashes => ("Running", "CrashLoopBackOff"),
            _ => ("Running", "Running"),
        };
        let total = containers.len() as u32;
        PodVitals {
            metadata: Meta {
                name: name.clone(),
                namespace: kind.namespace.to_owned(),
                uid: format!("00000000-0000-4000-8000-{index:012}"),
                creation_timestamp: Some(ago(3_600 + (dice(index, 21) % 900_000) as i64)),
                labels: [("app.kubernetes.io/name", kind.workload.1)]
                    .into_iter()
                    .collect(),
                ..Meta::default()
            },
            phase: phase.to_owned(),
            status: status.to_owned(),
            message: match trouble {
                Trouble::NoImage => {
                    "Back-off pulling image \"registry.example/recommend:v9\"".to_owned()
                }
                _ => String::new(),
            },
            ready: ready(trouble),
            ready_containers: if ready(trouble) { total } else { total - 1 },
            total_containers: total,
            node_name: if trouble == Trouble::NoImage {
                String::new()
            } else {
                self.node_name(index % self.nodes)
            },
            workload: Some(Workload {
                kind: kind.workload.0.to_owned(),
                name: kind.workload.1.to_owned(),
            }),
            usage: has_usage.then(|| usage(used.0, used.1, time)),
            absent: (!has_usage && runs).then(|| Absence {
                reason: "NotReported".to_owned(),
                message: "the kubelet does not report the container checkout".to_owned(),
            }),
            requests: containers
                .first()
                .map(|container| container.requests.clone())
                .unwrap_or_default(),
            limits: containers
                .first()
                .map(|container| container.limits.clone())
                .unwrap_or_default(),
            restarts,
            probes,
            containers,
            ..PodVitals::default()
        }
    }

    fn restarts(kind: &Kind, time: i64) -> Restarts {
        let Some((last, every)) = restart(kind.trouble) else {
            return Restarts::default();
        };
        let finished = if time >= NOW - last {
            NOW - last
        } else {
            NOW - last - every
        };
        let (exit_code, reason, cause, certainty) = match kind.trouble {
            Trouble::OomKilled => (137, "OOMKilled", Cause::OomKilled, Certainty::Direct),
            Trouble::Liveness => (137, "Error", Cause::LivenessProbe, Certainty::Direct),
            _ => (1, "Error", Cause::Exited, Certainty::Direct),
        };
        Restarts {
            count: if kind.trouble == Trouble::Crashes {
                17
            } else {
                4
            },
            recent: 3,
            last: Some(LastRestart {
                container: kind.containers[0].to_owned(),
                ended: Ended {
                    exit_code,
                    reason: reason.to_owned(),
                    started: Some(at(finished - every)),
                    finished: Some(at(finished)),
                    ..Ended::default()
                },
                cause,
                certainty,
            }),
        }
    }

    fn probes(kind: &Kind, container: &str) -> Vec<Probe> {
        let failing = kind.trouble == Trouble::Liveness;
        let idle = matches!(
            kind.trouble,
            Trouble::NoImage | Trouble::Done | Trouble::Crashes
        );
        if kind.cpu < 20 {
            return Vec::new();
        }
        [ProbeKind::Liveness, ProbeKind::Readiness]
            .into_iter()
            .map(|probe| {
                let fails = failing && probe == ProbeKind::Liveness;
                Probe {
                    container: container.to_owned(),
                    kind: probe,
                    status: match (idle, fails) {
                        (true, _) => ProbeStatus::NotRunning,
                        (_, true) => ProbeStatus::Failing,
                        _ => ProbeStatus::Passing,
                    },
                    failures: if fails { 2 } else { 0 },
                    threshold: 3,
                    since: Some(ago(if fails { 55 } else { 4_000 })),
                    message: if fails {
                        "HTTP probe failed with statuscode: 503".to_owned()
                    } else {
                        String::new()
                    },
                    asks: "http-get http://:8080/healthz delay=5s timeout=1s period=10s #success=1 #failure=3".to_owned(),
                }
            })
            .collect()
    }

    /// A node as it is at a time, its pods and the system together.
    pub(crate) fn node(&self, node: usize, pods: &[PodVitals], time: i64) -> NodeVitals {
        let name = self.node_name(node);
        // Of many nodes a sample stands for the sums: what a bench draws need not add up.
        let mine: Vec<&PodVitals> = if self.nodes > 100 {
            pods.iter()
                .skip(node % 50)
                .step_by(50.max(self.nodes))
                .collect()
        } else {
            pods.iter().filter(|pod| pod.node_name == name).collect()
        };
        let used: (u64, u64) = mine.iter().filter_map(|pod| pod.usage.as_ref()).fold(
            (180 * MILLI, 900 * MI),
            |sum, usage| {
                (
                    sum.0 + usage.cpu.to_nanocores().0,
                    sum.1 + usage.memory.to_bytes().0,
                )
            },
        );
        let requested: (u64, u64) = mine.iter().fold((100 * MILLI, 200 * MI), |sum, pod| {
            let amount = |quantity: Option<Quantity>| quantity.unwrap_or_default();
            (
                sum.0 + amount(pod.requests.cpu).to_nanocores().0,
                sum.1 + amount(pod.requests.memory).to_bytes().0,
            )
        });
        let lost = node == 2 && self.nodes > 2;
        let capacity = amounts(4_000 * MILLI, 16 * GI, true);
        NodeVitals {
            metadata: Meta {
                name,
                creation_timestamp: Some(ago(2_000_000)),
                labels: [(
                    "kubernetes.io/arch",
                    if node.is_multiple_of(2) {
                        "amd64"
                    } else {
                        "arm64"
                    },
                )]
                .into_iter()
                .collect(),
                ..Meta::default()
            },
            status: if lost { "NotReady" } else { "Ready" }.to_owned(),
            ready: !lost,
            usage: (!lost).then(|| usage(used.0, used.1, time)),
            absent: lost.then(|| Absence {
                reason: "Unreachable".to_owned(),
                message: "the kubelet has not answered for 4m".to_owned(),
            }),
            allocatable: capacity.clone(),
            capacity,
            requests: amounts(requested.0, requested.1, true),
            pods: PodCapacity {
                count: mine.len() as u64,
                capacity: 110,
            },
            restarts: if node == 1 { 7 } else { 0 },
            ..NodeVitals::default()
        }
    }

    fn incidents(&self) -> Vec<Incident> {
        let incident = |index: usize,
                        reason,
                        cause,
                        began: i64,
                        seen: i64,
                        open: bool,
                        count,
                        message: &str| {
            let kind = &KINDS[index];
            Incident {
                metadata: Meta {
                    name: format!("{}-{}", Self::pod_name(index), began),
                    namespace: kind.namespace.to_owned(),
                    creation_timestamp: Some(ago(began)),
                    ..Meta::default()
                },
                reason,
                cause,
                certainty: Certainty::Direct,
                message: message.to_owned(),
                involved: Involved {
                    kind: "Pod".to_owned(),
                    namespace: kind.namespace.to_owned(),
                    name: Self::pod_name(index),
                    container: kind.containers[0].to_owned(),
                    node: self.node_name(index % self.nodes),
                    ..Involved::default()
                },
                began: ago(began),
                last_seen: ago(seen),
                ended: (!open).then(|| ago(seen)),
                count,
                last_ended: (reason == IncidentKind::Restart).then(|| Ended {
                    exit_code: if cause == Cause::Exited { 1 } else { 137 },
                    finished: Some(ago(seen)),
                    ..Ended::default()
                }),
                evidence: vec![
                    Evidence {
                        time: ago(seen),
                        source: Source::Status,
                        text: "lastState.terminated says how it ended".to_owned(),
                    },
                    Evidence {
                        time: ago(seen + 5),
                        source: Source::History,
                        text: "memory was at 1.0Gi of 1.0Gi 5s before".to_owned(),
                    },
                ],
                ..Incident::default()
            }
        };
        vec![
            incident(
                1,
                IncidentKind::Restart,
                Cause::OomKilled,
                2_530,
                190,
                true,
                4,
                "Container search was OOM-killed 4 times; it is running again",
            ),
            incident(
                2,
                IncidentKind::Restart,
                Cause::LivenessProbe,
                1_900,
                400,
                false,
                2,
                "Container ledger was killed twice because its liveness probe failed; it is ready again",
            ),
            incident(
                2,
                IncidentKind::ProbeFailing,
                Cause::LivenessProbe,
                55,
                2,
                true,
                2,
                "Container ledger will be killed because its liveness probe fails: HTTP probe failed with statuscode: 503",
            ),
            incident(
                5,
                IncidentKind::Restart,
                Cause::Exited,
                4_900,
                75,
                true,
                17,
                "Container reconcile exited 17 times with code 1; it waits in CrashLoopBackOff (back-off 5m0s)",
            ),
            incident(
                10,
                IncidentKind::ImagePull,
                Cause::ImageUnavailable,
                3_300,
                20,
                true,
                41,
                "The image of container recommend cannot be pulled: ImagePullBackOff: registry.example/recommend:v9: not found",
            ),
        ]
    }

    /// Claims that fill up, are full, static, very large, not bound and lost; one that only kubevitals.io reports.
    fn volumes(source: SourceKind) -> Vec<Message> {
        let key = |namespace: &str, name: &str| Key::new(&namespace.into(), &name.into());
        let claim = |phase, class: &str, modes: &str, gibibytes: u64| Claim {
            phase,
            class: class.into(),
            modes: modes.into(),
            requested: Bytes(gibibytes * GI).into(),
            created_seconds: u32::try_from(NOW - 86_400 * 3).unwrap(),
            ..Claim::default()
        };
        let bound = |modes, gibibytes| claim(ClaimPhase::Bound, "fast-ssd", modes, gibibytes);
        let claims = vec![
            (key("shop", "data-search-0"), bound("RWO", 100)),
            (key("shop", "uploads"), bound("RWX", 500)),
            (key("payments", "ledger"), bound("RWO", 20)),
            (key("shop", "cache"), bound("RWO", 0)),
            (
                key("shop", "archive"),
                claim(ClaimPhase::Pending, "cold", "RWX", 2_000),
            ),
            (
                key("payments", "exports"),
                claim(ClaimPhase::Pending, "local", "RWO", 5),
            ),
            (
                key("shop", "scratch"),
                claim(ClaimPhase::Lost, "", "RWO", 10),
            ),
        ];
        let usage = |gibibytes: u64, used: f64, growth: Option<i64>, full_in: i64, pods: u32| {
            let left = (gibibytes as f64 * (1.0 - used) * GI as f64) as u64;
            let full = if full_in > 0 { NOW + full_in } else { 0 };
            VolumeUsage {
                capacity: Bytes(gibibytes * GI).into(),
                used: Bytes(gibibytes * GI - left).into(),
                available: Bytes(left).into(),
                part: (gibibytes > 0).then_some(used),
                inodes: (used < 0.9).then_some(used / 8.0),
                growth,
                full_seconds: u32::try_from(full).unwrap(),
                measured_seconds: u32::try_from(NOW - 40).unwrap(),
                pods: (0..pods.min(100))
                    .map(|pod| format!("web-{pod}").into())
                    .collect(),
                pod_count: pods,
                node: "node-1".into(),
                node_count: pods.div_ceil(40),
            }
        };
        let volumes = vec![
            (
                key("shop", "data-search-0"),
                usage(100, 0.83, Some(3 << 30), 20_000, 1),
            ),
            (
                key("shop", "uploads"),
                usage(500, 0.41, Some(1 << 30), 1_000_000, 120),
            ),
            (
                key("payments", "ledger"),
                usage(20, 0.95, Some(-(1 << 20)), 0, 1),
            ),
            (key("shop", "cache"), usage(0, 0.0, None, 0, 2)),
            (key("monitoring", "metrics"), usage(50, 0.64, Some(0), 0, 1)),
        ];
        let reason = |reason: &str, message: &str| ClaimReason {
            reason: reason.into(),
            message: message.into(),
            at: at(NOW),
        };
        let reasons = vec![
            (
                key("shop", "archive"),
                reason(
                    "ProvisioningFailed",
                    "failed to provision volume with StorageClass \"cold\": no space left in pool",
                ),
            ),
            (
                key("payments", "exports"),
                reason(
                    "WaitForFirstConsumer",
                    "waiting for first consumer to be created before binding",
                ),
            ),
        ];
        let mut changes = vec![
            VolumeChange::Claims(Batch::All(claims)),
            VolumeChange::Reasons(reasons),
        ];
        if source == SourceKind::Vitals {
            changes.push(VolumeChange::Usage(volumes));
        }
        changes.into_iter().map(Message::Volumes).collect()
    }

    fn hpas(names: &Names) -> Vec<HpaRow> {
        let hpa = |namespace: &str,
                   name: &str,
                   current,
                   desired,
                   max,
                   now: &str,
                   part,
                   limited: Option<Limited>| HpaRow {
            namespace: names.intern(namespace),
            name: names.intern(name),
            target_kind: names.intern("Deployment"),
            target: names.intern(name),
            min: 2,
            max,
            current,
            desired,
            metrics: Box::new([HpaMetric {
                kind: MetricKind::Resource,
                name: names.intern("cpu"),
                current: names.intern(now),
                target: names.intern("70%"),
                part,
            }]),
            scaled_seconds: u32::try_from(NOW - 700).unwrap(),
            limited,
            created_seconds: u32::try_from(NOW - 900_000).unwrap(),
        };
        let limited = |broken, reason: &str, message: &str| {
            Some(Limited {
                broken,
                reason: names.intern(reason),
                message: message.into(),
            })
        };
        vec![
            hpa("shop", "web", 3, 3, 10, "64%", Some(0.91), None),
            hpa(
                "shop",
                "search",
                6,
                6,
                6,
                "112%",
                Some(1.6),
                limited(
                    false,
                    "TooManyReplicas",
                    "the desired replica count is more than the maximum replica count",
                ),
            ),
            hpa(
                "payments",
                "reconcile",
                2,
                2,
                4,
                "",
                None,
                limited(
                    true,
                    "FailedGetResourceMetric",
                    "did not receive metrics for targeted pods (pods might be unready)",
                ),
            ),
        ]
    }

    /// All that a source tells at a time.
    fn messages(&self, names: &Names, time: i64) -> Vec<Message> {
        let pods: Vec<PodVitals> = (0..self.pods())
            .map(|index| self.pod(index, time))
            .collect();
        let nodes: Vec<NodeVitals> = (0..self.nodes)
            .map(|node| self.node(node, &pods, time))
            .collect();
        let node_rows: Vec<NodeRow> = nodes
            .iter()
            .map(|node| NodeRow::from_vitals(node, names))
            .collect();
        let pod_rows: Vec<PodRow> = pods
            .iter()
            .map(|pod| PodRow::from_vitals(pod, names))
            .collect();
        let mut cluster = ClusterRow::of(node_rows.iter(), pod_rows.iter(), false);
        cluster.incidents_open = Some(4);
        cluster.oldest = Some(at(NOW - 3_600));
        vec![
            Message::Tick(at(time)),
            Message::Nodes(Batch::All(node_rows)),
            Message::Pods(Batch::All(pod_rows)),
            Message::Cluster(cluster),
        ]
    }

    /// The state after an hour of looking at it, with the pages of pods at hand that can be opened; of large clusters
    /// after a moment.
    pub(crate) fn state(&self, mut state: State, source: SourceKind) -> State {
        let names = Names::default();
        let steps: i64 = if self.pods() > 1_000 { 1 } else { 240 };
        apply(
            &mut state,
            Message::Source(source, "it is there".to_owned()),
        );
        for step in (0..steps).rev() {
            for message in self.messages(&names, NOW - step * STEP) {
                apply(&mut state, message);
            }
        }
        apply(&mut state, Message::rows(Batch::All(Self::hpas(&names))));
        for message in Self::volumes(source) {
            apply(&mut state, message);
        }
        if source == SourceKind::Vitals {
            let incidents = self.incidents().into_iter().map(IncidentRow::new).collect();
            apply(&mut state, Message::Incidents(Batch::All(incidents)));
        }
        state.source = Some((source, "it is there".to_owned()));
        for part in Part::of_source(source).iter().chain(&[Part::Events]) {
            apply(&mut state, Message::Part(*part, Outcome::Succeeded));
        }
        state
    }

    /// The state some seconds later, when everything has been messages anew.
    #[allow(dead_code, reason = "benchmarks ask for it, tests do not")]
    pub(crate) fn later(&self, mut state: State, seconds: i64) -> State {
        for message in self.messages(&Names::default(), NOW + seconds) {
            apply(&mut state, message);
        }
        state
    }

    /// The key of a pod.
    pub(crate) fn key(index: usize) -> Key {
        Key::new(
            &Self::kind(index).namespace.into(),
            &Self::pod_name(index).as_str().into(),
        )
    }

    /// All there is to know of a pod.
    pub(crate) fn detail(&self, index: usize) -> Vec<Message> {
        let key = Self::key(index);
        let kind = Self::kind(index);
        let detail = Detail {
            pod: self.pod(index, NOW),
            conditions: ["PodScheduled", "Initialized", "ContainersReady", "Ready"]
                .map(|condition| Condition {
                    kind: condition.to_owned(),
                    status: "True".to_owned(),
                    since: Some(ago(4_000)),
                    ..Condition::default()
                })
                .to_vec(),
            events: vec![
                Event {
                    kind: "Warning".to_owned(),
                    reason: "BackOff".to_owned(),
                    message: format!(
                        "Back-off restarting failed container {}",
                        kind.containers[0]
                    ),
                    count: 3,
                    last: Some(ago(170)),
                },
                Event {
                    kind: "Normal".to_owned(),
                    reason: "Pulled".to_owned(),
                    message:
                        "Container image \"registry.example/日本語:v1\" already present on machine"
                            .to_owned(),
                    count: 4,
                    last: Some(ago(185)),
                },
            ],
        };
        vec![
            Message::Detail(key.clone(), Box::new(detail)),
            Message::History(Subject::Pod(key), Box::new(self.history(index))),
        ]
    }

    /// The last quarter of an hour of a pod.
    fn history(&self, index: usize) -> History {
        let kind = Self::kind(index);
        let since = NOW - 900;
        let steps = 900 / STEP;
        let points: Vec<Option<Point>> = (1..=steps)
            .map(|step| {
                let time = since + step * STEP;
                let down = restart(kind.trouble)
                    .is_some_and(|(last, _)| (NOW - last..NOW - last + 30).contains(&time));
                let (cpu, memory) = Self::load(index, kind, 0, time);
                (!down).then_some(Point {
                    cpu,
                    memory,
                    swap: None,
                })
            })
            .collect();
        let quantiles = |get: fn(&Point) -> u64| {
            let mut values: Vec<u64> = points.iter().flatten().map(get).collect();
            values.sort_unstable();
            let quantile = |percent: usize| {
                values
                    .get((values.len() * percent / 100).min(values.len() - 1))
                    .copied()
            };
            Some(Quantiles {
                p50: quantile(50)?,
                p90: quantile(90)?,
                p95: quantile(95)?,
                p99: quantile(99)?,
                max: *values.last()?,
            })
        };
        let series = Series {
            samples: points.iter().flatten().count() as u64,
            cpu: quantiles(|point| point.cpu),
            memory: quantiles(|point| point.memory),
            points,
            ..Series::default()
        };
        History {
            span: Span {
                since: at(since),
                until: at(NOW),
                step: GoDuration::from_secs(STEP),
            },
            containers: vec![Series {
                name: kind.containers[0].to_owned(),
                ..series.clone()
            }],
            total: series,
            marks: restart(kind.trouble)
                .map(|(last, _)| Mark {
                    time: ago(last),
                    container: kind.containers[0].to_owned(),
                    cause: Cause::OomKilled,
                    text: "OOMKilled, exit 137".to_owned(),
                })
                .into_iter()
                .collect(),
            ..History::default()
        }
    }
}

fn usage(cpu_used: u64, memory: u64, time: i64) -> Usage {
    Usage {
        cpu: cpu(cpu_used),
        memory: bytes(memory),
        timestamp: Some(at(time - 4)),
        window: Some(GoDuration::from_secs(STEP)),
        ..Usage::default()
    }
}

fn amounts(nanocores: u64, memory: u64, there: bool) -> Amounts {
    Amounts {
        cpu: there.then(|| cpu(nanocores)),
        memory: there.then(|| bytes(memory)),
        ..Amounts::default()
    }
}

const fn ready(trouble: Trouble) -> bool {
    matches!(
        trouble,
        Trouble::None | Trouble::OomKilled | Trouble::Liveness | Trouble::NoUsage
    )
}

fn state(trouble: Trouble, main: bool) -> ContainerState {
    let (state, reason) = match trouble {
        Trouble::NoImage => ("Waiting", "ImagePullBackOff"),
        Trouble::Done => ("Terminated", "Completed"),
        Trouble::Crashes if main => ("Waiting", "CrashLoopBackOff"),
        _ => ("Running", ""),
    };
    ContainerState {
        state: state.to_owned(),
        reason: reason.to_owned(),
        since: Some(ago(restart(trouble)
            .filter(|_| main)
            .map_or(86_000, |(last, _)| last))),
        ..ContainerState::default()
    }
}
