//! What the server says of itself: logs that a person can read at three in the morning.

mod allocator;
mod chain;
mod histogram;
mod logs;
mod process;
mod quiet;

pub use allocator::{Allocator, AskAllocator};
pub use chain::chain;
pub use histogram::{Buckets, Histogram};
pub use logs::{LogFormat, init};
pub use process::Process;
pub use quiet::{Budget, Quiet, Unreported};
