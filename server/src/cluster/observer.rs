//! Those who want to hear of each change, and not only to see what has become of it.

use std::fmt;
use std::sync::Arc;

use super::{Event, Node, Pod};

/// Told of every change by the task that takes it in, one after the other; different kinds by different tasks. It must
/// be quick: while it thinks, nothing is taken in.
///
/// When all is listed anew, each object that differs from what was known is told as a change, and each that is no longer
/// there as a deletion. An object deleted and made anew under its name is told as both.
pub trait Observer: Send + Sync + fmt::Debug {
    /// A pod is new (`before` is nothing), changed, or gone (`after` is nothing).
    fn pod(&self, before: Option<&Arc<Pod>>, after: Option<&Arc<Pod>>);

    /// A node likewise.
    fn node(&self, before: Option<&Arc<Node>>, after: Option<&Arc<Node>>);

    /// An event about a pod was written or repeated. Those that were there at start are told too, the oldest first,
    /// once the pods are known.
    fn event(&self, event: &Event);
}

/// All who observe.
pub type Observers = Vec<Arc<dyn Observer>>;
