//! The simulated kube-apiserver: discovery, objects, watches, reviews and aggregation, over TLS.
//!
//! A request goes `server` → `dispatch` (authentication, authorization) → one of `discovery`,
//! `resources`, `reviews`, `aggregation`, `openapi`. A refusal is a [`Status`](kubevitals_proto::wire::status::Status).

mod aggregation;
mod auth;
mod body;
mod config;
mod discovery;
mod dispatch;
mod events;
mod faults;
mod kubeconfig;
mod logs;
mod negotiation;
mod openapi;
mod operate;
mod request;
mod resources;
mod reviews;
mod selection;
mod server;
mod shared;
mod status;
mod table;

pub use crate::connections::Body;
pub use aggregation::LocalServer;
pub use config::{Answer, ApiServerConfig, ApiServerError, ExpiredWatch, Serves};
pub use faults::{Affected, RequestFault};
pub use kubeconfig::{Credentials, Kubeconfig};
pub use server::ApiServer;
