//! The server from outside: over real sockets, against simulated kubelets and a simulated API server.

mod cli;
