//! A condition of a pod or a node.

use super::protobuf::message;
use super::text::WireTime;
use crate::time::Timestamp;

message! {
    /// A condition on the wire.
    pub struct WireCondition {
        /// `Ready`, `PodScheduled`, …
        #[serde(rename = "type")]
        pub kind: String = 1,
        /// `True`, `False` or `Unknown`.
        pub status: String = 2,
        /// A reason for programs.
        pub reason: String = 5,
        /// A message for people.
        pub message: String = 6,
        pub(super) last_transition_time: WireTime = 4,
    }
}

impl WireCondition {
    /// The time of the last change of the status, if the object has it.
    pub fn since(&self) -> Option<Timestamp> {
        self.last_transition_time.0
    }
}
