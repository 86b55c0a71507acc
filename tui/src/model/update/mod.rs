//! Applies messages and actions to the state.

mod act;
mod apply;
mod interest;
mod outlook;
mod overlay;
mod panes;
mod refresh;
mod requests;
mod time;

pub use act::act;
pub use apply::apply;
pub use refresh::refresh;

#[cfg(test)]
mod tests;
