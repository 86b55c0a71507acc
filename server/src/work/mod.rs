//! Work that visits the whole cluster: on threads of its own, few at a time, and with an end when nobody waits for it.
//!
//! Such work would hold up the runtime's threads, which scrape and answer. Tokio's pool for blocking work is not for it
//! either: it has 512 threads and a queue without an end, its work goes on when nobody waits any more, and it is what
//! the state is saved on, certificates are read on and names are resolved on.

mod cancel;
mod pool;
#[cfg(test)]
mod tests;

pub use cancel::Cancel;
pub use pool::{Counts, Pool, Settings, WorkError};
