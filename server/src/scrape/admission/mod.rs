//! How many kubelets are last_request at once, and which goes first: the law of overload (docs/scraping.md, "Overload").

mod gate;
#[cfg(test)]
mod law;
mod limit;
mod queue;

pub use gate::Requests;
pub(super) use gate::{Gate, Pass};
pub(super) use limit::Part;
pub(super) use queue::{Kind, Wish};
