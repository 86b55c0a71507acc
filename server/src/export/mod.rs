//! What leaves the server for other systems: series by remote write or for a scrape, and incidents. All of it is off
//! by default, and then costs nothing.

mod election;
mod hpas;
pub mod notify;
mod page;
mod remote_write;
mod series;
mod settings;
mod start;

pub(crate) use election::Election;
pub(crate) use page::{Page, PageSource};
pub use settings::{ExportFlagError, ExportFlags, ExportSettings};
pub(crate) use start::{ExportParts, start};

/// The name of the host, which is that of the pod.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().to_owned()
}

/// Whether Prometheus accepts the name of a label (without UTF-8 names).
fn is_label_name(name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(word) && name.starts_with(|c: char| !c.is_ascii_digit())
}
