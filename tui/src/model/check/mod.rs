//! What is wrong in a cluster at one time, by severity.

mod rule;

pub use rule::{Need, Rule};
