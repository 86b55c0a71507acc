//! Lines of text pages.

use super::tone::Tone;

/// A line of text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextLine {
    /// The text, without control characters.
    pub text: String,
    /// Its tone.
    pub tone: Tone,
}

impl TextLine {
    /// A line in the normal tone.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            tone: Tone::Plain,
        }
    }
}
