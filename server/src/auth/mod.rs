//! Who asks, and may they.

mod attributes;

pub use attributes::{Attributes, Target};

/// How requests are authenticated and authorized.
#[derive(Debug, Clone, Default)]
pub struct Settings {}
