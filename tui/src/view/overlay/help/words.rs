//! The help page about the words on the screen.

use super::table::{Line, table};

/// Words and their meanings.
const WORDS: &[(&str, &str)] = &[
    (
        "LIVE",
        "everything in this view is up to date; PARTLY LIVE: some parts are missing or old, and the line above the table says which",
    ),
    (
        "LOST 23s",
        "no answer from the cluster for 23 seconds; the last known state stays on the screen, in grey",
    ),
    (
        "PAUSED, PAST",
        "a fixed time is shown, not now; end leads back to now",
    ),
    (
        "source",
        "vitals: vitals-server (kubevitals.io), everything; metrics: any metrics server, usage without incidents; none: no usage",
    ),
    (
        "RESTARTS",
        "how often a container was restarted, why the last time, and how long ago",
    ),
    (
        "PROBES",
        "the worst state of a pod's probes: failing, pending (startup probe not passed yet), waiting (initial delay, or held by the startup probe), not running (its container does not run), passing, unknown",
    ),
    (
        "WHY",
        "the cause of an incident: OOMKilled, liveness probe, startup probe, exit code, node lost; ? means likely, not certain",
    ),
    (
        "request, limit",
        "resources.requests and resources.limits of the containers",
    ),
    (
        "allocatable",
        "what a node has for pods: its capacity without what the system reserves",
    ),
    ("span", "the time that charts cover: [ and ] change it"),
    (
        "15 of 161",
        "the filter, the namespace or the node that was chosen leaves 15 of 161 rows",
    ),
    ("open, over", "an incident that goes on; one that has ended"),
];

/// Returns the lines of the page.
pub(super) fn lines(space: usize) -> Vec<Line> {
    let rows = WORDS.iter();
    let rows = rows.map(|(word, meaning)| ((*word).to_owned(), (*meaning).to_owned()));
    table(rows, space, 16)
}
