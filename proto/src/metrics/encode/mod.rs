//! `metrics.k8s.io` from borrowed data, appended to a buffer without allocation.
//!
//! A [`Form`] is a shape and an encoding. [`Form::object`] encodes one object; a [`List`] encodes objects item by item, so
//! that they can be sent while they are encoded. JSON and YAML are those of [`form`](crate::wire::form).

mod form;
mod item;
mod json;
mod list;
mod meta_tail;
mod protobuf;
mod refs;

pub use crate::wire::form::{Beside, Shape};
pub use crate::wire::object::Encoding;
pub use form::Form;
pub use list::List;
pub use meta_tail::MetaTail;
pub use protobuf::containers_len;
pub use refs::{Container, ContainerRef, Item, Kind, MetaRef, NodeRef, PodRef, UsageRef};
