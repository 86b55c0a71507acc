//! Kubernetes' wire formats, the objects that Kubevitals reads, and our own API types: no I/O, no async.
//!
//! - [`units`], [`quantity`], [`duration`], [`time`], [`labels`], [`selector`]: Kubernetes' own
//!   number, time and label forms, exact.
//! - [`clock`]: the clock as a parameter.
//! - [`backoff`]: the delay before a request is retried.
//! - [`custom_metrics`]: `custom.metrics.k8s.io` and `external.metrics.k8s.io`, which HorizontalPodAutoscalers read.
//! - [`exposition`]: what a program exposes for Prometheus.
//! - [`kubelet`]: the pages of a kubelet (`/metrics/resource`, `/metrics/probes`, `/stats/summary`).
//! - [`metrics`]: the `metrics.k8s.io` API, as owned types for clients and as a borrowed,
//!   allocation-free encoder for the server.
//! - [`needle`]: a search for a word in text.
//! - [`objects`]: nodes, pods, events and Jobs, parsed leniently, with only the fields that are used.
//! - [`vitals`]: our own API `kubevitals.io`, as owned types for the server and its clients.
//! - [`why`]: why a pod or a node has no metrics, in a subresource of our own.
//! - [`words`]: small rules about words.
//! - [`wire`]: the parts that every Kubernetes API has: `Status`, discovery, `Table`, the protobuf
//!   envelope and Go's JSON dialect.

pub mod age;
pub mod backoff;
pub mod clock;
pub mod custom_metrics;
pub mod duration;
pub mod exposition;
pub mod kubelet;
pub mod labels;
mod lenient;
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
