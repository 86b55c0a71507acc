//! Effects: work outside the state that a message or an action causes.

use kubevitals_proto::time::Timestamp;

use super::action::ExportAs;
use super::direct::DirectRequest;
use super::interest::Interest;
use super::kubectl::Kubectl;
use super::members::Entrance;
use super::message::Subject;
use super::name::{Key, Name};
use super::scope::Scope;
use super::setting::Setting;

/// Work for the main loop.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// End the program.
    Quit,
    /// Suspend the process until the shell continues it.
    Suspend,
    /// Draw the whole screen again.
    Redraw,
    /// Release the mouse to the terminal, or capture it again.
    Mouse,
    /// Notify the user by the terminal: a bell, or this text.
    Notify(String),
    /// Draw with the theme of this name.
    Theme(Name),
    /// Persist a setting in the configuration file.
    Persist(Setting),
    /// Copy this text to the clipboard.
    Copy(String),
    /// Write the rows of the view to a file in this format.
    Export(ExportAs),
    /// Send a request to the source. It answers with a message.
    Request(SourceRequest),
    /// Send a request for single objects. It is answered with a message.
    Direct(DirectRequest),
    /// Hand the terminal over to kubectl.
    Run(Kubectl),
    /// Connect to the cluster of another context.
    Connect(Name),
    /// Read the rows of all clusters.
    ReadClusters,
    /// Switch to one of several clusters.
    EnterCluster(Entrance),
}

/// A request to the source.
#[derive(Debug, Clone, PartialEq)]
pub enum SourceRequest {
    /// The state of the cluster at a time, limited to the interest.
    Past(Timestamp, Box<Interest>),
    /// The state of the cluster at an earlier time, to compare the state on the screen with.
    Before(Timestamp, Box<Interest>),
    /// The usage history of a subject over a span.
    History {
        /// The subject.
        subject: Subject,
        /// Start of the span.
        since: Timestamp,
        /// End of the span.
        until: Timestamp,
        /// The number of steps.
        steps: u32,
    },
    /// The details of a pod, at a time or now.
    Detail(Key, Option<Timestamp>),
    /// The metrics that a pod exposes itself, with their history over a span.
    OwnMetrics {
        /// The pod.
        pod: Key,
        /// Start of the span.
        since: Timestamp,
        /// End of the span.
        until: Timestamp,
        /// The number of steps.
        steps: u32,
    },
    /// The objects of the page of a node, a workload or a namespace, as they are now.
    Facts(Scope),
    /// The pods to send, if there are too many to send all.
    Interest(Box<Interest>),
    /// Whether nodes are on the screen. In a large cluster they are not followed otherwise.
    Nodes(bool),
    /// Whether volumes are on the screen. They are not read otherwise.
    Volumes(bool),
}
