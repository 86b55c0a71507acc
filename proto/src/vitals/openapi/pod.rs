//! Pods.

use super::cause::{CAUSES, CERTAINTIES};
use super::node::{NETWORK, PRESSURE};
use super::resize::RESIZE;
use super::usage::{ABSENCE, AMOUNTS, RATIOS, TREND, USAGE};
use super::{NAME, integer, many, one, text};
use crate::wire::openapi::meta::{API_VERSION, KIND, OBJECT_META, QUANTITY, TIME};
use crate::wire::openapi::schema::{Field, Holds, Is, Name, Type};

const WHY_ABSENT: Field = one("absent", ABSENCE.name, "Why usage is missing.");
const OF_ASKED_FOR: Field = one(
    "ratios",
    RATIOS.name,
    "Usage as a part of requests and limits.",
);
const READY_STATUS: &str = "Whether its Ready condition is true: the fieldSelector status.ready.";

pub(super) const POD_VITALS: Type = Type::new(
    Name::Own("PodVitals"),
    "A pod: what it uses, what it may use, how it is.",
    Is::Object(&[
        WHY_ABSENT,
        API_VERSION,
        many(
            "containers",
            CONTAINER.name,
            "Its containers, init containers first, in the order of the pod's spec.",
        ),
        one(
            "ephemeralStorage",
            QUANTITY,
            "Bytes of ephemeral storage used.",
        ),
        Field::new(
            "incidents",
            Holds::Strings,
            "Names of its incidents that are not over.",
        )
        .list("atomic"),
        KIND,
        one(
            "limits",
            AMOUNTS.name,
            "The limits in force: only what every container is limited in. A limit that a resize adds is in resize.",
        ),
        text(
            "message",
            "The message that goes with its status, where there is one.",
        ),
        one(
            "metadata",
            OBJECT_META,
            "The pod's own name, namespace, labels and times, with a UID of its own and the pod as owner.",
        ),
        one("network", NETWORK.name, "Bytes sent and received."),
        text("nodeName", "The node it is bound to."),
        text(
            "phase",
            "Pending, Running, Succeeded, Failed or Unknown: the fieldSelector status.phase.",
        ),
        one("pressure", PRESSURE.name, "Pressure stall information."),
        many(
            "probes",
            PROBE.name,
            "Every probe of every container that has one.",
        ),
        integer("processes", "Processes that run in it."),
        OF_ASKED_FOR,
        Field::new("ready", Holds::Boolean, READY_STATUS),
        integer(
            "readyContainers",
            "How many of its containers, sidecars among them, are ready.",
        ),
        one("readySince", TIME, "Since when ready is what it is."),
        one(
            "requests",
            AMOUNTS.name,
            "The requests in force, init containers taken into account as the scheduler does. What a resize asks for is \
             in resize.",
        ),
        one(
            "resize",
            RESIZE.name,
            "A resize in place that its node has not completed.",
        ),
        one("restarts", RESTARTS.name, "Restarts of all its containers."),
        one("startTime", TIME, "When the kubelet took it over."),
        text(
            "status",
            "What kubectl shows under STATUS: Running, CrashLoopBackOff, Init:0/1, Terminating, …",
        ),
        integer(
            "totalContainers",
            "How many containers, sidecars among them, it has.",
        ),
        one(
            "trend",
            TREND.name,
            "Its latest past, if it was asked for with trend=STEPS.",
        ),
        one("usage", USAGE.name, "All its containers together."),
        one(
            "workload",
            WORKLOAD.name,
            "What made it: the Deployment behind its ReplicaSet, the CronJob behind its Job.",
        ),
    ]),
)
.kind_of(NAME);

pub(super) const WORKLOAD: Type = Type::new(
    Name::Own("Workload"),
    "What made a pod.",
    Is::Object(&[
        text(
            "kind",
            "Deployment, StatefulSet, DaemonSet, Job, CronJob, or what else owns it.",
        ),
        text("name", "Its name."),
    ]),
);

pub(super) const CONTAINER: Type = Type::new(
    Name::Own("ContainerVitals"),
    "A container.",
    Is::Object(&[
        WHY_ABSENT,
        one("limits", AMOUNTS.name, "The limits in force."),
        text("name", "Its name."),
        OF_ASKED_FOR,
        Field::new("ready", Holds::Boolean, "Whether it counts as ready."),
        one("requests", AMOUNTS.name, "The requests in force."),
        one(
            "resize",
            RESIZE.name,
            "A resize in place of this container that its node has not completed.",
        ),
        one("restarts", RESTARTS.name, "Its restarts."),
        Field::new(
            "role",
            Holds::OneOf(&["App", "Init", "Sidecar"]),
            "What it is for: the pod's work, to run to its end before the others start, or to run beside them.",
        ),
        Field::new(
            "started",
            Holds::Boolean,
            "Whether its startup probe, if it has one, has passed.",
        ),
        one("state", CONTAINER_STATE.name, "What it is doing."),
        one("usage", USAGE.name, "What it uses."),
    ]),
);

pub(super) const CONTAINER_STATE: Type = Type::new(
    Name::Own("ContainerState"),
    "What a container is doing.",
    Is::Object(&[
        text("message", "More about the reason."),
        text("reason", "CrashLoopBackOff, Completed, OOMKilled, …"),
        one("since", TIME, "Since when, where it is known."),
        text(
            "state",
            "Waiting, Running, Terminated, or Unknown while its node is not heard of.",
        ),
    ]),
);

pub(super) const ENDED: Type = Type::new(
    Name::Own("Ended"),
    "How a container ended.",
    Is::Object(&[
        integer("exitCode", "Its exit code; 137 is SIGKILL."),
        one("finished", TIME, "When it ended."),
        text("message", "What it left as its termination message."),
        text("reason", "OOMKilled, Error, Completed, …"),
        integer(
            "signal",
            "The signal that ended it, if the runtime said so.",
        ),
        one("started", TIME, "When it had started."),
    ]),
);

pub(super) const RESTARTS: Type = Type::new(
    Name::Own("Restarts"),
    "How often containers were restarted, and the last time.",
    Is::Object(&[
        integer("count", "Over the pod's life."),
        one("last", LAST_RESTART.name, "The last one."),
        integer("recent", "Of these, within the time that is remembered."),
    ]),
);

pub(super) const LAST_RESTART: Type = Type::new(
    Name::Own("LastRestart"),
    "The last restart.",
    Is::Object(&[
        Field::new("cause", Holds::OneOf(CAUSES), "Why."),
        Field::new("certainty", Holds::OneOf(CERTAINTIES), "How sure that is."),
        text("container", "Which container."),
        one("ended", ENDED.name, "How the one before it ended."),
    ]),
);

pub(super) const PROBE: Type = Type::new(
    Name::Own("Probe"),
    "A probe of a container.",
    Is::Object(&[
        text(
            "asks",
            "What it asks, as kubectl describes it: http-get http://:8080/healthz delay=0s timeout=1s period=10s \
             #success=1 #failure=3.",
        ),
        text("container", "Which container."),
        integer(
            "failures",
            "Attempts that failed in a row, as far as is known.",
        ),
        Field::new(
            "kind",
            Holds::OneOf(&["Liveness", "Readiness", "Startup"]),
            "Which probe. Liveness restarts the container when it fails, Readiness takes the pod out of its services \
             meanwhile, Startup holds the others back until it succeeds.",
        ),
        text("message", "What the kubelet said when it failed last."),
        one(
            "since",
            TIME,
            "Since when it has this status, where that is known.",
        ),
        Field::new(
            "status",
            Holds::OneOf(&[
                "Unknown",
                "Failing",
                "Held",
                "NotRunning",
                "Passed",
                "Passing",
                "Pending",
                "Waiting",
            ]),
            "How it is. Pending: a startup probe that has not passed yet. Held: not asked until the startup probe has \
             passed. Waiting: not asked during its initial delay. Passed: a startup probe that is not asked again. \
             NotRunning: its container does not run. Unknown: the node is not heard of, or the kubelet says nothing \
             of it.",
        ),
        integer(
            "threshold",
            "How many failures in a row count: failureThreshold.",
        ),
    ]),
);
