//! Observers of every change of the cluster.

use std::fmt;
use std::sync::Arc;

use super::{Event, Node, Pod};

/// Receives every change in order. Each kind has a task of its own that calls it, so it must be fast: the task waits.
///
/// After a new list, each object that differs is a change, and each missing object a deletion. An object that was deleted
/// and created again under its name is both.
pub trait Observer: Send + Sync + fmt::Debug {
    /// Handles a pod that is new (no `before`), changed, or deleted (no `after`).
    fn pod(&self, before: Option<&Arc<Pod>>, after: Option<&Arc<Pod>>);

    /// Handles a node in the same way.
    fn node(&self, before: Option<&Arc<Node>>, after: Option<&Arc<Node>>);

    /// Handles a new or repeated event of a pod. At the start this includes existing events, the oldest first, after the
    /// pods have been listed.
    fn event(&self, event: &Event);

    /// Handles the begin of a new list of pods: the changes until [`Self::pods_listed`] are its differences, and changes
    /// between them may have been missed.
    fn pods_listing(&self) {}

    /// Handles the end of a list of pods.
    fn pods_listed(&self) {}

    /// Handles the news that the watch of pods is up to date, although there was no change.
    fn pods_current(&self) {}
}

/// All observers.
pub type Observers = Vec<Arc<dyn Observer>>;
