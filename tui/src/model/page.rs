//! The pages that lie over the view to be read: the help, and the last messages.

/// A page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Page {
    /// What keys do.
    #[default]
    Keys,
    /// What can be written into the filter.
    Filter,
    /// What colours and signs mean.
    Colours,
    /// What the words on the screen mean.
    Words,
    /// What was done, what failed and why.
    Messages,
}

impl Page {
    /// All pages, in their order.
    pub const ALL: [Self; 5] = [
        Self::Keys,
        Self::Filter,
        Self::Colours,
        Self::Words,
        Self::Messages,
    ];

    /// Its name.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Keys => "Keys",
            Self::Filter => "Filter",
            Self::Colours => "Colours",
            Self::Words => "Words",
            Self::Messages => "Messages",
        }
    }

    /// The page that is so many further, the first after the last.
    #[must_use]
    pub fn further(self, by: i32) -> Self {
        let at = Self::ALL.iter().position(|page| *page == self).unwrap_or(0);
        let count = i64::try_from(Self::ALL.len()).unwrap_or(1);
        let at = (i64::try_from(at).unwrap_or(0) + i64::from(by)).rem_euclid(count);
        let page = usize::try_from(at).ok().and_then(|at| Self::ALL.get(at));
        page.copied().unwrap_or_default()
    }
}
