//! `metrics.k8s.io` from borrowed data, appended to a buffer without allocation.
//!
//! A [`Form`] says what is told and how it is written; [`Form::object`] writes one object, a [`List`] many, piece
//! by piece, so that they can be sent while they are made. JSON and YAML are those of [`form`](crate::wire::form);
//! [`protobuf`] tells the length of all that is in a list first, so add up `item_len` of every item, then
//! `list_head`, each `item`, `list_tail`.

mod form;
mod item;
mod json;
mod list;
mod metadata;
pub mod protobuf;
mod refs;

pub use crate::wire::form::{Beside, Shape};
pub use crate::wire::object::Encoding;
pub use form::Form;
pub use list::List;
pub use refs::{ContainerRef, Item, Kind, MetaRef, NodeRef, PodRef, UsageRef};
