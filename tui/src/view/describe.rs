//! The page of a pod as text without charts, and the incidents and pods of nodes and workloads.

use super::canvas::Line;
use super::pod;
use crate::model::row::IncidentRow;
use crate::model::{Key, State, View};

/// The sections of a pod's page: containers, probes, incidents, conditions, events.
#[must_use]
pub fn pod(state: &State, key: &Key, width: u16) -> Vec<String> {
    let Some(row) = state.world().pods.get(key) else {
        return Vec::new();
    };
    let detail = state.screen().detail.as_deref();
    let page = pod::page(state, key, row, detail, (width, false));
    page.lines.iter().map(plain).collect()
}

/// The incidents of an object in the table of a view.
#[must_use]
pub fn incidents(state: &State, view: View, key: &Key, width: u16) -> Vec<String> {
    let rows = incidents_of(state, view, key);
    let lines = pod::incident_lines(state, rows, width);
    lines.iter().map(plain).collect()
}

/// The rows of the incidents of an object in the table of a view, the newest first.
#[must_use]
pub fn incidents_of<'a>(state: &'a State, view: View, key: &Key) -> Vec<&'a IncidentRow> {
    let rows = state.world().incidents.rows().iter();
    let rows = rows.map(|row| &**row).filter(|row| {
        let involved = &row.incident.involved;
        match view {
            View::Nodes => row.is_of_node() && *involved.name == *key.name,
            View::Workloads => {
                let workload = involved.workload.as_ref();
                let of_pod =
                    workload.is_some_and(|it| *it.kind == *key.part && *it.name == *key.name);
                let of_all = *involved.kind == *key.part && *involved.name == *key.name;
                *involved.namespace == *key.namespace && (of_pod || of_all)
            }
            _ => pod::is_incident_of(row, key),
        }
    });
    let mut rows: Vec<&IncidentRow> = rows.collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.last()));
    rows
}

/// The indexes of the pods on a node or of a workload.
#[must_use]
pub fn pods_of(state: &State, view: View, key: &Key) -> Vec<u32> {
    let pods = state.world().pods.rows().iter();
    let pods = (0..).zip(pods).filter(|(_, pod)| match view {
        View::Nodes => pod.node == key.name,
        _ => {
            let workload = pod.workload.as_deref();
            pod.namespace == key.namespace
                && workload.is_some_and(|it| it.kind == key.part && it.name == key.name)
        }
    });
    pods.map(|(at, _)| at).collect()
}

fn plain(line: &Line) -> String {
    line.iter().map(|segment| segment.text.as_str()).collect()
}
