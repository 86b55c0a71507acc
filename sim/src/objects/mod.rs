//! What exists in the simulated cluster: objects of every kind the API server serves, their versions, and the
//! changes between them.
//!
//! The world writes through [`Store::apply`] and [`Store::delete`]; the API server reads [`Snapshot`]s and follows
//! [`Subscription`]s. Objects are stored as the JSON bytes that go on the wire, so that a list of 150,000 pods is
//! copying, not serializing.

mod collection;
mod fields;
mod object;
mod precondition;
mod protobuf;
mod resource;
mod snapshot;
mod store;
#[cfg(test)]
mod tests;
mod watch_log;

pub use object::{MetaLite, Object};
pub use precondition::{Precondition, WriteError};
pub use protobuf::encode as encode_protobuf;
pub use resource::{Resource, ResourceInfo};
pub use snapshot::Snapshot;
pub use store::{Expired, Store, Subscription};
pub use watch_log::{Event, EventKind};

use std::sync::Arc;

use kubevitals_proto::time::Timestamp;

/// The source of time: a parameter wherever time is needed, so that a simulated clock can stand in.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;
