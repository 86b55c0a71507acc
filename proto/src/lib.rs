//! What is said on the wires: pure types and codecs, without I/O or async.
//!
//! - [`units`], [`quantity`], [`duration`], [`time`], [`labels`], [`selector`]: Kubernetes' own
//!   number, time and label forms, exact.
//! - [`clock`]: the clock as a parameter.
//! - [`backoff`]: how long to wait before a request is sent again.
//! - [`kubelet`]: what a kubelet says (`/metrics/resource`, `/metrics/probes`, `/stats/summary`).
//! - [`metrics`]: the `metrics.k8s.io` API, as owned types for clients and as a borrowed,
//!   allocation-free encoder for the server.
//! - [`needle`]: a word that is sought in text.
//! - [`objects`]: nodes, pods, events and Jobs, read leniently into what is used of them.
//! - [`vitals`]: the `kubevitals.io` API, our own, as owned types for both its ends.
//! - [`why`]: why a pod or a node has no metrics, an answer of ours.
//! - [`words`]: small rules about words.
//! - [`wire`]: what is common to every Kubernetes API: `Status`, discovery, `Table`, the protobuf
//!   envelope and Go's JSON dialect.

pub mod age;
pub mod backoff;
pub mod clock;
pub mod duration;
pub mod kubelet;
pub mod labels;
pub mod metrics;
pub mod needle;
pub mod objects;
pub mod quantity;
pub mod selector;
pub mod time;
pub mod units;
pub mod vitals;
pub mod why;
pub mod wire;
pub mod words;

mod text;
