//! What the person who runs the server decides: flags, and what they mean when taken together.

mod authentication;
pub mod flags;
mod kubelets;
mod serving;
mod settings;

pub use flags::{Asked, Flags};
pub use settings::{ConfigError, Settings};
