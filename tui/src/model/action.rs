//! What a person can ask for. Which key or click asks for it is said in the table of bindings (`crate::input`).

use kubevitals_proto::time::Timestamp;

use super::field::Field;
use super::name::Name;
use super::pane::Pane;
use super::view::View;

/// What a person asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// End the program.
    Quit,
    /// Give the terminal back to the shell for a while.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// Leave the mouse to the terminal, which selects text with it, or use it again.
    Mouse,
    /// The terminal has another size: columns and rows.
    Resize(u16, u16),
    /// Leave what is open: an overlay, the filter's line, this view for the one before.
    Back,
    /// Go into what is selected.
    Enter,
    /// Select a row this far down; up if negative.
    Move(i32),
    /// Select a row this many pages down; up if negative.
    Page(i32),
    /// Select the first row.
    First,
    /// Select the last row.
    Last,
    /// Select the row of a pane that is shown this far below the first one that is shown.
    Select(Pane, u16),
    /// Go into the row of a pane that is shown this far below the first one that is shown: it was selected by a click
    /// before.
    Open(Pane, u16),
    /// Put the cursor into a pane.
    Focus(Pane),
    /// Select the container at this place of a pod's page; if it is selected already, the whole pod.
    Container(usize),
    /// Scroll by this many rows; the selection goes along when it must.
    Scroll(i32),
    /// Show another view.
    Show(View),
    /// Go to the pane that is this many further; from the last one, to the next view.
    NextView(i32),
    /// Sort by the column that is this many further.
    NextSort(i32),
    /// Sort by a field; the other way round if it is sorted so already.
    SortBy(Field),
    /// Sort the other way round.
    Reverse,
    /// Begin to write a filter.
    Filter,
    /// Take the filter away.
    ClearFilter,
    /// Change the line that is being written: the filter, or a picker's search.
    Edit(Edit),
    /// Show the time that is shown for good, or go on.
    Pause,
    /// Show a time this many steps later; earlier if negative.
    Step(i32),
    /// Show a time.
    Seek(Timestamp),
    /// Show the oldest time there is.
    Oldest,
    /// Show now, and go on.
    Live,
    /// Show a longer span; a shorter one if negative.
    Span(i32),
    /// Open or close the help.
    Help,
    /// Open the last messages.
    Messages,
    /// Write times in the local zone, or in UTC again.
    TimeZone,
    /// Open the chooser of columns.
    Columns,
    /// Open the picker of namespaces.
    Namespaces,
    /// Open the picker of contexts.
    Contexts,
    /// Turn what is selected in an overlay on or off.
    Toggle,
    /// Make what an overlay lists as it is by default.
    Reset,
    /// Choose what is at this place of an overlay's list: a column is turned on or off; a name is gone to, and taken if
    /// it was there that one was.
    Choose(usize),
    /// Acknowledge what is selected until it happens again, or take that back.
    Acknowledge,
    /// Copy the selected object's name.
    Copy,
    /// Write the view to a file.
    Export(ExportAs),
    /// Show only this namespace; all of them if there is none.
    Namespace(Option<Name>),
    /// Show only the namespace of what is selected, or all of them again.
    OnlyThisNamespace,
    /// Say this in the last row for a while: a key was pressed that does nothing here.
    Say(String),
}

/// In what form a view is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportAs {
    /// As it is shown.
    Table,
    /// Comma-separated values.
    Csv,
    /// JSON.
    Json,
}

/// A change of a line that is being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// A character, or text that was pasted.
    Insert(String),
    /// Take away the character before the cursor.
    Backspace,
    /// Take away the character under the cursor.
    Delete,
    /// Take away the word before the cursor.
    DeleteWord,
    /// Take away everything before the cursor.
    DeleteToStart,
    /// Take away everything after the cursor.
    DeleteToEnd,
    /// Move the cursor one character.
    Left,
    /// Move the cursor one character.
    Right,
    /// Move the cursor to the beginning.
    Start,
    /// Move the cursor to the end.
    End,
}

/// What keys mean at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// A table, a page or the overview is looked at.
    Look,
    /// A filter is being written; characters go into its line.
    Write,
    /// An overlay with a list and a line to search it is open; characters go into its line.
    Pick,
    /// The help or the last messages are open.
    Help,
}
