//! Conditional writes: what keeps two writers from undoing each other's work.

use std::sync::Arc;

use thiserror::Error;

use super::Object;

/// What must hold for a write to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// The object does not exist yet.
    Absent,
    /// The object exists.
    Present,
    /// The object exists at this version.
    Version(u64),
}

/// Why a conditional write was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WriteError {
    /// It exists already.
    #[error("the object exists already")]
    Exists,
    /// It does not exist.
    #[error("the object does not exist")]
    Missing,
    /// It is at another version.
    #[error("the object is at another version")]
    Conflict,
    /// It has no name, or not the namespace it needs.
    #[error("the object has no name or namespace")]
    Invalid,
}

impl Precondition {
    pub(super) fn check(self, present: Option<&Arc<Object>>) -> Result<(), WriteError> {
        match (self, present) {
            (Self::Absent, None) | (Self::Present, Some(_)) => Ok(()),
            (Self::Version(version), Some(object)) if object.resource_version() == version => {
                Ok(())
            }
            (Self::Absent, Some(_)) => Err(WriteError::Exists),
            (Self::Present | Self::Version(_), None) => Err(WriteError::Missing),
            (Self::Version(_), Some(_)) => Err(WriteError::Conflict),
        }
    }
}
