//! The maximum lengths of names, as the API server validates them.
//!
//! An object with a longer name cannot exist. Without these limits one scrape could add megabytes of names to the
//! memory.

/// The maximum length of a namespace's name: a DNS label (RFC 1123).
pub const LONGEST_NAMESPACE: usize = 63;

/// The maximum length of a pod's name: a DNS subdomain (RFC 1123).
pub const LONGEST_POD: usize = 253;

/// The maximum length of a container's name: a DNS label (RFC 1123).
pub const LONGEST_CONTAINER: usize = 63;

/// The maximum length of a UID. The API server gives UUIDs (36), kubelets give static pods a hash (32).
pub const LONGEST_UID: usize = 64;

/// Whether these may be the names of a pod and its namespace.
#[must_use]
pub fn may_be_pod(namespace: &str, pod: &str) -> bool {
    fits(namespace, LONGEST_NAMESPACE) && fits(pod, LONGEST_POD)
}

/// Whether this may be the name of a container.
#[must_use]
pub fn may_be_container(container: &str) -> bool {
    fits(container, LONGEST_CONTAINER)
}

fn fits(name: &str, longest: usize) -> bool {
    (1..=longest).contains(&name.len())
}
