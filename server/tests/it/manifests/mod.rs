//! deploy/: what kubectl and Helm render from it holds together, is as secure as it says, and asks for no more than is used.

mod admission;
mod alerts;
mod chart;
mod docs;
mod image;
mod objects;
mod rbac;
pub(crate) mod rendered;
mod security;
mod upgrade;

/// The folders under deploy/ that can be applied.
const APPLICABLE: [&str; 5] = [
    "admission-policy",
    "base",
    "ha",
    "insecure-kubelet-tls",
    "monitoring",
];
