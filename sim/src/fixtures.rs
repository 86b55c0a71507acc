//! Where the captured data is that tests replay.

use std::path::PathBuf;

/// The folder with responses of real kubelets and API servers: `scenarios`, `recording`,
/// `recording-node-outage`, `kubelet-1.36`.
///
/// It is in the source tree, so this is for tests and benchmarks.
#[must_use]
pub fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}
