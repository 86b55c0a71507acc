//! Logs and metrics of the server itself.

mod allocator;
mod chain;
mod histogram;
mod log_throttle;
mod logs;
pub mod metrics;
mod process;

pub use allocator::{Allocator, ReadAllocator, register as register_allocator};
pub use chain::chain;
pub(crate) use chain::first_line;
pub use histogram::{Buckets, Histogram};
pub use log_throttle::{LogThrottle, Unreported};
pub use logs::{LogFlags, LogFormat, init};
pub use process::register as register_process;
