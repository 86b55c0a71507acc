//! What is common to every Kubernetes API.
//!
//! - [`gojson`]: strings as Go's `encoding/json` writes them.
//! - [`pretty`]: compact JSON in, Go's indented JSON out.
//! - [`envelope`]: the `k8s\0` protobuf envelope.
//! - [`status`]: the answer to a request that failed.

pub mod envelope;
pub mod gojson;
pub mod pretty;
pub mod status;
