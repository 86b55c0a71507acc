//! Requests for the pages besides `/metrics/resource`: the counters of probes, and the parts of `/stats/summary`
//! besides CPU and memory.
//!
//! Each page has its own interval, and its requests are between the node's scrapes. One page is requested at a time
//! over the node's connection, only while `/metrics/resource` succeeds, and after all nodes that wait for that. A page
//! that is not complete at the node's next scrape keeps its connection, and the node uses a second one from then on. A
//! failure affects only the data of the page.

mod metrics;
mod request;
mod timetable;

pub(super) use metrics::PageMetrics;
pub use metrics::PageSnapshot;
pub(super) use request::{Ended, Request, turn};
pub(super) use timetable::Timetable;
