//! The help page for the first start: five steps.

use super::table::table;
use crate::input::KeyMap;
use crate::view::canvas::Line;

/// The ids of the bindings of each step, and what to do.
const STEPS: [(&[&str], &str); 5] = [
    (
        &["down", "enter", "back"],
        "The overview lists what is wrong. Go to a row, open it, and go back.",
    ),
    (
        &["command"],
        "Type where to go: pods, ns shop, deploy, node/worker-1. The list shows the key of each.",
    ),
    (
        &["filter", "clear-filter"],
        "Filter the rows: a word, or a condition like cpu>500m. Remove the filter again.",
    ),
    (
        &["step-back", "live"],
        "Go back in time: see the cluster as it was before a restart. Return to now.",
    ),
    (
        &["help", "quit"],
        "All keys, colours and words are in the help. Then quit.",
    ),
];

/// Returns the lines of the page.
pub(super) fn lines(keys: &KeyMap, space: usize) -> Vec<Line> {
    let steps = (1..).zip(STEPS).map(|(at, (ids, what))| {
        let keys = ids.iter().filter_map(|id| keys.key(id));
        let keys: Vec<String> = keys.map(|key| key.to_string()).collect();
        (format!("{at}. {}", keys.join(" ")), what.to_owned())
    });
    table(steps, space, 22)
}
