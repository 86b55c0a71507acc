//! The document of a description, for programs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::export::{Item, Records as _, TableRecords};
use crate::model::row::ContainerRow;
use crate::model::{AnyTable, Condition, Event, State, Table, View};
use crate::view::describe;

/// The fields of a row, by name: the same as in `vitals get -o json`.
type Fields = BTreeMap<String, Value>;

/// The description of a pod, a node or a workload.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Description {
    /// The fields of the object, as `vitals get -o json` has them.
    pub object: Fields,
    /// The labels of a pod or node.
    pub labels: BTreeMap<String, String>,
    /// The containers of a pod, as `vitals get containers -o json` has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<Fields>,
    /// The probes of a pod, as `podvitals` of kubevitals.io has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub probes: Vec<Fields>,
    /// The conditions of a pod.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<ConditionItem>,
    /// The events about a pod, the newest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventItem>,
    /// The pods on a node or of a workload, as `vitals get pods -o json` has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pods: Vec<Fields>,
    /// The incidents of the object, as kubevitals.io has them.
    pub incidents: Vec<Fields>,
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConditionItem {
    /// `Ready`, `PodScheduled`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// The reason; may be empty.
    pub reason: String,
    /// The message; may be empty.
    pub message: String,
    /// The time of the last transition, in RFC 3339.
    pub since: Option<String>,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventItem {
    /// `Normal` or `Warning`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The reason.
    pub reason: String,
    /// The message.
    pub message: String,
    /// The number of occurrences.
    pub count: u64,
    /// The time of the last occurrence, in RFC 3339.
    pub last: Option<String>,
}

impl Description {
    /// The description of the object at an index of the table of a view.
    pub(super) fn of(state: &State, view: View, at: u32) -> Self {
        let table = state.live.table(view);
        let key = table.key_at(at);
        let rows = key.as_ref().filter(|_| view != View::Pods);
        let pods = rows.map(|key| describe::pods_of(state, view, key));
        let detail = state.screen().detail.as_deref();
        let details = detail.filter(|_| view == View::Pods);
        let pod = key.as_ref().and_then(|key| match view {
            View::Pods => state.live.pods.get(key),
            _ => None,
        });
        let containers = pod.map(|pod| {
            let table = Table::of(ContainerRow::all(pod).collect());
            let rows: Vec<u32> = (0..).take(table.len()).collect();
            fields(state, View::Containers, &table, &rows)
        });
        let object = fields(state, view, table, &[at]).into_iter().next();
        Self {
            object: object.unwrap_or_default(),
            labels: labels(state, view, at),
            containers: containers.unwrap_or_default(),
            probes: details
                .map(|it| it.pod.probes.iter().map(members).collect())
                .unwrap_or_default(),
            conditions: details
                .map(|it| it.conditions.iter().map(Into::into).collect())
                .unwrap_or_default(),
            events: details
                .map(|it| it.events.iter().map(Into::into).collect())
                .unwrap_or_default(),
            pods: pods
                .map(|rows| fields(state, View::Pods, &state.live.pods, &rows))
                .unwrap_or_default(),
            incidents: key
                .map(|key| describe::incidents_of(state, view, &key))
                .unwrap_or_default()
                .into_iter()
                .map(|row| members(&*row.incident))
                .collect(),
        }
    }
}

/// The fields of rows of a table.
fn fields(state: &State, view: View, table: &dyn AnyTable, rows: &[u32]) -> Vec<Fields> {
    let records = TableRecords::new(&view.columns(), table, rows, state.now);
    let items = (0..records.len()).map(|row| members(&Item(&records, row)));
    items.collect()
}

/// The members of an object.
fn members(object: &impl Serialize) -> Fields {
    match serde_json::to_value(object) {
        Ok(Value::Object(members)) => members.into_iter().collect(),
        // Records, probes and incidents are objects.
        _ => Fields::new(),
    }
}

/// The labels of a pod or node.
pub(super) fn labels(state: &State, view: View, at: u32) -> BTreeMap<String, String> {
    let labels = match view {
        View::Pods => state.live.pods.row(at).map(|row| &row.labels),
        View::Nodes => state.live.nodes.row(at).map(|row| &row.labels),
        _ => None,
    };
    let labels = labels.into_iter().flat_map(|labels| labels.iter());
    labels
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .collect()
}

impl From<&Condition> for ConditionItem {
    fn from(condition: &Condition) -> Self {
        Self {
            kind: condition.kind.clone(),
            status: condition.status.clone(),
            reason: condition.reason.clone(),
            message: condition.message.clone(),
            since: condition.since.map(|since| since.to_rfc3339_seconds()),
        }
    }
}

impl From<&Event> for EventItem {
    fn from(event: &Event) -> Self {
        Self {
            kind: event.kind.clone(),
            reason: event.reason.clone(),
            message: event.message.clone(),
            count: event.count,
            last: event.last.map(|last| last.to_rfc3339_seconds()),
        }
    }
}
