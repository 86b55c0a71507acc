//! `/metrics/resource`: the CPU and memory that the node and each container used.

mod containers;
mod decode;
mod duplicates;
mod metric;
mod reading;
mod scrape;

pub use decode::{decode, decode_limited};
pub use duplicates::Duplicate;
pub use reading::{ContainerKey, Reading};
pub use scrape::{DecodeLimits, ResourceScrape};
