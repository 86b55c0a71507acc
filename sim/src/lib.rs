//! A simulated cluster over real sockets.

pub mod apiserver;
pub mod identity;
pub mod objects;
pub mod pki;
