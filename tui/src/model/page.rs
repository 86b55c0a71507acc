//! The pages of the help, and the list of messages.

use super::position::moved_round;

/// A page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Page {
    /// Keys and what they do.
    #[default]
    Keys,
    /// The filter language.
    Filter,
    /// Colours and marks.
    Colours,
    /// Words on the screen.
    Words,
    /// The list of messages.
    Messages,
    /// The first steps.
    Tour,
}

impl Page {
    /// All pages, in order.
    pub const ALL: [Self; 6] = [
        Self::Keys,
        Self::Filter,
        Self::Colours,
        Self::Words,
        Self::Messages,
        Self::Tour,
    ];

    /// The title.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Keys => "Keys",
            Self::Filter => "Filter",
            Self::Colours => "Colours",
            Self::Words => "Words",
            Self::Messages => "Messages",
            Self::Tour => "Tour",
        }
    }

    /// The page this many pages further, cyclically.
    #[must_use]
    pub fn further(self, by: i32) -> Self {
        let at = Self::ALL.iter().position(|page| *page == self).unwrap_or(0);
        let page = Self::ALL.get(moved_round(at, by, Self::ALL.len()));
        page.copied().unwrap_or_default()
    }
}
