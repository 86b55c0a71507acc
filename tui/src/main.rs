//! vitals.
fn main() {}
