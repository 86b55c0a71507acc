//! By what the map groups pods.

use std::borrow::Cow;

use crate::model::name::Name;

/// By what the map groups pods.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum MapBy {
    /// The node.
    #[default]
    Node,
    /// The namespace.
    Namespace,
    /// The workload that created the pod.
    Workload,
    /// The zone of the node.
    Zone,
    /// A label of the pod, or else of its node.
    Label(Name),
}

impl MapBy {
    /// All groupings that need no label.
    pub(in crate::model) const PLAIN: [Self; 4] =
        [Self::Node, Self::Namespace, Self::Workload, Self::Zone];

    /// The words: `node`, `label app`.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Node => "node".into(),
            Self::Namespace => "namespace".into(),
            Self::Workload => "workload".into(),
            Self::Zone => "zone".into(),
            Self::Label(key) => format!("label {key}").into(),
        }
    }

    /// The grouping of these words; any other text is the key of a label.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let plain = Self::PLAIN.into_iter().find(|by| by.text() == text);
        plain.unwrap_or_else(|| Self::Label(Name::from(text)))
    }

    /// The grouping after this one; `None` after the last one that needs no label.
    pub(in crate::model) fn next(&self) -> Option<Self> {
        let at = Self::PLAIN.iter().position(|by| by == self)?;
        Self::PLAIN.get(at + 1).cloned()
    }
}
