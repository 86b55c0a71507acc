//! The map: the pods of the cluster as cells in boxes. Without I/O and without the state of the dashboard.

mod by;
mod mark;
mod size;

pub use by::MapBy;
pub use mark::{Counts, Mark};
pub use size::{MapSize, Unit};
