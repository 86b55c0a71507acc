//! What messages and actions do to the state.

mod act;
mod attention;
mod overlay;
mod refresh;
mod tell;
mod time;

pub use act::act;
pub use attention::wants_attention;
pub use refresh::refresh;
pub use tell::tell;

#[cfg(test)]
mod tests;
