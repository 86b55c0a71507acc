//! Actions: what keys and clicks do to the state. `crate::input` binds keys and clicks to them.

use kubevitals_proto::time::Timestamp;

use super::direct::Topic;
use super::field::Field;
use super::name::{Key, Name};
use super::pane::Pane;
use super::view::View;

/// What a key or a click does to the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// End the program.
    Quit,
    /// Give the terminal back to the shell for a while.
    Suspend,
    /// Draw the whole screen again.
    Redraw,
    /// Release the mouse to the terminal, which selects text with it, or capture it again.
    Mouse,
    /// The new size of the terminal: columns and rows.
    Resize(u16, u16),
    /// Close the overlay, clear the filter, or return to the previous view.
    Back,
    /// Open the selected row.
    Enter,
    /// Select the row this many rows below; above if negative.
    Move(i32),
    /// Select the row this many pages below; above if negative.
    Page(i32),
    /// Select the first row.
    First,
    /// Select the last row.
    Last,
    /// Select the row of a pane at this distance from the first visible row.
    Select(Pane, u16),
    /// Open the row of a pane at this distance from the first visible row, if the cursor is in that pane: the second
    /// click of two.
    Open(Pane, u16),
    /// Move the cursor to a pane.
    Focus(Pane),
    /// Select the container at this index of a pod's page; if it is selected already, select the whole pod.
    Container(usize),
    /// Scroll by this many rows. The selection moves if it would leave the screen.
    Scroll(i32),
    /// Show another view.
    Show(View),
    /// Move the cursor this many panes forwards; from the last pane, go to the next view.
    NextView(i32),
    /// Sort by the column this many columns further.
    NextSort(i32),
    /// Sort by a field; reverse the order if the table is sorted by it already.
    SortBy(Field),
    /// Reverse the order.
    Reverse,
    /// Start to edit the filter.
    Filter,
    /// Clear the filter.
    ClearFilter,
    /// Undo the last change of the filter.
    UndoFilter,
    /// Open the list of saved filters.
    Filters,
    /// Ask for the name of a new bookmark of the place on the screen.
    Bookmark,
    /// Open the list of bookmarks.
    Bookmarks,
    /// Remove the selected entry of an overlay's list.
    Remove,
    /// Move the selected entry of an overlay's list this many entries down; up if negative.
    MoveEntry(i32),
    /// Move the column of the first field to the position of the second one.
    MoveColumn(Field, Field),
    /// Persist the columns of the view: they have been moved.
    KeepColumns,
    /// Edit the text input: the filter, or a picker's search.
    Edit(Edit),
    /// Pause at the time on the screen, or go live again.
    Pause,
    /// Go this many steps forwards in time; backwards if negative.
    Step(i32),
    /// Go this many hours forwards in time; backwards if negative.
    Hours(i32),
    /// Go to a time.
    Seek(Timestamp),
    /// Go to the oldest time.
    Oldest,
    /// Go live.
    Live,
    /// Choose a longer span; a shorter one if negative.
    Span(i32),
    /// Change what charts show beside their series.
    LayOver,
    /// Show the values of charts at this time, or at the displayed time again.
    Point(Option<Timestamp>),
    /// Open or close the help.
    Help,
    /// Open the list of messages.
    Messages,
    /// Switch times between the local zone and UTC.
    TimeZone,
    /// Open the list of columns.
    Columns,
    /// Open the picker of namespaces.
    Namespaces,
    /// Open the picker of contexts.
    Contexts,
    /// Open the palette of commands.
    Palette,
    /// Complete the command in the palette by the selected entry; in other overlays as [`Action::Toggle`].
    Complete,
    /// Turn the selected entry of an overlay on or off.
    Toggle,
    /// Restore the default of an overlay's list.
    Reset,
    /// Click the entry at this index of an overlay's list: turns a column on or off; selects a name, and chooses it if
    /// it is selected.
    Choose(usize),
    /// Acknowledge the selected object until it fails again, or withdraw the acknowledgement.
    Acknowledge,
    /// Copy the name of the selected object.
    Copy,
    /// Write the rows of the view to a file.
    Export(ExportAs),
    /// Show only the namespace of the selected row, or all namespaces again.
    OnlyThisNamespace,
    /// Close the views of several clusters, because the user has chosen this one; open an incident, if there is one.
    EnterCluster(Option<Key>),
    /// Show the logs of the selected object; those of the previous incarnation if true.
    Logs(bool),
    /// Read the selected object and show it on a text page.
    Read(Topic),
    /// On a text page.
    Text(TextAction),
    /// Run a shell in the selected container, with kubectl.
    Shell,
    /// Forward a port of the selected object, with kubectl.
    Forward,
    /// Open the list of what can be done with the selected row.
    Menu,
    /// Change the selected object.
    Change(ChangeAction),
    /// Use the chosen entry of a list.
    Chosen(Name),
    /// Act on the map.
    Map(MapAction),
    /// Show this text in the last row for a while, for a key that does nothing in this view.
    Say(String),
}

impl Action {
    /// Whether the action changes the time on the screen or the span.
    #[must_use]
    pub const fn is_of_time(&self) -> bool {
        matches!(
            self,
            Self::Pause
                | Self::Step(_)
                | Self::Hours(_)
                | Self::Seek(_)
                | Self::Oldest
                | Self::Live
                | Self::Span(_)
        )
    }
}

/// What a key does on a text page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextAction {
    /// Wrap long lines, or no longer.
    Wrap,
    /// Scroll this many cells to the right; to the left if negative.
    Shift(isize),
    /// Follow new lines, or no longer.
    Follow,
    /// Go to the next line that contains the search; to the previous one if false.
    Next(bool),
    /// Show times, or no longer.
    Times,
    /// Show JSON with a member in each row, or no longer.
    Pretty,
    /// Show the folded lines, or no longer.
    Fold,
    /// Choose one of the containers.
    Containers,
    /// Read the object again.
    Again,
}

/// A change of the selected object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeAction {
    /// Restart the pods of a workload.
    Restart,
    /// Set the replicas of a workload.
    Scale,
    /// Delete a pod.
    Delete,
    /// Make a node unschedulable.
    Cordon,
    /// Make a node schedulable.
    Uncordon,
    /// Make a node unschedulable and evict its pods.
    Drain,
}

/// What a key or a click does on the map. Columns and lines are those of the map's area on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapAction {
    /// Select the cell this many cells further right; further left if negative.
    Across(i32),
    /// Group by the next property of pods. After the last one, open the list of labels.
    NextBy,
    /// Let the next amount decide how many cells a pod takes.
    NextSize,
    /// Show more of each group; less if negative.
    Zoom(i32),
    /// Select the object at a column and a line.
    Select(u16, u16),
    /// Open the object at a column and a line: the second click of two.
    Open(u16, u16),
    /// Show the object at a column and a line, where the mouse is.
    Point(u16, u16),
    /// The mouse has left the map.
    PointNowhere,
}

/// The format of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportAs {
    /// As on the screen.
    Table,
    /// Comma-separated values.
    Csv,
    /// JSON.
    Json,
}

/// An edit of a text input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Insert a character or pasted text.
    Insert(String),
    /// Delete the character before the cursor.
    Backspace,
    /// Delete the character under the cursor.
    Delete,
    /// Delete the word before the cursor.
    DeleteWord,
    /// Delete everything before the cursor.
    DeleteToStart,
    /// Delete everything after the cursor.
    DeleteToEnd,
    /// Move the cursor one character to the left.
    Left,
    /// Move the cursor one character to the right.
    Right,
    /// Move the cursor to the start.
    Start,
    /// Move the cursor to the end.
    End,
}

/// What keys do at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Keys act on the view: a table, a pod's page or the overview.
    Browse,
    /// Keys act on the map: its own, and otherwise those of [`Mode::Browse`].
    Map,
    /// A filter is being edited. Characters are inserted into it.
    Filter,
    /// An overlay with a list and a search is open. Characters are inserted into the search.
    Pick,
    /// The help or the list of messages is open.
    Help,
    /// A text page is open.
    Text,
    /// A question is open.
    Confirm,
}
