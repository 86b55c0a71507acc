//! Which time is shown.

use kubevitals_proto::time::Timestamp;

/// Which time is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Time {
    /// Now, and what comes.
    #[default]
    Live,
    /// The moment at which it was stopped.
    Paused(Timestamp),
    /// A time that was gone back to.
    Past {
        /// Which.
        at: Timestamp,
        /// Whether what is shown is of that time already.
        here: bool,
    },
}
