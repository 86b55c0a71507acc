//! What the dashboard shows while parts of a cluster's API fail, and after it.

mod aggregated;
mod cluster;
mod dashboard;
mod matrix;
mod object_pages;
mod variants;

use std::sync::{Arc, LazyLock};

use kubevitals_sim::pki::Pki;

/// The certificates of all clusters here; nobody looks at them.
static PKI: LazyLock<Arc<Pki>> = LazyLock::new(|| Arc::new(Pki::new().unwrap()));

/// Does something in a time that passes at once whenever everything waits for it.
fn in_simulated_time<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(work)
}
