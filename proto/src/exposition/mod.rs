//! What a program exposes for Prometheus.
//!
//! - [`lines`]: the text format line by line, zero-copy.
//! - [`number`]: its numbers.

pub mod lines;
pub mod number;
