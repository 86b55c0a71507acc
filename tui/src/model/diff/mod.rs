//! What is different in a cluster between two times.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};

use super::amount::Amounts;
use super::cell::Resource;
use super::check::Object;
use super::format;
use super::name::{Key, Name};
use super::row::{IncidentRow, NodeRow, PodRow, Row as _};
use super::scope::{Limits, Scope};
use super::table::Table;
use super::world::World;

/// What is different. The order is that of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// An incident began.
    IncidentBegan,
    /// An incident ended.
    IncidentEnded,
    /// A node is gone.
    NodeGone,
    /// A node is new.
    NodeNew,
    /// A node has another status.
    NodeStatus,
    /// A pod is gone.
    PodGone,
    /// A pod is new.
    PodNew,
    /// A pod has another status.
    PodStatus,
    /// Containers of a pod were restarted.
    Restarts,
    /// A node or pod uses another amount of CPU.
    Cpu,
    /// A node or pod uses another amount of memory.
    Memory,
}

impl What {
    /// The name in outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::IncidentBegan => "incident-began",
            Self::IncidentEnded => "incident-ended",
            Self::NodeGone => "node-gone",
            Self::NodeNew => "node-new",
            Self::NodeStatus => "node-status",
            Self::PodGone => "pod-gone",
            Self::PodNew => "pod-new",
            Self::PodStatus => "pod-status",
            Self::Restarts => "restarts",
            Self::Cpu => "cpu",
            Self::Memory => "memory",
        }
    }
}

/// One side of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    /// The object did not exist, or the value is unknown.
    None,
    /// A status.
    Text(String),
    /// A number of restarts.
    Count(u32),
    /// CPU.
    Cpu(Nanocores),
    /// Memory.
    Memory(Bytes),
}

impl Side {
    /// The text for people.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::None => format::UNKNOWN.to_owned(),
            Self::Text(text) => text.clone(),
            Self::Count(count) => count.to_string(),
            Self::Cpu(cpu) => format::cpu(*cpu),
            Self::Memory(memory) => format::bytes(*memory),
        }
    }

    /// The size of a number, to sort by.
    const fn size(&self) -> u64 {
        match self {
            Self::None | Self::Text(_) => 0,
            Self::Count(count) => *count as u64,
            Self::Cpu(cpu) => cpu.0,
            Self::Memory(memory) => memory.0,
        }
    }
}

/// A difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What is different.
    pub what: What,
    /// The object.
    pub object: Object,
    /// The earlier state.
    pub before: Side,
    /// The later state.
    pub after: Side,
    /// More about it; may be empty.
    pub message: String,
}

impl Difference {
    /// The difference of two numbers.
    pub(super) const fn size(&self) -> u64 {
        self.before.size().abs_diff(self.after.size())
    }
}

/// What a comparison depends on beside the two states of the cluster.
#[derive(Debug, Clone, Copy)]
pub struct Basis<'a> {
    /// The earlier time.
    pub since: Timestamp,
    /// The later time.
    pub until: Timestamp,
    /// From this part of the earlier usage on, a change of usage is a difference.
    pub threshold: f64,
    /// The namespaces to compare; empty for all, and for nodes.
    pub namespaces: &'a [Name],
}

impl Basis<'_> {
    pub(super) fn has_namespace(&self, namespace: &str) -> bool {
        let limits = Limits {
            scope: &Scope::All,
            namespaces: self.namespaces,
            now: self.until,
            names_probe: false,
        };
        limits.has_namespace(namespace)
    }

    /// Whether a time is after the earlier one and not after the later one.
    fn has(&self, time: Timestamp) -> bool {
        self.since < time && time <= self.until
    }
}

/// The differences, in the order of [`What`]; those of usage and restarts by size, the largest first.
#[must_use]
pub fn differences(then: &World, now: &World, basis: &Basis<'_>) -> Vec<Difference> {
    let mut all = Vec::new();
    for row in now.incidents.rows() {
        let namespace = &row.incident.involved.namespace;
        let is_of_node = namespace.is_empty() && basis.namespaces.is_empty();
        if is_of_node || (!namespace.is_empty() && basis.has_namespace(namespace)) {
            all.extend(incident(row, basis));
        }
    }
    if basis.namespaces.is_empty() {
        nodes(&then.nodes, &now.nodes, basis, &mut all);
    }
    pods(&then.pods, &now.pods, basis, &mut all);
    all.sort_by(|a, b| {
        let size = || b.size().cmp(&a.size());
        let what = a.what.cmp(&b.what);
        what.then_with(size).then_with(|| a.object.cmp(&b.object))
    });
    all
}

/// An incident that began or ended. One that did both is one difference: it began.
fn incident(row: &IncidentRow, basis: &Basis<'_>) -> Option<Difference> {
    let incident = &row.incident;
    let ended = incident.ended.filter(|ended| *ended <= basis.until);
    let (what, before) = if basis.has(incident.began) {
        (What::IncidentBegan, Side::None)
    } else if ended.is_some_and(|ended| basis.has(ended)) {
        (What::IncidentEnded, Side::Text("open".to_owned()))
    } else {
        return None;
    };
    let after = if ended.is_some() { "ended" } else { "open" };
    let involved = &incident.involved;
    Some(Difference {
        what,
        object: Object {
            kind: involved.kind.clone(),
            namespace: involved.namespace.clone(),
            name: involved.name.clone(),
            container: involved.container.clone(),
        },
        before,
        after: Side::Text(after.to_owned()),
        message: format!("{}: {}; {}", row.reason(), row.cause(), incident.message),
    })
}

fn nodes(
    then: &Table<NodeRow>,
    now: &Table<NodeRow>,
    basis: &Basis<'_>,
    all: &mut Vec<Difference>,
) {
    // Without nodes at one time there is no permission to read them.
    if then.is_empty() || now.is_empty() {
        return;
    }
    let status = |node: &NodeRow| Side::Text(node.status_text().into_owned());
    for node in then.rows() {
        let Some(later) = now.get(&node.key()) else {
            all.push(of(
                "Node",
                &node.key(),
                What::NodeGone,
                (status(node), Side::None),
            ));
            continue;
        };
        let statuses = (status(node), status(later));
        if statuses.0 != statuses.1 {
            all.push(of("Node", &node.key(), What::NodeStatus, statuses));
        }
        usage("Node", &node.key(), (node.usage, later.usage), basis, all);
    }
    for node in now.rows() {
        if then.get(&node.key()).is_none() {
            all.push(of(
                "Node",
                &node.key(),
                What::NodeNew,
                (Side::None, status(node)),
            ));
        }
    }
}

fn pods(then: &Table<PodRow>, now: &Table<PodRow>, basis: &Basis<'_>, all: &mut Vec<Difference>) {
    let is_compared = |pod: &PodRow| basis.has_namespace(&pod.namespace);
    // A pod of a StatefulSet that was created again has the same name.
    let earlier: HashMap<Key, &PodRow> = then
        .rows()
        .iter()
        .filter(|pod| is_compared(pod))
        .map(|pod| (pod.key(), &**pod))
        .collect();
    let status = |pod: &PodRow| Side::Text(pod.status.to_string());
    for (key, pod) in &earlier {
        if now.get(key).is_none_or(|later| later.uid != pod.uid) {
            all.push(of("Pod", key, What::PodGone, (status(pod), Side::None)));
        }
    }
    for pod in now.rows().iter().filter(|pod| is_compared(pod)) {
        let key = pod.key();
        let Some(before) = earlier.get(&key).filter(|before| before.uid == pod.uid) else {
            all.push(of("Pod", &key, What::PodNew, (Side::None, status(pod))));
            continue;
        };
        if before.status != pod.status {
            let statuses = (status(before), status(pod));
            let message = pod.message.as_deref().unwrap_or_default();
            all.push(Difference {
                message: message.to_owned(),
                ..of("Pod", &key, What::PodStatus, statuses)
            });
        }
        if pod.restarts.count > before.restarts.count {
            let counts = (
                Side::Count(before.restarts.count),
                Side::Count(pod.restarts.count),
            );
            all.push(Difference {
                message: pod.restarts.last_text(basis.until).into_owned(),
                ..of("Pod", &key, What::Restarts, counts)
            });
        }
        usage("Pod", &key, (before.usage, pod.usage), basis, all);
    }
}

fn of(kind: &str, key: &Key, what: What, (before, after): (Side, Side)) -> Difference {
    Difference {
        what,
        object: Object::new(kind, key),
        before,
        after,
        message: String::new(),
    }
}

/// The smallest difference of usage that counts, however little was used before: 50 millicores and 16 MiB.
const fn least(resource: Resource) -> u64 {
    match resource {
        Resource::Cpu => 50_000_000,
        Resource::Memory => 16 << 20,
    }
}

/// Adds the changes of usage that are large enough.
fn usage(
    kind: &str,
    key: &Key,
    (before, after): (Amounts, Amounts),
    basis: &Basis<'_>,
    all: &mut Vec<Difference>,
) {
    for resource in [Resource::Cpu, Resource::Memory] {
        let Some((earlier, later)) = before.get(resource).zip(after.get(resource)) else {
            continue;
        };
        let size = earlier.abs_diff(later);
        let part = after
            .part_of(before, resource)
            .map(|part| (part - 1.0).abs());
        let is_large = part.is_none_or(|part| part >= basis.threshold);
        if size < least(resource) || !is_large {
            continue;
        }
        let (what, sides) = match resource {
            Resource::Cpu => (
                What::Cpu,
                (Side::Cpu(Nanocores(earlier)), Side::Cpu(Nanocores(later))),
            ),
            Resource::Memory => (
                What::Memory,
                (Side::Memory(Bytes(earlier)), Side::Memory(Bytes(later))),
            ),
        };
        let sign = if later > earlier { "+" } else { "-" };
        let percent = part.map(format::percent);
        all.push(Difference {
            message: percent.map_or_else(String::new, |percent| format!("{sign}{percent}")),
            ..of(kind, key, what, sides)
        });
    }
}
