//! The help page about the words on the screen.

use super::table::table;
use crate::view::canvas::Line;

/// Words, each with its meaning.
const WORDS: &str = "\
LIVE: all data of this view are up to date; PARTLY LIVE: some parts are missing or old; the line above the table lists them
LOST 23s: no response from the cluster for 23 seconds; the screen shows the last state, in grey
PAUSED, PAST: the screen shows a fixed time, not now; end returns to now
source: vitals: vitals-server (kubevitals.io), all data; metrics: any metrics server, usage without incidents; none: no usage
RESTARTS: the number of restarts of the containers, with the reason and age of the last one
PROBES: the worst state of a pod's probes: failing, pending (startup probe not passed yet), waiting (initial delay, or held by the startup probe), not running (its container does not run), passing, unknown
CAUSE: the cause of an incident: OOMKilled, liveness probe, startup probe, exit code, node lost; ? means likely, not certain
request, limit: resources.requests and resources.limits of the containers
allocatable: the capacity of a node for pods: total capacity without the system reservation
span: the time that charts cover: [ and ] change it
15 of 161: the filter, namespace or node selects 15 of 161 rows
open, ended: an incident that continues; one that does not";

/// Returns the lines of the page.
pub(super) fn lines(space: usize) -> Vec<Line> {
    let rows = WORDS.lines().filter_map(|line| line.split_once(": "));
    let rows = rows.map(|(word, meaning)| (word.to_owned(), meaning.to_owned()));
    table(rows, space, 16)
}
