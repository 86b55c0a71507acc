//! What of a cluster is printed, and how two moments differ.

use std::collections::BTreeMap;

use crate::model::row::IncidentRow;
use crate::model::{Key, Row, State, World, is_unwell};

/// More entries than this are one line with their number and the names of the first.
const SINGLE: usize = 3;

/// The number of entries of each kind in the summary.
const LISTED: usize = 20;

/// Entries by their objects.
type Entries = BTreeMap<Key, String>;

/// A moment of a cluster, reduced to what is printed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Picture {
    nodes: usize,
    pods: u64,
    /// Nodes that are not ready.
    unready: Entries,
    /// Unhealthy pods, with their status.
    unhealthy: Entries,
    /// Open incidents.
    incidents: Entries,
}

impl Picture {
    /// The current state of a cluster.
    pub(super) fn of(state: &State) -> Self {
        let World {
            nodes,
            pods,
            incidents,
            extent,
            ..
        } = &state.live;
        let unready = nodes.rows().iter().filter(|node| !node.ready);
        let unhealthy = pods.rows().iter().filter(|pod| is_unwell(pod, state.now));
        let open = incidents.rows().iter().filter(|row| row.is_open());
        let held = u64::try_from(pods.len()).unwrap_or(u64::MAX);
        Self {
            nodes: nodes.len(),
            pods: extent.as_ref().map_or(held, |extent| extent.total),
            unready: unready
                .map(|node| (node.key(), node.name.to_string()))
                .collect(),
            unhealthy: unhealthy
                .map(|pod| {
                    // A pod can run and not be ready.
                    let why = match &*pod.status {
                        "Running" if pod.probes.failing > 0 => "probe failing",
                        "Running" => "not ready",
                        status => status,
                    };
                    let text = format!("{}/{} {why}", pod.namespace, pod.name);
                    (pod.key(), text)
                })
                .collect(),
            incidents: open.map(|row| (row.key(), in_words(row))).collect(),
        }
    }

    /// The lines that are printed first.
    pub(super) fn summary(&self) -> Vec<String> {
        let ready = self.nodes.saturating_sub(self.unready.len());
        let mut lines = vec![format!("nodes: {ready} of {} ready", self.nodes)];
        lines.extend(listed("node not ready", &self.unready));
        let unhealthy = self.unhealthy.len();
        lines.push(format!("pods: {}, {unhealthy} unhealthy", self.pods));
        lines.extend(listed("unhealthy pod", &self.unhealthy));
        lines.push(format!("open incidents: {}", self.incidents.len()));
        lines.extend(listed("open incident", &self.incidents));
        lines
    }

    /// A line for each change since an earlier moment; one for all of a kind if there are many. `exists` tells whether a
    /// pod or node that is not in a list any more still exists.
    pub(super) fn changes_since(
        &self,
        before: &Self,
        exists: impl Fn(&Key) -> bool,
    ) -> Vec<String> {
        let [ready, no_node] = gone(&before.unready, &self.unready, &exists);
        let [well, no_pod] = gone(&before.unhealthy, &self.unhealthy, &exists);
        let mut lines = Vec::new();
        for (one, several, entries) in [
            (
                "node not ready",
                "nodes not ready",
                new(&self.unready, &before.unready),
            ),
            ("node ready again", "nodes ready again", ready),
            ("node deleted", "nodes deleted", no_node),
            (
                "incident started",
                "incidents started",
                new(&self.incidents, &before.incidents),
            ),
            (
                "pod became unhealthy",
                "pods became unhealthy",
                new(&self.unhealthy, &before.unhealthy),
            ),
            ("pod recovered", "pods recovered", well),
            ("unhealthy pod deleted", "unhealthy pods deleted", no_pod),
            (
                "incident ended",
                "incidents ended",
                new(&before.incidents, &self.incidents),
            ),
        ] {
            if entries.len() > SINGLE {
                let first = entries.get(..SINGLE).unwrap_or_default().join(", ");
                let more = entries.len() - SINGLE;
                lines.push(format!(
                    "{} {several}: {first} and {more} more",
                    entries.len()
                ));
            } else {
                lines.extend(entries.iter().map(|text| format!("{one}: {text}")));
            }
        }
        lines
    }
}

/// `shop/web-1 web: restarts, OOMKilled`.
fn in_words(row: &IncidentRow) -> String {
    let namespace = &row.incident.involved.namespace;
    let slash = if namespace.is_empty() { "" } else { "/" };
    let (who, what, why) = (row.who(), row.reason(), row.cause());
    format!("{namespace}{slash}{who}: {what}, {why}")
}

/// The entries that are not in `before`.
fn new<'a>(now: &'a Entries, before: &Entries) -> Vec<&'a str> {
    let new = now.iter().filter(|(key, _)| !before.contains_key(key));
    new.map(|(_, text)| text.as_str()).collect()
}

/// The entries that are not in `now`: those of objects that exist, and the others. What they were does not matter.
fn gone<'a>(
    before: &'a Entries,
    now: &Entries,
    exists: impl Fn(&Key) -> bool,
) -> [Vec<&'a str>; 2] {
    let gone = before.iter().filter(|(key, _)| !now.contains_key(key));
    let (existing, deleted): (Vec<_>, Vec<_>) = gone.partition(|(key, _)| exists(key));
    [existing, deleted].map(|entries| {
        let names = entries.into_iter().map(|(_, text)| text);
        names
            .map(|text| text.split_once(' ').map_or(text.as_str(), |(name, _)| name))
            .collect()
    })
}

/// The first entries, each with what it is, and the number of the others.
fn listed(what: &str, entries: &Entries) -> Vec<String> {
    let first = entries.values().take(LISTED);
    let mut lines: Vec<String> = first.map(|text| format!("{what}: {text}")).collect();
    if let Some(more @ 1..) = entries.len().checked_sub(LISTED) {
        lines.push(format!("and {more} more"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Name;

    fn entries(names: &[&str]) -> Entries {
        let key = |name: &str| Key::new(&"shop".into(), &Name::from(name));
        let entry = |name: &&str| (key(name), format!("shop/{name} CrashLoopBackOff"));
        names.iter().map(entry).collect()
    }

    fn unhealthy(names: &[&str]) -> Picture {
        Picture {
            unhealthy: entries(names),
            pods: 10,
            ..Picture::default()
        }
    }

    #[test]
    fn changes_are_lines_and_many_changes_are_one_line() {
        for (before, now, deleted, expected) in [
            (&["a"][..], &["a"][..], "", &[][..]),
            (
                &[],
                &["a"],
                "",
                &["pod became unhealthy: shop/a CrashLoopBackOff"],
            ),
            (&["a"], &[], "", &["pod recovered: shop/a"]),
            (
                &["a", "b"],
                &[],
                "b",
                &["pod recovered: shop/a", "unhealthy pod deleted: shop/b"],
            ),
            (
                &[],
                &["a", "b", "c", "d", "e"],
                "",
                &[
                    "5 pods became unhealthy: shop/a CrashLoopBackOff, shop/b CrashLoopBackOff, shop/c CrashLoopBackOff and 2 more",
                ],
            ),
        ] {
            let exists = |key: &Key| *key.name != *deleted;
            let lines = unhealthy(now).changes_since(&unhealthy(before), exists);
            assert_eq!(lines, expected, "{before:?} {now:?}");
        }
    }

    #[test]
    fn the_summary_is_bounded() {
        let names: Vec<String> = (100..150).map(|at| format!("web-{at}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let lines = unhealthy(&names).summary();
        assert_eq!(lines.len(), 3 + LISTED + 1);
        assert_eq!(lines[0], "nodes: 0 of 0 ready");
        assert_eq!(lines[1], "pods: 10, 50 unhealthy");
        assert_eq!(lines[22], "and 30 more");
    }
}
