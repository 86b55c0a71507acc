//! What something uses and may use.

use super::{number, one, text};
use crate::wire::openapi::meta::{DURATION, QUANTITY, TIME};
use crate::wire::openapi::schema::{Field, Holds, Is, Name, Type};

pub(super) const USAGE: Type = Type::new(
    Name::Own("Usage"),
    "CPU and memory used over a window.",
    Is::Object(&[
        one("cpu", QUANTITY, "Cores, averaged over the window."),
        one(
            "memory",
            QUANTITY,
            "The working set in bytes at the timestamp: what the kernel cannot take back under pressure, and what the \
             out-of-memory killer counts.",
        ),
        one(
            "swap",
            QUANTITY,
            "Bytes of swap: of a node that has any, of a pod or container that uses any. A pod's is the sum of its \
             containers, or that of the pod as a whole if it is more.",
        ),
        one(
            "timestamp",
            TIME,
            "The end of the window, by the kubelet's clock.",
        ),
        one("window", DURATION, "The time over which CPU was averaged."),
    ]),
);

pub(super) const AMOUNTS: Type = Type::new(
    Name::Own("Amounts"),
    "Amounts of resources. What is not set is left out.",
    Is::Object(&[
        one("cpu", QUANTITY, "Cores."),
        one(
            "ephemeralStorage",
            QUANTITY,
            "Bytes of the node's own disk.",
        ),
        one("memory", QUANTITY, "Bytes."),
    ]),
);

pub(super) const RATIOS: Type = Type::new(
    Name::Own("Ratios"),
    "Usage as a part of what was asked for: 0.5 is half. Left out where there is no usage or nothing was asked for.",
    Is::Object(&[
        number("cpuOfLimit", "CPU used of the CPU limit."),
        number("cpuOfRequest", "CPU used of CPU requested."),
        number("memoryOfLimit", "Memory used of the memory limit."),
        number("memoryOfRequest", "Memory used of memory requested."),
    ]),
);

pub(super) const ABSENCE: Type = Type::new(
    Name::Own("Absence"),
    "Why there is no usage.",
    Is::Object(&[
        text("message", "One sentence."),
        text(
            "reason",
            "One word: NotReported, FirstPoint, Stale, NotRunning, …",
        ),
    ]),
);

pub(super) const TREND: Type = Type::new(
    Name::Own("Trend"),
    "The latest steps of a series, oldest first. A gap is null.",
    Is::Object(&[
        Field::new(
            "cpu",
            Holds::IntegersOrNull,
            "Nanocores, the mean of each step.",
        )
        .list("atomic"),
        Field::new(
            "memory",
            Holds::IntegersOrNull,
            "Bytes, the mean of each step.",
        )
        .list("atomic"),
        one("step", DURATION, "The length of each step."),
        one("until", TIME, "The end of the last step."),
    ]),
);
