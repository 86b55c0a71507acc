//! All flags of the server together, and the settings that it starts with.
//!
//! The flags of a part are a group in the part's `settings.rs`, beside the settings that are made of them.

mod apiserver;
mod cluster;
mod credential;
mod error;
pub mod flags;
mod kubelets;
mod settings;

pub use crate::api::Settings as RequestSettings;
pub use error::ConfigError;
pub use flags::{Asked, Flags};
pub use settings::Settings;
