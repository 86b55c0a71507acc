//! A simulated cluster over real sockets.
