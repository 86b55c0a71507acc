//! The map: the pods of the cluster as cells in boxes. Without I/O and without the state of the dashboard.

mod by;
mod group;
mod groups;
mod mark;
mod member;
mod size;

pub use by::MapBy;
pub(super) use groups::Basis;
pub use group::{Group, GroupKind};
pub use groups::{Groups, PodCells};
pub use mark::{Counts, Mark};
pub(super) use member::ZONE_LABELS;
pub use size::{MapSize, Unit};
