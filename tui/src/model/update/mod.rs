//! Applies messages and actions to the state.

mod act;
mod apply;
mod interest;
mod overlay;
mod palette;
mod panes;
mod places;
mod refresh;
mod requests;
mod time;

pub use act::act;
pub use apply::apply;
pub use refresh::refresh;

#[cfg(test)]
mod tests;
