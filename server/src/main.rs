//! vitals-server.
fn main() {}
