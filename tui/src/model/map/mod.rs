//! The map: the pods of the cluster as cells in boxes. Without I/O and without the state of the dashboard.
//!
//! [`Groups`] are made when pods or nodes have changed; [`Layout`] says where boxes and cells are.

mod by;
mod group;
mod groups;
mod layout;
mod mark;
mod member;
mod size;
mod state;

pub use by::MapBy;
pub use group::{Group, GroupKind};
pub(super) use groups::Basis;
pub use groups::{Groups, PodCells};
pub use layout::{Direction, Layout, Place, Run, Spot, Zoom};
pub use mark::{Counts, Mark};
pub(super) use member::ZONE_LABELS;
pub use size::{MapSize, Unit};
pub use state::{MapObject, MapState};
