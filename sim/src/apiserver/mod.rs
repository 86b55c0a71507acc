//! The simulated kube-apiserver: discovery, objects, watches, reviews and aggregation, over TLS.
//!
//! A request goes `connections` → `dispatch` (authentication, authorization) → one of `discovery`,
//! `resources`, `reviews`, `aggregation`, `openapi`, `misc`. A refusal is a [`Status`](kubevitals_proto::wire::status::Status).

mod aggregation;
mod authentication_config;
mod authn;
mod authz;
mod body;
mod config;
mod connections;
mod discovery;
mod dispatch;
mod error;
mod faults;
mod kubeconfig;
mod misc;
mod negotiation;
mod openapi;
mod request;
mod resources;
mod reviews;
mod selection;
mod server;
mod shared;
mod status;
mod table;

pub use aggregation::LocalServer;
pub use config::{Answer, ApiServerConfig, ExpiredWatch, Serves};
pub use error::ApiServerError;
pub use faults::{Affected, RequestFault};
pub use kubeconfig::{Credentials, Kubeconfig};
pub use server::ApiServer;
pub use status::Body;
