//! What pods expose about themselves, over real sockets.
//!
//! Every pod has a loopback address of its own behind one wildcard listener; the address a connection came in on says
//! which pod it is for.

mod accept;
mod exposition;
mod fault;
mod options;
mod page;
mod protobuf;
mod server;
mod text;

pub use fault::EndpointFault;
pub use options::PodEndpoints;
pub use page::Truth;
pub(crate) use page::truth;
pub(crate) use server::Endpoints;
