//! The simulated kubelets: their pages, and the listener they share.
//!
//! Every node has a loopback address of its own behind one wildcard listener; the address a connection came in on
//! says which kubelet it is for.

pub(crate) mod access;
mod forged;
mod page;
pub(crate) mod probes;
pub(crate) mod resource;
mod server;
pub(crate) mod summary;
mod throttle;
mod tls;
pub(crate) mod trouble;

pub use forged::Forged;
pub(crate) use page::{Answer, Page, Pages, pod_list};
pub(crate) use server::{Kubelet, Kubelets, bind};
pub(crate) use tls::Tls;
pub use trouble::Kill;
