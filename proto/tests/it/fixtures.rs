//! Bodies that real kubelets, a real metrics-server and a real API server sent.

use std::path::{Path, PathBuf};

/// Where the fixture called `name` is.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// The fixture called `name`.
pub(crate) fn bytes(name: &str) -> Vec<u8> {
    let path = path(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Compares two bodies as text, so that a difference can be read.
#[track_caller]
pub(crate) fn assert_same_body(ours: &[u8], theirs: &[u8]) {
    if ours != theirs {
        assert_eq!(
            String::from_utf8_lossy(ours),
            String::from_utf8_lossy(theirs)
        );
    }
}
