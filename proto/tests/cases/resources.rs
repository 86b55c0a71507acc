//! Requests and limits.

use serde_json::{Value, json};

use super::{Case, run};

fn of(requests: Value, limits: Value) -> Value {
    json!({"requests": requests, "limits": limits})
}

fn cpu(amount: &str) -> Value {
    of(json!({"cpu": amount}), json!({"cpu": amount}))
}

pub(super) fn cases() -> Vec<Case> {
    let mut all = sums();
    all.extend(resizes());
    all
}

/// What containers, the pod as a whole and its overhead amount to.
fn sums() -> Vec<Case> {
    let case = |name, spec: Value| Case::running(name, json!({}), spec, json!({}));
    let half = of(
        json!({"cpu": "500m", "memory": "64Mi"}),
        json!({"cpu": "1", "memory": "128Mi"}),
    );
    vec![
        case("one", json!({"containers": [{"name": "app", "resources": half}]})).resources(
            "500m 64Mi",
            "1000m 128Mi",
            "500m 64Mi", "1000m 128Mi",
        ),
        case(
            "overhead",
            json!({"overhead": {"cpu": "250m", "memory": "64Mi"},
                "containers": [{"name": "app", "resources": half}]}),
        )
        .resources("750m 128Mi", "1250m 192Mi", "750m 128Mi", "1250m 192Mi"),
        // The overhead adds to a limit, and makes none.
        case(
            "overhead-unlimited",
            json!({"overhead": {"cpu": "250m", "memory": "64Mi"},
                "containers": [{"name": "app", "resources": {"requests": {"cpu": "500m"}}}]}),
        )
        .resources("750m 64Mi", "- -", "750m 64Mi", "- -"),
        case(
            "pod-level",
            json!({"resources": of(json!({"cpu": "2"}), json!({"cpu": "4"})),
                "containers": [{"name": "app", "resources": half}]}),
        )
        .resources("2000m 64Mi", "4000m 128Mi", "2000m 64Mi", "4000m 128Mi")
        .not_judged(),
        case(
            "pod-level-overhead",
            json!({"resources": cpu("2"), "overhead": {"cpu": "250m"}, "containers": [{"name": "app"}]}),
        )
        .resources("2250m -", "2250m -", "2250m -", "2250m -")
        .not_judged(),
        case(
            "largest-init",
            json!({"initContainers": [{"name": "init", "resources": cpu("3")}],
                "containers": [{"name": "app", "resources": cpu("1")}]}),
        )
        .resources("3000m -", "1000m -", "3000m -", "3000m -")
        .initialized(json!([super::done("init", 0)])),
        // KEP-753: a sidecar counts with what starts after it, and with what runs beside it.
        case(
            "sidecar-then-init",
            json!({"initContainers": [{"name": "side", "restartPolicy": "Always", "resources": cpu("1")},
                    {"name": "init", "resources": cpu("3")}],
                "containers": [{"name": "app", "resources": cpu("2")}]}),
        )
        .resources("4000m -", "3000m -", "4000m -", "4000m -")
        .line("2/2 Running 0")
        .initialized(json!([run("side", 0), super::done("init", 0)])),
        case(
            "init-then-sidecar",
            json!({"initContainers": [{"name": "init", "resources": cpu("2")},
                    {"name": "side", "restartPolicy": "Always", "resources": cpu("1")}],
                "containers": [{"name": "app", "resources": cpu("2")}]}),
        )
        .resources("3000m -", "3000m -", "3000m -", "3000m -")
        .line("2/2 Running 0")
        .initialized(json!([super::done("init", 0), run("side", 0)])),
        // FAILED in the source `metrics`, whose node counted no limit for such a pod; so did `overhead-unlimited`.
        // A container without a limit may take all; kubectl adds up the limits of the others all the same.
        Case::running(
            "one-unlimited",
            json!({}),
            json!({"containers": [{"name": "app", "resources": cpu("1")}, {"name": "free"}]}),
            json!({"containerStatuses": [run("app", 0), run("free", 0)]}),
        )
        .resources("1000m -", "- -", "1000m -", "1000m -")
        .line("2/2 Running 0"),
    ]
}

/// Resizes in place: the spec wants four cores, the container has one.
fn resizes() -> Vec<Case> {
    let case = |name, conditions: Value| {
        let mut status = run("app", 0);
        status["resources"] = cpu("1");
        status["allocatedResources"] = json!({"cpu": "1"});
        Case::running(
            name,
            json!({}),
            json!({"containers": [{"name": "app", "resources": cpu("4")}]}),
            json!({"containerStatuses": [status], "conditions": conditions}),
        )
        .not_judged()
    };
    let condition =
        |kind: &str, reason: &str| json!([{"type": kind, "status": "True", "reason": reason}]);

    vec![
        case("resize-not-seen", json!([])).resources("1000m -", "1000m -", "4000m -", "4000m -"),
        case("resize-deferred", condition("PodResizePending", "Deferred"))
            .resources("1000m -", "1000m -", "4000m -", "4000m -"),
        case(
            "resize-infeasible",
            condition("PodResizePending", "Infeasible"),
        )
        .resources("1000m -", "1000m -", "1000m -", "1000m -"),
        case("resize-in-progress", condition("PodResizeInProgress", ""))
            .resources("1000m -", "1000m -", "4000m -", "4000m -"),
        Case::running(
            "resize-of-pod-level",
            json!({}),
            json!({"resources": cpu("4"), "overhead": {"cpu": "500m"},
                "containers": [{"name": "app", "resources": cpu("1")}]}),
            json!({"resources": cpu("2"), "allocatedResources": {"cpu": "2"}}),
        )
        .resources("2500m -", "2500m -", "4500m -", "4500m -")
        .not_judged(),
        // Of a pod that is over nothing is in force; describe leaves it out.
        Case::running(
            "resize-over",
            json!({}),
            json!({"containers": [{"name": "app", "resources": cpu("4")}]}),
            json!({"phase": "Failed", "containerStatuses": [{"name": "app", "resources": cpu("1"),
                "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}]}),
        )
        .resources("4000m -", "4000m -", "4000m -", "4000m -")
        .line("0/1 Error 0")
        .not_judged(),
    ]
}

impl Case {
    fn initialized(mut self, statuses: Value) -> Self {
        self.pod["status"]["initContainerStatuses"] = statuses;
        self
    }

    fn line(mut self, line: &str) -> Self {
        self.expected.line = Some(line.to_owned());
        self
    }
}
