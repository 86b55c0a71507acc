//! Requests for single objects: they are the same for every source of data.

use super::log::LogRequest;
use super::name::Name;
use super::object::Object;
use super::text_line::TextLine;

/// A request for single objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DirectRequest {
    /// Follow these logs and no others.
    Logs(Option<LogRequest>),
    /// Read an object.
    Read(ReadRequest),
    /// Change the cluster.
    Change(ClusterChange),
    /// Cancel the drain of a node.
    CancelDrain(Name),
}

/// A request to read an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadRequest {
    /// Identifies the request in its response.
    pub id: u64,
    /// The object; none for all.
    pub object: Option<Object>,
    /// What of it.
    pub what: Topic,
}

/// What of an object is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// A description, as `kubectl describe` prints it.
    Describe,
    /// The object as YAML.
    Yaml,
    /// Its events.
    Events,
    /// The ports of its containers.
    Ports,
}

impl Topic {
    /// The heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Describe => "Describe",
            Self::Yaml => "YAML",
            Self::Events => "Events",
            Self::Ports => "Ports",
        }
    }
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Document {
    /// The lines.
    pub lines: Vec<TextLine>,
    /// Lines that are hidden until they are unfolded, and the index of the line that stands for them.
    pub folded: Option<(usize, Vec<TextLine>)>,
    /// The ports of containers, with the container and the name: `8080`, `web http`.
    pub ports: Vec<(u16, String)>,
}

/// A change of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterChange {
    /// Restart the pods of a workload, as `kubectl rollout restart` does.
    Restart(Object),
    /// Delete a pod.
    Delete(Object),
    /// Make a node unschedulable, or schedulable again.
    Cordon(Name, bool),
    /// Make a node unschedulable and evict its pods.
    Drain(Name),
    /// Set the replicas of a workload.
    Scale(Object, u32),
}

impl ClusterChange {
    /// What it does, to which object: `restart Deployment shop/web`.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Restart(object) => format!("restart the rollout of {}", object.text()),
            Self::Delete(object) => format!("delete {}", object.text()),
            Self::Cordon(node, true) => format!("cordon Node {node}"),
            Self::Cordon(node, false) => format!("uncordon Node {node}"),
            Self::Drain(node) => format!("drain Node {node}"),
            Self::Scale(object, replicas) => format!("scale {} to {replicas}", object.text()),
        }
    }
}
