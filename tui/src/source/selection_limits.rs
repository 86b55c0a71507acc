//! When and how many pods the server selects.

/// When a source lets the server select pods, and how many pods it requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SelectionLimits {
    /// The source selects if there are more pods than this.
    pub above: u64,
    /// The limit of the first pods, and of the unhealthy ones.
    pub most: usize,
}

impl Default for SelectionLimits {
    fn default() -> Self {
        Self {
            above: 10_000,
            most: 1_000,
        }
    }
}

impl SelectionLimits {
    /// No limit: all pods are sent, however many there are.
    pub const NONE: Self = Self {
        above: u64::MAX,
        most: usize::MAX,
    };

    /// Whether there are too many pods to send all of them.
    pub(super) fn is_exceeded(self, total: Option<u64>) -> bool {
        total.is_some_and(|total| total > self.above)
    }
}
