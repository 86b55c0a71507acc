//! Versions of objects, and the changes since a version: for lists, and for watches that continue from them.
//!
//! A change of usage needs no entry of its own: a scrape changes all pods of a node at once, so one version for the
//! scrape is enough, and a pod's index in the scrape gives the pod's version. Only changes of the objects themselves,
//! and deletions, are in a log, which is bounded. So a watch costs one version, however many objects it covers. A slow
//! watch receives the current state and not every state in between. The detector compares snapshots once a second.

mod detector;
mod feed;
mod reader;
mod snapshot;
mod table;
mod version;

pub use detector::ChangeDetector;
pub use feed::{Changes, Resume};
pub use reader::{ChangeList, ChangeReader, PodChanges};
pub use snapshot::{ClusterSingleton, VersionedSnapshot};
pub use table::Change;
pub use version::{ParseVersionError, Version};

#[cfg(test)]
mod tests;
