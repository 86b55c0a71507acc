//! A change of an object.

use std::sync::Arc;

use super::version::Version;

/// A change of an object.
#[derive(Debug, PartialEq, Eq)]
pub struct Change<T> {
    /// The version of the change.
    pub version: Version,
    /// The object before the change; `None` if it was created.
    pub before: Option<Arc<T>>,
    /// The object after the change; `None` if it was deleted.
    pub after: Option<Arc<T>>,
}
