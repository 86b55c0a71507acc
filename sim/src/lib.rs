//! A simulated Kubernetes cluster over real sockets.
//!
//! [`Cluster::start`] gives a cluster of any size: kubelets that answer as Kubernetes 1.36's do, each on a loopback
//! address of its own, and an API server that kubectl and client libraries accept. Everything is decided by
//! the seed; time is a [`SimClock`], which may run faster or be moved by hand. Instead of a simulation, kubelets can
//! [`Replay`] the recorded pages of real ones.

pub mod apiserver;
mod autoscaler;
mod clock;
mod cluster;
mod config;
mod connections;
mod endpoints;
mod error;
mod files;
mod fixtures;
mod goformat;
pub mod identity;
mod kubelet;
mod members;
pub mod objects;
mod pages;
pub mod pki;
mod replay;
mod world;

pub use clock::SimClock;
pub use cluster::Cluster;
pub use config::{Autoscaler, Config, Faults};
pub use endpoints::{EndpointFault, PodEndpoints, Truth};
pub use error::SimError;
pub use fixtures::fixtures;
pub use kubelet::{Forged, Kill};
pub use pages::Pages;
pub use replay::{Replay, ReplayError};
pub use world::demand::Demand;
pub use world::fault::{Fault, Happening, InjectedFault};
pub use world::node::address as node_address;
