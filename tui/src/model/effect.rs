//! What is to be done, outside of the state, because of what happened.

use kubevitals_proto::time::Timestamp;

use super::action::ExportAs;
use super::interest::Interest;
use super::message::Subject;
use super::name::{Key, Name};

/// What the loop has to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// End.
    Quit,
    /// Give the terminal back until the shell gives it to us again.
    Suspend,
    /// Draw everything anew, whatever the terminal shows.
    Redraw,
    /// Leave the mouse to the terminal, or use it again.
    Mouse,
    /// Ring the terminal's bell.
    Bell,
    /// Put this on the clipboard.
    Copy(String),
    /// Write the view to a file in this form.
    Export(ExportAs),
    /// Ask the source for something. It answers by a message.
    Ask(Ask),
    /// Leave this cluster for that of another context.
    Connect(Name),
}

/// What the source can be asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// What was at a time, of what is looked at.
    Past(Timestamp, Box<Interest>),
    /// The past of a subject over a span.
    History {
        /// Of what.
        subject: Subject,
        /// From when.
        since: Timestamp,
        /// Until when.
        until: Timestamp,
        /// In how many steps.
        steps: u32,
    },
    /// All there is to know of a pod, as of a time or now.
    Detail(Key, Option<Timestamp>),
    /// When there are too many pods to tell of all: tell of these.
    Interest(Box<Interest>),
}
