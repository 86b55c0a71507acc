//! The limit and the order of requests to kubelets (docs/scraping.md, "Overload").

mod early;
mod gate;
mod limit;
#[cfg(test)]
mod overload;
mod queue;

pub(super) use early::EarlyBudget;
pub use gate::Requests;
pub(super) use gate::{Gate, Pass};
pub(super) use limit::Part;
pub(super) use queue::{Kind, Wish};
