//! Who asks, and may they.

mod attributes;
mod path;
mod user;

pub use attributes::{Attributes, Selectors, Target};
pub use path::normalized;
pub use user::User;

/// How requests are authenticated and authorized.
#[derive(Debug, Clone, Default)]
pub struct Settings {}
