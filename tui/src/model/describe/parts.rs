//! What a description is made of.

use kubevitals_proto::time::Timestamp;
use serde_json::Value;

use super::Events;
use crate::model::object::Kind;

/// What a description is made of. What could not be read has the reason in its place.
#[derive(Debug)]
pub struct Parts<'a> {
    /// The object.
    pub object: &'a Value,
    /// Its kind.
    pub kind: Kind,
    /// The pods on a node.
    pub pods: Result<Vec<Value>, String>,
    /// Its events.
    pub events: Result<Events, String>,
    /// The current time.
    pub now: Timestamp,
}
