//! Nodes.

use super::usage::{ABSENCE, AMOUNTS, TREND, USAGE};
use super::{NAME, integer, many, number, one, text};
use crate::wire::openapi::meta::{API_VERSION, KIND, OBJECT_META, QUANTITY, TIME};
use crate::wire::openapi::schema::{Field, Holds, Is, Name, Type};

pub(super) const NODE_VITALS: Type = Type::new(
    Name::Own("NodeVitals"),
    "A node: what it uses, what is asked of it, how it is.",
    Is::Object(&[
        one("absent", ABSENCE.name, "Why usage is missing."),
        one("allocatable", AMOUNTS.name, "What pods can have."),
        API_VERSION,
        one("capacity", AMOUNTS.name, "What it has."),
        many(
            "conditions",
            CONDITION.name,
            "Conditions other than Ready that are not as they should be.",
        ),
        one("disk", DISK.name, "The file system the kubelet works on."),
        one(
            "imageDisk",
            DISK.name,
            "The file system of images, where it is another one.",
        ),
        Field::new(
            "incidents",
            Holds::Strings,
            "Names of its own incidents that are not over; they are in the namespace default.",
        )
        .list("atomic"),
        KIND,
        one(
            "limits",
            AMOUNTS.name,
            "What its pods are limited to, of those that are.",
        ),
        one(
            "metadata",
            OBJECT_META,
            "The node's own name, labels and creation time, with a UID of its own and the node as owner.",
        ),
        one(
            "network",
            NETWORK.name,
            "Bytes sent and received by the default interface.",
        ),
        many(
            "pages",
            KUBELET_PAGE.name,
            "The pages of its kubelet that the server reads, and what came of asking for each of them last.",
        ),
        one("pods", POD_ROOM.name, "Pods on it, and how many it takes."),
        one("pressure", PRESSURE.name, "Pressure stall information."),
        integer("processes", "Processes that run on it."),
        one("ratios", NODE_RATIOS.name, "Parts of allocatable."),
        Field::new(
            "ready",
            Holds::Boolean,
            "Whether its Ready condition is true: the fieldSelector status.ready.",
        ),
        one("readySince", TIME, "Since when ready is what it is."),
        one(
            "requests",
            AMOUNTS.name,
            "What its pods request, as the scheduler counts it: during a resize in place the larger of old and new, \
             unless the node can never grant it.",
        ),
        integer(
            "restarts",
            "Restarts of its containers within the time that is remembered.",
        ),
        text(
            "status",
            "What kubectl shows under STATUS: Ready, NotReady, Ready,SchedulingDisabled.",
        ),
        one("swapCapacity", QUANTITY, "Bytes of swap it has."),
        one(
            "trend",
            TREND.name,
            "Its latest past, if it was asked for with trend=STEPS.",
        ),
        one("usage", USAGE.name, "What it uses, the system included."),
    ]),
)
.kind_of(NAME);

pub(super) const CONDITION: Type = Type::new(
    Name::Own("Condition"),
    "A condition of a node that is not as it should be.",
    Is::Object(&[
        text("reason", "One word."),
        one("since", TIME, "Since when."),
        text("status", "True, False or Unknown."),
        text("type", "MemoryPressure, DiskPressure, PIDPressure, …"),
    ]),
);

pub(super) const KUBELET_PAGE: Type = Type::new(
    Name::Own("KubeletPage"),
    "A page of a node's kubelet that the server reads.",
    Is::Object(&[
        one(
            "lastSuccess",
            TIME,
            "When the last request that succeeded was sent, by the server's clock.",
        ),
        text("message", "Why it fails, in one sentence for a person."),
        text(
            "name",
            "resource (usage), probes (counts of probe results) or summary (disk, network, pressure, processes).",
        ),
        text(
            "path",
            "The path at the kubelet: /metrics/resource, /metrics/probes, /stats/summary.",
        ),
        text(
            "reason",
            "Why it fails, in one word: Forbidden, Timeout, Status, …",
        ),
        text(
            "state",
            "Answering, Failing, Waiting (the first request is not over) or Disabled (the configuration turns the page off).",
        ),
    ]),
);

pub(super) const NODE_RATIOS: Type = Type::new(
    Name::Own("NodeRatios"),
    "Parts of what can be given to pods: 0.5 is half.",
    Is::Object(&[
        number("cpu", "CPU used."),
        number("cpuRequested", "CPU requested."),
        number("memory", "Memory used."),
        number("memoryRequested", "Memory requested."),
    ]),
);

pub(super) const POD_ROOM: Type = Type::new(
    Name::Own("PodRoom"),
    "Pods on a node.",
    Is::Object(&[
        integer("capacity", "How many it takes."),
        integer("count", "Bound to it and not over."),
    ]),
);

pub(super) const DISK: Type = Type::new(
    Name::Own("Disk"),
    "A file system.",
    Is::Object(&[
        one("available", QUANTITY, "Bytes that can still be used."),
        one("capacity", QUANTITY, "Bytes in all."),
        one("used", QUANTITY, "Bytes used."),
    ]),
);

pub(super) const NETWORK: Type = Type::new(
    Name::Own("Network"),
    "Bytes a second over the time between the last two readings.",
    Is::Object(&[
        integer("rxBytesPerSecond", "Received."),
        integer("txBytesPerSecond", "Sent."),
    ]),
);

pub(super) const PRESSURE: Type = Type::new(
    Name::Own("Pressure"),
    "Pressure stall information: for what part of the last minute, in percent, some tasks waited.",
    Is::Object(&[
        number("cpu", "For CPU."),
        number("io", "For input or output."),
        number("memory", "For memory."),
    ]),
);
