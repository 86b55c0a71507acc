//! READY, STATUS and RESTARTS.

use serde_json::{Value, json};

use super::{Case, OLD, done, ended, run, unready, wait};

/// A pod with these statuses of its init and its other containers. One whose name begins with `side` is a sidecar.
fn pod(phase: &str, inits: Value, apps: Value) -> Value {
    let specs = |statuses: &Value| -> Vec<Value> {
        let names = statuses.as_array().unwrap().iter().map(|it| &it["name"]);
        names
            .map(|name| match name.as_str().unwrap().starts_with("side") {
                true => json!({"name": name, "restartPolicy": "Always"}),
                false => json!({"name": name}),
            })
            .collect()
    };
    json!({
        "metadata": {},
        "spec": {"initContainers": specs(&inits), "containers": specs(&apps)},
        "status": {"phase": phase, "initContainerStatuses": inits, "containerStatuses": apps},
    })
}

/// The same with more members of its status.
fn with(mut pod: Value, members: Value) -> Value {
    for (member, value) in members.as_object().unwrap() {
        pod["status"][member] = value.clone();
    }
    pod
}

fn deleted(mut pod: Value) -> Value {
    pod["metadata"]["deletionTimestamp"] = OLD.into();
    pod
}

fn conditions(of: &[(&str, &str)]) -> Value {
    let all = of.iter();
    let all = all.map(|(kind, status)| json!({"type": kind, "status": status}));
    json!({"conditions": all.collect::<Vec<_>>()})
}

pub(super) fn cases() -> Vec<Case> {
    let mut all = restarts();
    all.extend(initializing());
    all.extend(sidecars());
    all.extend(of_the_whole_pod());
    all.extend(regular());
    all
}

/// RESTARTS: init containers count only until they are done, sidecars always.
fn restarts() -> Vec<Case> {
    vec![
        Case::new(
            "restarts-inits-done",
            "1/1 Running 2",
            pod("Running", json!([done("init", 3)]), json!([run("app", 2)])),
        ),
        Case::new(
            "restarts-sidecar",
            "2/2 Running 6",
            pod(
                "Running",
                json!([done("init", 3), run("side", 4)]),
                json!([run("app", 2)]),
            ),
        ),
        Case::new(
            "restarts-init-runs",
            "0/2 Init:0/2 3",
            pod(
                "Pending",
                json!([unready("init"), wait("side", 1, "PodInitializing")]),
                json!([wait("app", 2, "PodInitializing")]),
            ),
        )
        .with_status("initContainerStatuses", 0, "restartCount", json!(3)),
        // kubectl counts no sidecar behind an init container that runs again. FAILED in the server and in both sources of
        // the dashboard, which said 7; the simulator's printer was right.
        Case::new(
            "restarts-initialized-again",
            "1/2 Init:0/2 5",
            with(
                pod(
                    "Running",
                    json!([unready("init"), run("side", 2)]),
                    json!([run("app", 5)]),
                ),
                conditions(&[("Initialized", "True")]),
            ),
        ),
    ]
}

/// While init containers have not done their work.
fn initializing() -> Vec<Case> {
    let waiting = || json!([wait("app", 0, "PodInitializing")]);
    let init =
        |name, line: &str, inits: Value| Case::new(name, line, pod("Pending", inits, waiting()));
    vec![
        init(
            "init-error",
            "0/1 Init:Error 1",
            json!([ended("init", 1, json!({"exitCode": 1, "reason": "Error"}))]),
        ),
        init(
            "init-exit-code",
            "0/1 Init:ExitCode:3 0",
            json!([ended("init", 0, json!({"exitCode": 3}))]),
        ),
        init(
            "init-signal",
            "0/1 Init:Signal:11 0",
            json!([ended("init", 0, json!({"exitCode": 139, "signal": 11}))]),
        ),
        init(
            "init-crash-loop",
            "0/1 Init:CrashLoopBackOff 5",
            json!([wait("init", 5, "CrashLoopBackOff")]),
        ),
        init(
            "init-one-of-three",
            "0/1 Init:1/3 2",
            json!([done("a", 2), unready("b"), wait("c", 0, "PodInitializing")]),
        ),
        init(
            "init-waits-without-reason",
            "0/1 Init:0/1 0",
            json!([{"name": "init", "ready": false, "restartCount": 0, "state": {"waiting": {}}}]),
        ),
        init(
            "pod-initializing",
            "0/1 PodInitializing 0",
            json!([done("init", 4)]),
        ),
    ]
}

/// Native sidecars count as containers.
fn sidecars() -> Vec<Case> {
    let starting = json!({"name": "side", "ready": false, "started": false, "restartCount": 0,
        "state": {"running": {"startedAt": OLD}}});
    let ready = json!([run("app", 0)]);
    vec![
        Case::new(
            "sidecar-starting",
            "0/2 Init:0/1 0",
            pod(
                "Pending",
                json!([starting]),
                json!([wait("app", 0, "PodInitializing")]),
            ),
        ),
        Case::new(
            "sidecar-not-ready",
            "1/2 Running 0",
            pod("Running", json!([unready("side")]), ready.clone()),
        ),
        Case::new(
            "sidecar-before-init",
            "1/2 Init:1/2 4",
            pod(
                "Pending",
                json!([run("side", 4), unready("init")]),
                json!([wait("app", 0, "PodInitializing")]),
            ),
        ),
        Case::new(
            "sidecar-crashes-late",
            "1/2 Init:CrashLoopBackOff 1",
            with(
                pod(
                    "Running",
                    json!([wait("side", 1, "CrashLoopBackOff")]),
                    ready,
                ),
                conditions(&[("Initialized", "True")]),
            ),
        ),
        Case::new(
            "sidecar-done",
            "0/2 Completed 0",
            pod(
                "Succeeded",
                json!([done("side", 0)]),
                json!([done("app", 0)]),
            ),
        ),
    ]
}

/// What is said of the pod as a whole.
fn of_the_whole_pod() -> Vec<Case> {
    let running = || pod("Running", json!([]), json!([run("app", 0)]));
    let bare = |phase: &str| pod(phase, json!([]), json!([]));
    vec![
        Case::new("terminating", "1/1 Terminating 0", deleted(running())),
        Case::new(
            "terminating-crash-loop",
            "0/1 Terminating 9",
            deleted(pod(
                "Running",
                json!([]),
                json!([wait("app", 9, "CrashLoopBackOff")]),
            )),
        ),
        Case::new(
            "node-lost-deleted",
            "1/1 Unknown 0",
            deleted(with(running(), json!({"reason": "NodeLost"}))),
        ),
        Case::new(
            "node-lost",
            "1/1 NodeLost 0",
            with(running(), json!({"reason": "NodeLost"})),
        ),
        Case::new(
            "unknown",
            "1/1 Unknown 0",
            pod("Unknown", json!([]), json!([run("app", 0)])),
        ),
        Case::new(
            "completed",
            "0/1 Completed 0",
            pod("Succeeded", json!([]), json!([done("app", 0)])),
        ),
        Case::new(
            "completed-deleted",
            "0/1 Completed 0",
            deleted(pod("Succeeded", json!([]), json!([done("app", 0)]))),
        ),
        Case::new(
            "evicted",
            "0/0 Evicted 0",
            with(
                bare("Failed"),
                json!({"reason": "Evicted", "message": "The node was low on memory."}),
            ),
        ),
        Case::new("pending", "0/0 Pending 0", bare("Pending")),
        Case::new("no-containers", "0/0 Running 0", bare("Running")),
        Case::new(
            "gated",
            "0/0 SchedulingGated 0",
            with(
                bare("Pending"),
                json!({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]}),
            ),
        ),
        Case::new(
            "ephemeral",
            "1/1 Running 0",
            with(
                running(),
                json!({"ephemeralContainerStatuses": [wait("debugger", 7, "ImagePullBackOff")]}),
            ),
        )
        .with_spec(
            "ephemeralContainers",
            json!([{"name": "debugger", "targetContainerName": "app"}]),
        ),
    ]
}

/// The first container in trouble gives the status.
fn regular() -> Vec<Case> {
    let of = |name, line: &str, phase: &str, apps: Value| {
        Case::new(name, line, pod(phase, json!([]), apps))
    };
    vec![
        of(
            "pull-back-off",
            "0/1 ImagePullBackOff 3",
            "Pending",
            json!([wait("app", 3, "ImagePullBackOff")]),
        ),
        of(
            "one-not-ready",
            "1/2 Running 0",
            "Running",
            json!([run("app", 0), unready("proxy")]),
        ),
        of(
            "last-in-trouble",
            "1/2 CrashLoopBackOff 3",
            "Running",
            json!([run("app", 0), wait("proxy", 3, "CrashLoopBackOff")]),
        ),
        of(
            "crash-loop",
            "1/2 CrashLoopBackOff 3",
            "Running",
            json!([wait("app", 3, "CrashLoopBackOff"), run("proxy", 0)]),
        ),
        of(
            "out-of-memory",
            "0/1 OOMKilled 0",
            "Running",
            json!([ended(
                "app",
                0,
                json!({"exitCode": 137, "reason": "OOMKilled"})
            )]),
        ),
        of(
            "exit-code",
            "0/1 ExitCode:7 0",
            "Failed",
            json!([ended("app", 0, json!({"exitCode": 7}))]),
        ),
        of(
            "signal",
            "0/1 Signal:9 0",
            "Failed",
            json!([ended("app", 0, json!({"exitCode": 137, "signal": 9}))]),
        ),
        of(
            "one-completed",
            "1/2 NotReady 0",
            "Running",
            json!([done("app", 0), run("proxy", 0)]),
        ),
        Case::new(
            "one-completed-ready",
            "1/2 Running 0",
            with(
                pod(
                    "Running",
                    json!([]),
                    json!([done("app", 0), run("proxy", 0)]),
                ),
                conditions(&[("Ready", "True")]),
            ),
        ),
        of(
            "order-of-statuses",
            "0/2 Last 6",
            "Running",
            json!([wait("z", 3, "Last"), wait("a", 3, "First")]),
        )
        .with_spec("containers", json!([{"name": "a"}, {"name": "z"}])),
        of(
            "order-of-statuses-reversed",
            "0/2 First 0",
            "Running",
            json!([wait("a", 0, "First"), wait("z", 0, "Last")]),
        )
        .with_spec("containers", json!([{"name": "z"}, {"name": "a"}])),
        of(
            "waits-with-empty-reason",
            "0/1 Pending 3",
            "Pending",
            json!([wait("app", 3, "")]),
        ),
        of(
            "waits-without-reason",
            "0/1 Pending 0",
            "Pending",
            json!([{"name": "app", "ready": false, "restartCount": 0, "state": {"waiting": {}}}]),
        ),
    ]
}

impl Case {
    fn with_spec(mut self, member: &str, value: Value) -> Self {
        self.pod["spec"][member] = value;
        self
    }

    fn with_status(mut self, list: &str, at: usize, member: &str, value: Value) -> Self {
        self.pod["status"][list][at][member] = value;
        self
    }
}
