//! Which time is on the screen.

use kubevitals_proto::time::Timestamp;

/// Which time is on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Time {
    /// The current time.
    #[default]
    Live,
    /// The time at which the user paused.
    Paused(Timestamp),
    /// A past time that the user went to.
    Past {
        /// The time.
        at: Timestamp,
        /// Whether the data on the screen is already of that time.
        here: bool,
    },
}
