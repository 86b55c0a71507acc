//! The rules of a check, each on a small cluster.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{
    Affected, Cause, Incident, IncidentKind, Involved, ProbeKind, ProbeStatus, Role,
};

use super::*;
use crate::model::amount::Amounts;
use crate::model::name::{Key, Name};
use crate::model::row::{
    Container, ContainerState, HpaRow, IncidentRow, LastRestart, Limited, NodeRow, Phase, PodRow,
    Replicas, Restarts, Workload,
};
use crate::model::table::Table;
use crate::model::tone::Thresholds;
use crate::model::view::View;

const NOW: i64 = 100_000;

fn ago(seconds: i64) -> Timestamp {
    Timestamp::from_secs(NOW - seconds)
}

fn amounts(millicores: u64, mebibytes: u64) -> Amounts {
    Amounts {
        cpu: Nanocores(millicores * 1_000_000).into(),
        memory: Bytes(mebibytes << 20).into(),
    }
}

fn seconds(at: Timestamp) -> u32 {
    u32::try_from(at.as_secs()).unwrap()
}

/// A healthy node.
fn node() -> NodeRow {
    NodeRow {
        name: "n1".into(),
        status: "Ready".into(),
        ready: true,
        usage_seconds: seconds(ago(10)),
        usage: amounts(1_000, 1_024),
        allocatable: amounts(4_000, 4_096),
        disk: Bytes(10 << 30).into(),
        disk_capacity: Bytes(100 << 30).into(),
        ..NodeRow::default()
    }
}

/// A healthy pod that has run for a day.
fn pod() -> PodRow {
    let container = Container {
        name: "web".into(),
        role: Role::App,
        state: ContainerState::Running,
        since_seconds: seconds(ago(86_400)),
        ready: true,
        usage: amounts(100, 100),
        limits: amounts(1_000, 1_000),
        ..Container::default()
    };
    PodRow {
        namespace: "shop".into(),
        name: "web-1".into(),
        node: "n1".into(),
        status: "Running".into(),
        phase: Phase::Running,
        ready: true,
        ready_containers: 1,
        total_containers: 1,
        workload: Some(Workload::new("Deployment", "web")),
        created_seconds: seconds(ago(86_400)),
        usage: amounts(100, 100),
        limits: amounts(1_000, 1_000),
        containers: [container].into(),
        ..PodRow::default()
    }
}

/// A waiting container, and the status of its pod.
fn waits(pod: &mut PodRow, reason: &str, since: i64) {
    pod.status = reason.into();
    pod.ready = false;
    pod.ready_containers = 0;
    let container = &mut pod.containers[0];
    container.state = ContainerState::Waiting;
    container.reason = reason.into();
    container.ready = false;
    container.since_seconds = seconds(ago(since));
}

fn fails_probe(pod: &mut PodRow) {
    pod.probes.count(ProbeKind::Readiness, ProbeStatus::Failing);
}

fn restarted(pod: &mut PodRow, cause: Cause, reason: &str, finished: i64) {
    let restarts = Restarts {
        count: 1,
        recent: u32::from(finished < 3_600),
        last: Some(Box::new(LastRestart {
            reason: reason.into(),
            exit_code: 137,
            finished: Some(ago(finished)),
            cause,
            ..LastRestart::default()
        })),
    };
    pod.containers[0].restarts = restarts.clone();
    pod.restarts = restarts;
}

/// An open incident of the pod `shop/web-1`.
fn incident(reason: IncidentKind, cause: Cause) -> Incident {
    let mut incident = Incident {
        reason,
        cause,
        began: ago(300),
        count: 3,
        message: "Container web ended.".to_owned(),
        involved: Involved {
            kind: "Pod".to_owned(),
            namespace: "shop".to_owned(),
            name: "web-1".to_owned(),
            container: "web".to_owned(),
            ..Involved::default()
        },
        ..Incident::default()
    };
    incident.metadata.name = "i1".to_owned();
    incident.metadata.namespace = "shop".to_owned();
    incident
}

struct Parts {
    node: NodeRow,
    pod: PodRow,
    incidents: Vec<Incident>,
    hpa: Option<Limited>,
    replicas: u32,
}

impl Parts {
    fn healthy() -> Self {
        Self {
            node: node(),
            pod: pod(),
            incidents: Vec::new(),
            hpa: None,
            replicas: 1,
        }
    }

    fn world(self) -> World {
        let hpa = HpaRow {
            namespace: "shop".into(),
            name: "web".into(),
            target_kind: "Deployment".into(),
            target: "web".into(),
            min: 1,
            max: 3,
            current: 3,
            desired: 3,
            metrics: [].into(),
            scaled_seconds: 0,
            limited: self.hpa,
            created_seconds: 0,
        };
        let other = NodeRow {
            name: "n2".into(),
            ..node()
        };
        let incidents = self.incidents.into_iter().map(IncidentRow::new);
        let mut world = World::default();
        world.pods = Table::of(vec![self.pod]);
        world.nodes = Table::of(vec![self.node, other]);
        world.hpas = Table::of(vec![hpa]);
        world.incidents = Table::of(incidents.collect());
        let workload = Key::new(&"shop".into(), &"web".into()).part(&"Deployment".into());
        let replicas = Replicas {
            desired: self.replicas,
            ready: 1,
        };
        world.replicas.insert(workload, replicas);
        world.derive(View::Workloads, false);
        world
    }
}

fn basis<'a>(namespaces: &'a [Name], rules: &'a [Rule]) -> Basis<'a> {
    Basis {
        now: ago(0),
        thresholds: Thresholds::default(),
        grace_seconds: 300,
        namespaces,
        rules,
    }
}

/// Each problem as `severity rule object container: message`.
fn texts(world: &World, basis: &Basis<'_>) -> Vec<String> {
    let problems = problems(world, basis);
    let text = |problem: &Problem| {
        let Object {
            namespace,
            name,
            container,
            ..
        } = &problem.object;
        let (severity, rule) = (problem.severity.as_str(), problem.rule.name());
        let message = &problem.message;
        format!("{severity} {rule} {namespace}/{name} {container}: {message}")
    };
    problems.iter().map(text).collect()
}

#[test]
fn each_rule_finds_its_problem_and_nothing_else() {
    type Change = fn(&mut Parts);
    let cases: [(&str, Change, &[&str]); 30] = [
        ("a healthy cluster", |_| {}, &[]),
        (
            "a node that is not ready, with its pod",
            |parts| {
                parts.node.ready = false;
                parts.node.status = "NotReady".into();
                parts.pod.ready = false;
            },
            &["critical node-not-ready /n1 : NotReady; it has 1 pod"],
        ),
        (
            "a node without current usage",
            |parts| parts.node.usage_seconds = seconds(ago(600)),
            &["warning node-silent /n1 : its last usage is 10m old"],
        ),
        (
            "a node under pressure",
            |parts| parts.node.conditions = ["MemoryPressure".into()].into(),
            &["warning node-condition /n1 : MemoryPressure"],
        ),
        (
            "a cordoned node",
            |parts| parts.node.status = "Ready,SchedulingDisabled".into(),
            &[],
        ),
        (
            "a node with high usage",
            |parts| parts.node.usage = amounts(3_700, 3_000),
            &[
                "critical node-cpu /n1 : uses 92% of its CPU: 3700m of 4000m",
                "warning node-memory /n1 : uses 73% of its memory: 2.9Gi of 4Gi",
            ],
        ),
        (
            "a node with a full disk",
            |parts| parts.node.disk = Bytes(95 << 30).into(),
            &["critical node-disk /n1 : uses 95% of its disk: 95Gi of 100Gi"],
        ),
        (
            "a crash loop",
            |parts| {
                waits(&mut parts.pod, "CrashLoopBackOff", 20);
                parts.pod.message = Some("back-off 5m0s".into());
            },
            &[
                "critical pod-broken shop/web-1 : CrashLoopBackOff, 0 of 1 container ready: back-off 5m0s",
            ],
        ),
        (
            "an image that cannot be pulled, of a new pod",
            |parts| {
                waits(&mut parts.pod, "ImagePullBackOff", 20);
                parts.pod.created_seconds = seconds(ago(20));
            },
            &["critical pod-broken shop/web-1 : ImagePullBackOff, 0 of 1 container ready"],
        ),
        (
            "a pod that is starting",
            |parts| {
                waits(&mut parts.pod, "ContainerCreating", 20);
                parts.pod.created_seconds = seconds(ago(20));
            },
            &[],
        ),
        (
            "a pod that does not start",
            |parts| {
                waits(&mut parts.pod, "ContainerCreating", 400);
                parts.pod.created_seconds = seconds(ago(400));
            },
            &["warning pod-unsettled shop/web-1 : ContainerCreating, 0 of 1 container ready"],
        ),
        (
            "a pod that failed",
            |parts| {
                waits(&mut parts.pod, "Error", 200);
                parts.pod.phase = Phase::Failed;
                parts.replicas = 0;
            },
            &["warning pod-failed shop/web-1 : Error, 0 of 1 container ready"],
        ),
        (
            "a pod that failed long ago",
            |parts| {
                waits(&mut parts.pod, "Error", 7_200);
                parts.pod.phase = Phase::Failed;
                parts.replicas = 0;
            },
            &[],
        ),
        (
            "a pod that completed",
            |parts| {
                waits(&mut parts.pod, "Completed", 200);
                parts.pod.phase = Phase::Succeeded;
                parts.replicas = 0;
            },
            &[],
        ),
        (
            "a failing probe",
            |parts| fails_probe(&mut parts.pod),
            &["critical probe-failing shop/web-1 : probes: 0/1 readiness failing"],
        ),
        (
            "a failing probe of a new pod",
            |parts| {
                fails_probe(&mut parts.pod);
                parts.pod.created_seconds = seconds(ago(20));
            },
            &["warning probe-failing shop/web-1 : probes: 0/1 readiness failing"],
        ),
        (
            "an OOM kill within the hour",
            |parts| restarted(&mut parts.pod, Cause::OomKilled, "OOMKilled", 600),
            &["warning oom-killed shop/web-1 web: restarts: 1 (OOMKilled 10m ago)"],
        ),
        (
            "another restart within the hour",
            |parts| restarted(&mut parts.pod, Cause::Exited, "Error", 600),
            &["warning restarted shop/web-1 : restarts: 1 (exit 137 10m ago)"],
        ),
        (
            "a pod that starts again after an OOM kill",
            |parts| {
                restarted(&mut parts.pod, Cause::OomKilled, "OOMKilled", 20);
                parts.pod.ready = false;
                parts.pod.containers[0].ready = false;
                parts.pod.containers[0].since_seconds = seconds(ago(19));
            },
            &["warning oom-killed shop/web-1 web: restarts: 1 (OOMKilled 20s ago)"],
        ),
        (
            "an older OOM kill",
            |parts| restarted(&mut parts.pod, Cause::OomKilled, "OOMKilled", 3_601),
            &[],
        ),
        (
            "memory near the limit, and CPU at it",
            |parts| parts.pod.containers[0].usage = amounts(990, 950),
            &[
                "warning memory-limit shop/web-1 web: uses 95% of its memory limit: 950Mi of 1000Mi",
                "warning cpu-limit shop/web-1 web: uses 99% of its CPU limit: 990m of 1000m",
            ],
        ),
        (
            "memory below the threshold",
            |parts| parts.pod.containers[0].usage = amounts(890, 899),
            &[],
        ),
        (
            "a workload without some of its pods",
            |parts| parts.replicas = 3,
            &["warning pods-missing shop/web : has 1 of 3 pods"],
        ),
        (
            "a workload without pods",
            |parts| {
                parts.replicas = 3;
                parts.pod.workload = None;
            },
            &["critical pods-missing shop/web : has 0 of 3 pods"],
        ),
        (
            "an autoscaler that cannot scale",
            |parts| parts.hpa = Some(limited(true, "FailedGetResourceMetric", "no metrics")),
            &["warning hpa shop/web : cannot scale: FailedGetResourceMetric: no metrics"],
        ),
        (
            "an autoscaler at its maximum",
            |parts| parts.hpa = Some(limited(false, "TooManyReplicas", "")),
            &["warning hpa shop/web : has 3 replicas, its maximum"],
        ),
        (
            "autoscalers at their minimum, and of a target that is scaled to zero",
            |parts| parts.hpa = Some(limited(true, "ScalingDisabled", "zero")),
            &[],
        ),
        (
            "an open incident explains its pod, and is critical while the pod fails",
            |parts| {
                waits(&mut parts.pod, "CrashLoopBackOff", 20);
                parts.incidents = vec![incident(IncidentKind::Restart, Cause::OomKilled)];
            },
            &[
                "critical incident shop/web-1 web: restarts: OOMKilled, 3 times; Container web ended.",
            ],
        ),
        (
            "an open incident of a pod that runs again",
            |parts| {
                restarted(&mut parts.pod, Cause::OomKilled, "OOMKilled", 60);
                parts.incidents = vec![incident(IncidentKind::Restart, Cause::OomKilled)];
            },
            &[
                "warning incident shop/web-1 web: restarts: OOMKilled, 3 times; Container web ended.",
            ],
        ),
        (
            "an incident that is over",
            |parts| {
                let mut over = incident(IncidentKind::Restart, Cause::OomKilled);
                over.ended = Some(ago(10));
                parts.incidents = vec![over];
            },
            &[],
        ),
    ];
    for (what, change, expected) in cases {
        let mut parts = Parts::healthy();
        change(&mut parts);
        let texts = texts(&parts.world(), &basis(&[], &Rule::ALL));
        assert_eq!(texts, expected, "{what}");
    }
}

fn limited(broken: bool, reason: &str, message: &str) -> Limited {
    Limited {
        broken,
        reason: reason.into(),
        message: message.into(),
    }
}

#[test]
fn an_incident_of_a_node_and_of_many_pods_explains_them_all() {
    let mut parts = Parts::healthy();
    parts.node.ready = false;
    parts.node.status = "NotReady".into();
    let mut lost = incident(IncidentKind::NodeNotReady, Cause::NodeLost);
    lost.involved = Involved {
        kind: "Node".to_owned(),
        name: "n1".to_owned(),
        ..Involved::default()
    };
    lost.message = "Node n1 is not ready.".to_owned();
    parts.incidents = vec![lost];
    let expected =
        "critical incident /n1 : node not ready: node lost, 3 times; Node n1 is not ready.";
    assert_eq!(texts(&parts.world(), &basis(&[], &Rule::ALL)), [expected]);
    // The list of affected pods has at most twenty.
    for listed in [&["web-1"][..], &[]] {
        let mut parts = Parts::healthy();
        waits(&mut parts.pod, "ImagePullBackOff", 20);
        let mut joint = incident(IncidentKind::ImagePull, Cause::ImageUnavailable);
        joint.involved.kind = "Deployment".to_owned();
        joint.involved.name = "web".to_owned();
        joint.affected_count = 40;
        let affected = listed.iter().map(|name| Affected {
            name: (*name).to_owned(),
            ..Affected::default()
        });
        joint.affected = affected.collect();
        parts.incidents = vec![joint];
        let expected =
            "critical incident shop/web web: image pull: image, 3 times; Container web ended.";
        assert_eq!(texts(&parts.world(), &basis(&[], &Rule::ALL)), [expected]);
    }
}

/// Whoever does without incidents still sees the state of the pods.
#[test]
fn only_the_chosen_rules_and_namespaces_are_checked() {
    let parts = || {
        let mut parts = Parts::healthy();
        parts.node.usage = amounts(3_700, 1_024);
        waits(&mut parts.pod, "CrashLoopBackOff", 20);
        parts.incidents = vec![incident(IncidentKind::Restart, Cause::Exited)];
        parts.hpa = Some(limited(true, "FailedGetScale", ""));
        parts.world()
    };
    let names = |namespaces: &[Name], rules: &[Rule]| {
        let problems = problems(&parts(), &basis(namespaces, rules));
        let names = problems.iter().map(|problem| problem.rule.name());
        names.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(&[], &Rule::ALL), "incident node-cpu hpa");
    assert_eq!(names(&["shop".into()], &Rule::ALL), "incident hpa");
    assert_eq!(names(&["other".into()], &Rule::ALL), "");
    let without: Vec<Rule> = Rule::ALL
        .into_iter()
        .filter(|rule| *rule != Rule::Incident)
        .collect();
    assert_eq!(names(&[], &without), "pod-broken node-cpu hpa");
    assert_eq!(names(&[], &[Rule::Hpa]), "hpa");
}
