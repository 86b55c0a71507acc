//! All flags of the server, and the settings that it starts with.
//!
//! The flags of a part are a group in the part's `settings.rs`, beside the settings that are made from them.

mod apiserver;
mod cluster;
mod credential;
mod error;
pub mod flags;
mod kubelets;
mod settings;

pub use crate::api::Settings as RequestSettings;
pub use error::ConfigError;
pub use flags::{Flags, Invocation};
pub use settings::Settings;
