//! The server from outside: over real sockets, against simulated kubelets and a simulated API server.

mod bodies;
mod cli;
mod faults;
mod harness;
mod recording;
mod scenarios;
mod soak;
