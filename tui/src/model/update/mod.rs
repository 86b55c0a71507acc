//! Applies messages and actions to the state.

mod acknowledge;
mod act;
mod apply;
mod changes;
mod columns;
mod commands;
mod drains;
mod handover;
mod interest;
mod map;
mod members;
mod on_object;
mod open;
mod outlook;
mod overlay;
mod palette;
mod panes;
mod places;
mod refresh;
mod requests;
mod saved;
mod sorting;
mod text;
mod time;

pub use act::act;
pub use apply::apply;
pub use refresh::refresh;

#[cfg(test)]
mod tests;
