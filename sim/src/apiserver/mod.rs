//! The simulated kube-apiserver: discovery, objects, watches, reviews and aggregation, over TLS.

mod config;
mod connections;
mod error;
mod kubeconfig;
mod server;

pub use config::ApiServerConfig;
pub use error::ApiServerError;
pub use kubeconfig::{Credentials, Kubeconfig};
pub use server::ApiServer;
