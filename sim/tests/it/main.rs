//! The simulated cluster from outside, over its sockets.

mod client;
mod kubelet;
mod replay;
