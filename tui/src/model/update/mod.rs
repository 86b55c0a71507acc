//! What messages and actions do to the state.

mod act;
mod ask;
mod interest;
mod overlay;
mod panes;
mod refresh;
mod tell;
mod time;

pub use act::act;
pub use refresh::refresh;
pub use tell::tell;

#[cfg(test)]
mod tests;
