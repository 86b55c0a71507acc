//! Every way to import. `layers/main.rs` states the arrows.
mod high;
mod low;
