//! Runs work that visits the whole cluster: on a few threads of its own, and cancelled when no client waits for it.
//!
//! Such work would block the threads of the async runtime, which scrape and respond. Tokio's pool for blocking work
//! does not fit: it has 512 threads and an unbounded queue, its work cannot be cancelled, and it is the pool that
//! saves the state, reads certificates and resolves names.

mod cancel;
mod pool;
#[cfg(test)]
mod tests;

pub use cancel::Cancel;
pub use pool::{Counts, Pool, Settings, WorkError};
