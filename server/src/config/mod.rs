//! What the person who runs the server decides: flags, and what they mean when taken together.

mod apiserver;
mod authentication;
mod credential;
mod error;
pub mod flags;
mod history;
mod kubelets;
mod serving;
mod settings;

pub use error::ConfigError;
pub use flags::{Asked, Flags};
pub use settings::Settings;
