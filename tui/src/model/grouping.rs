//! Groups of pods and containers, and their sums.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use kubevitals_proto::selector::LabelSelector;

use super::name::{Key, Name};
use super::row::{ContainerRow, GroupRow, PodRow};
use super::table::Table;

/// By which property rows are grouped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grouping {
    /// The namespace.
    Namespace,
    /// The workload.
    Workload,
    /// The node.
    Node,
    /// The value of the label with this key.
    Label(String),
}

/// Why a text is no grouping.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected namespace, workload, node or label:KEY")]
pub struct NoGrouping;

impl fmt::Display for Grouping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Namespace => f.write_str("namespace"),
            Self::Workload => f.write_str("workload"),
            Self::Node => f.write_str("node"),
            Self::Label(key) => write!(f, "label:{key}"),
        }
    }
}

impl FromStr for Grouping {
    type Err = NoGrouping;

    fn from_str(text: &str) -> Result<Self, NoGrouping> {
        match text {
            "namespace" | "ns" => Ok(Self::Namespace),
            "workload" => Ok(Self::Workload),
            "node" => Ok(Self::Node),
            _ => {
                let key = text.strip_prefix("label:").ok_or(NoGrouping)?;
                // A key alone is the selector of objects that have the label.
                let is_key = key.parse::<LabelSelector>().is_ok()
                    && !key.is_empty()
                    && !key.contains(['=', '!', ',', ' ', '(', '<', '>']);
                is_key
                    .then(|| Self::Label(key.to_owned()))
                    .ok_or(NoGrouping)
            }
        }
    }
}

impl Grouping {
    /// The heading of the groups.
    #[must_use]
    pub fn title(&self) -> String {
        match self {
            Self::Namespace => "NAMESPACE".to_owned(),
            Self::Workload => "WORKLOAD".to_owned(),
            Self::Node => "NODE".to_owned(),
            Self::Label(key) => key.to_uppercase(),
        }
    }

    /// The group of a pod. The part is the kind of a workload.
    fn key(&self, pod: &PodRow) -> Key {
        match self {
            Self::Namespace => Key::named(&pod.namespace),
            Self::Node => Key::named(&pod.node),
            Self::Label(key) => {
                let value = pod.labels.get(key).unwrap_or_default();
                Key::named(&Name::from(value))
            }
            Self::Workload => match &pod.workload {
                Some(workload) => Key::new(&pod.namespace, &workload.name).part(&workload.kind),
                None => Key::new(&pod.namespace, &Name::default()),
            },
        }
    }

    /// The groups of pods.
    pub fn of_pods<'a>(&self, pods: impl Iterator<Item = &'a Arc<PodRow>>) -> Table<GroupRow> {
        let mut groups: BTreeMap<Key, GroupRow> = BTreeMap::new();
        for pod in pods {
            let key = self.key(pod);
            groups
                .entry(key)
                .or_insert_with_key(|key| GroupRow::new(key.clone()))
                .add_pod(pod);
        }
        Table::of(groups.into_values().collect())
    }

    /// The groups of containers.
    pub fn of_containers<'a>(
        &self,
        containers: impl Iterator<Item = &'a Arc<ContainerRow>>,
    ) -> Table<GroupRow> {
        let mut groups: BTreeMap<Key, GroupRow> = BTreeMap::new();
        let mut last: Option<&Arc<PodRow>> = None;
        for row in containers {
            let is_first = last.is_none_or(|last| !Arc::ptr_eq(last, &row.pod));
            last = Some(&row.pod);
            let key = self.key(&row.pod);
            groups
                .entry(key)
                .or_insert_with_key(|key| GroupRow::new(key.clone()))
                .add_container(row, is_first);
        }
        Table::of(groups.into_values().collect())
    }
}
