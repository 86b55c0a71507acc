//! The long history: a client of the Prometheus-compatible query API that `--history-url` names.
//!
//! It sends queries that other parts build from exact names ([`Selector`]), never from the text of a user, and reads the
//! answers leniently within limits: a part of an answer that makes no sense is an error of that answer, and never more.

mod answer;
mod client;
mod error;
mod metrics;
mod promql;
mod settings;
#[cfg(test)]
mod tests;

pub use answer::{Labels, Point, Series};
pub use client::{Engine, Range};
pub use error::EngineError;
pub use promql::{Matcher, Selector, stat};
pub use settings::{EngineFlags, Settings};
