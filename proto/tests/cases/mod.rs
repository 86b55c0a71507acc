//! One table of pods, each with what every reader must say of it. Each reader has a test that runs the whole table: the
//! rules in proto, the server, the dashboard with the sources `vitals` and `metrics`, and the simulator's
//! `kubectl get pods`.
//!
//! What judges a column:
//! - READY, STATUS and RESTARTS: `printPod` of Kubernetes' pkg/printers/internalversion/printers.go and its test
//!   `TestPrintPod`. The API server computes these columns, so the real kubectl cannot judge them: it prints what the
//!   simulator's printer says, which is one of the readers.
//! - `counted` and `summed`: the real kubectl computes these sums itself, in `kubectl describe node`. kubectl 1.32 does
//!   not read `spec.resources` and in-place resizes as 1.36 does: such rows are not `judged`, and follow
//!   k8s.io/component-helpers/resource.
//! - Requests: the same sums, but of what is in force. Limits: the most that the pod can take, so nothing where a
//!   container has no limit.
//! - The workload and the probes: docs/architecture.md.
//!
//! Rows marked `FAILED` disagreed before the readers became one; the comment names the reader and what it said.
//! The source `metrics` had failed `restarts-inits-done`, `restarts-sidecar`, `overhead`, `pod-level` and `of-job` as well,
//! until earlier commits fixed each by itself.

mod probes;
mod resources;
mod status;
mod types;
mod workload;

use serde_json::{Value, json};

/// A pod, and what is to be said of it.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// The pod's name.
    pub(crate) name: &'static str,
    /// The pod as the API server sends it.
    pub(crate) pod: Value,
    /// What every reader says of it.
    pub(crate) expected: Said,
    /// Whether the real kubectl judges `counted` and `summed`.
    pub(crate) judged: bool,
    /// Whether it conforms to Kubernetes' types. The real kubectl refuses a list with one that does not.
    pub(crate) conforms: bool,
}

/// What a reader says of a pod; nothing in a column that it does not have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// READY, STATUS and RESTARTS: `1/2 Running 3`.
    pub(crate) line: Option<String>,
    /// CPU and memory that it requests: `250m 64Mi`, `-` where it requests none.
    pub(crate) requests: Option<String>,
    /// The most CPU and memory that it can take, likewise.
    pub(crate) limits: Option<String>,
    /// The requests that `kubectl describe node` adds up for it.
    pub(crate) counted: Option<String>,
    /// The limits likewise.
    pub(crate) summed: Option<String>,
    /// Kind and name of what made it.
    pub(crate) workload: Option<String>,
    /// Its probes, in words.
    pub(crate) probes: Option<String>,
}

impl Case {
    fn new(name: &'static str, line: &str, mut pod: Value) -> Self {
        pod["apiVersion"] = "v1".into();
        pod["kind"] = "Pod".into();
        pod["metadata"]["name"] = name.into();
        pod["metadata"]["namespace"] = NAMESPACE.into();
        pod["metadata"]["uid"] = format!("uid-of-{name}").into();
        pod["metadata"]["creationTimestamp"] = OLD.into();
        Self {
            name,
            pod,
            expected: Said {
                line: Some(line.to_owned()),
                requests: Some("- -".to_owned()),
                limits: Some("- -".to_owned()),
                counted: Some("- -".to_owned()),
                summed: Some("- -".to_owned()),
                workload: Some(String::new()),
                probes: Some(String::new()),
            },
            judged: true,
            conforms: true,
        }
    }

    /// Of a pod with one container that runs and is ready.
    fn running(name: &'static str, metadata: Value, spec: Value, status: Value) -> Self {
        let mut pod = json!({
            "metadata": metadata,
            "spec": {"containers": [{"name": "app"}]},
            "status": {"phase": "Running", "containerStatuses": [run("app", 0)]},
        });
        for (part, members) in [("spec", spec), ("status", status)] {
            for (member, value) in members.as_object().unwrap() {
                pod[part][member] = value.clone();
            }
        }
        Self::new(name, "1/1 Running 0", pod)
    }

    fn resources(mut self, requests: &str, limits: &str, counted: &str, summed: &str) -> Self {
        self.expected.requests = Some(requests.to_owned());
        self.expected.limits = Some(limits.to_owned());
        self.expected.counted = Some(counted.to_owned());
        self.expected.summed = Some(summed.to_owned());
        self
    }

    fn workload(mut self, workload: &str) -> Self {
        self.expected.workload = Some(workload.to_owned());
        self
    }

    fn probes(mut self, probes: &str) -> Self {
        self.expected.probes = Some(probes.to_owned());
        self
    }

    fn not_judged(mut self) -> Self {
        self.judged = false;
        self
    }

    fn not_conforming(mut self) -> Self {
        self.conforms = false;
        self
    }
}

/// The namespace of all.
pub(crate) const NAMESPACE: &str = "cases";

/// Long ago.
const OLD: &str = "2020-01-01T00:00:00Z";

/// The Jobs of the table.
pub(crate) fn jobs() -> [Value; 2] {
    let owner = json!([{"apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly", "uid": "c", "controller": true}]);
    [("nightly-29393760", owner), ("once-29393760", json!([]))].map(|(name, owners)| {
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"namespace": NAMESPACE, "name": name,
            "uid": name, "creationTimestamp": OLD, "ownerReferences": owners}})
    })
}

/// The whole table.
pub(crate) fn all() -> Vec<Case> {
    let parts = [
        status::cases(),
        resources::cases(),
        workload::cases(),
        probes::cases(),
        types::cases(),
    ];
    parts.concat()
}

/// Asserts what a reader says of each pod; every row that differs is named.
pub(crate) fn check(reader: &str, said: impl Fn(&Case) -> Said) {
    let mut wrong = Vec::new();
    for case in all() {
        let (said, expected) = (said(&case), &case.expected);
        for (column, said, expected) in [
            ("READY STATUS RESTARTS", said.line, &expected.line),
            ("requests", said.requests, &expected.requests),
            ("limits", said.limits, &expected.limits),
            ("counted", said.counted, &expected.counted),
            ("summed", said.summed, &expected.summed),
            ("workload", said.workload, &expected.workload),
            ("probes", said.probes, &expected.probes),
        ] {
            if let (Some(said), Some(expected)) = (&said, expected)
                && said != expected
            {
                wrong.push(format!(
                    "{}: {column}: {said:?}, not {expected:?}",
                    case.name
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{reader}:\n{}", wrong.join("\n"));
}

/// An amount of CPU and one of memory: `250m 64Mi`.
pub(crate) fn amounts(millicores: Option<u64>, bytes: Option<u64>) -> String {
    let text = |amount: Option<u64>, unit: &str| {
        let some = amount.filter(|amount| *amount > 0);
        some.map_or("-".to_owned(), |amount| format!("{amount}{unit}"))
    };
    let mebibytes = bytes.map(|bytes| bytes >> 20);
    format!("{} {}", text(millicores, "m"), text(mebibytes, "Mi"))
}

/// A container that runs and is ready.
fn run(name: &str, restarts: u32) -> Value {
    json!({"name": name, "ready": true, "started": true, "restartCount": restarts,
        "state": {"running": {"startedAt": OLD}}})
}

/// One that runs and is not ready.
fn unready(name: &str) -> Value {
    json!({"name": name, "ready": false, "started": true, "restartCount": 0,
        "state": {"running": {"startedAt": OLD}}})
}

/// One that waits.
fn wait(name: &str, restarts: u32, reason: &str) -> Value {
    json!({"name": name, "ready": false, "started": false, "restartCount": restarts,
        "state": {"waiting": {"reason": reason}}})
}

/// One that has ended.
fn ended(name: &str, restarts: u32, mut how: Value) -> Value {
    how["finishedAt"] = OLD.into();
    json!({"name": name, "ready": false, "started": false, "restartCount": restarts, "state": {"terminated": how}})
}

/// One that has done its work.
fn done(name: &str, restarts: u32) -> Value {
    ended(
        name,
        restarts,
        json!({"exitCode": 0, "reason": "Completed"}),
    )
}
