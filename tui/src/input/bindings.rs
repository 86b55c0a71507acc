//! The table of key bindings.

use std::sync::LazyLock;

use crate::model::{Action, Edit, ExportAs, Field, Mode, View};

/// One action, with its keys and its help text.
#[derive(Debug, Clone)]
pub struct Binding {
    /// The name in the configuration.
    pub id: &'static str,
    /// The default keys.
    pub keys: &'static [&'static str],
    /// The mode in which the keys apply.
    pub mode: Mode,
    /// The section of the help.
    pub section: Section,
    /// The help text.
    pub help: &'static str,
    /// The action.
    pub action: Action,
}

/// A section of the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// Moving and opening.
    Move,
    /// Switching views.
    Views,
    /// Pausing, and going back in time.
    Time,
    /// Filtering, sorting and columns.
    Rows,
    /// Cluster, namespaces, export, and the program itself.
    Program,
    /// Editing the filter line.
    Line,
    /// An open list.
    List,
    /// An open help page.
    Help,
}

impl Section {
    /// All sections, in the order of the help.
    pub const ALL: [Self; 8] = [
        Self::Move,
        Self::Views,
        Self::Time,
        Self::Rows,
        Self::Program,
        Self::Line,
        Self::List,
        Self::Help,
    ];

    /// The mode in which the keys of the section apply.
    const fn mode(self) -> Mode {
        match self {
            Self::Line => Mode::Filter,
            Self::List => Mode::Pick,
            Self::Help => Mode::Help,
            _ => Mode::Browse,
        }
    }

    /// The heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Move => "Move",
            Self::Views => "Views",
            Self::Time => "Time",
            Self::Rows => "Filter and sort",
            Self::Program => "Program",
            Self::Line => "While you type a filter",
            Self::List => "While a list is open",
            Self::Help => "While a help page is open",
        }
    }
}

const fn bind(
    section: Section,
    id: &'static str,
    keys: &'static [&'static str],
    action: Action,
    help: &'static str,
) -> Binding {
    Binding {
        id,
        keys,
        mode: section.mode(),
        section,
        help,
        action,
    }
}

/// All bindings, in the order of the help. Ids are unique; a key is unique in its mode.
pub static BINDINGS: LazyLock<Vec<Binding>> = LazyLock::new(|| {
    let (before, after) = KEYS.split_at(KEYS.iter().position(is_of_time).unwrap_or(0));
    let views = View::SWITCHABLE.iter().zip(VIEW_KEYS).map(|(view, key)| {
        let info = view.info();
        bind(Section::Views, info.id, key, Action::Show(*view), info.help)
    });
    before
        .iter()
        .cloned()
        .chain(views)
        .chain(after.iter().cloned())
        .collect()
});

/// The keys of the views, in the order of the views.
#[rustfmt::skip] // one line: a table
const VIEW_KEYS: [&[&str]; 9] = [&["1"], &["2"], &["3"], &["4"], &["5"], &["6"], &["7"], &["8"], &["b"]];

/// The key of a view, unless the configuration has another one.
#[must_use]
pub fn key_of(view: View) -> &'static str {
    let mut keys = View::SWITCHABLE.iter().zip(VIEW_KEYS);
    let found = keys.find(|(other, _)| **other == view);
    found
        .and_then(|(_, keys)| keys.first())
        .copied()
        .unwrap_or_default()
}

/// Whether a binding comes after those of the views.
fn is_of_time(binding: &Binding) -> bool {
    binding.section == Section::Time
}

/// The bindings except those that open a view.
#[rustfmt::skip] // one line each: a table
static KEYS: &[Binding] = &[
    bind(Section::Move, "down", &["down", "j"], Action::Move(1), "move one row down"),
    bind(Section::Move, "up", &["up", "k"], Action::Move(-1), "move one row up"),
    bind(Section::Move, "page-down", &["pgdn", "ctrl-f"], Action::Page(1), "move one page down"),
    bind(Section::Move, "page-up", &["pgup", "ctrl-b"], Action::Page(-1), "move one page up"),
    bind(Section::Move, "first", &["g"], Action::First, "go to the first row"),
    bind(Section::Move, "last", &["G"], Action::Last, "go to the last row"),
    bind(Section::Move, "enter", &["enter"], Action::Enter, "open the selected row"),
    bind(Section::Move, "back", &["esc"], Action::Back, "go back"),
    bind(Section::Move, "acknowledge", &["a"], Action::Acknowledge, "acknowledge, or undo it"),
    bind(Section::Views, "next-view", &["tab"], Action::NextView(1), "go to the next pane or view"),
    bind(Section::Views, "previous-view", &["shift-tab"], Action::NextView(-1), "go to the previous pane or view"),
    bind(Section::Views, "clusters", &["X"], Action::Show(View::Clusters), "clusters, if there are several"),
    bind(Section::Time, "pause", &["space"], Action::Pause, "pause, or continue"),
    bind(Section::Time, "step-back", &["left", "h"], Action::Step(-1), "go one step back in time"),
    bind(Section::Time, "step-forward", &["right", "l"], Action::Step(1), "go one step forward in time"),
    bind(Section::Time, "leap-back", &["shift-left", "H"], Action::Step(-10), "go ten steps back"),
    bind(Section::Time, "leap-forward", &["shift-right", "L"], Action::Step(10), "go ten steps forward"),
    bind(Section::Time, "hour-back", &["{"], Action::Hours(-1), "go one hour back"),
    bind(Section::Time, "hour-forward", &["}"], Action::Hours(1), "go one hour forward"),
    bind(Section::Time, "day-back", &["("], Action::Hours(-24), "go one day back"),
    bind(Section::Time, "day-forward", &[")"], Action::Hours(24), "go one day forward"),
    bind(Section::Time, "oldest", &["home"], Action::Oldest, "go to the oldest time in memory"),
    bind(Section::Time, "live", &["end"], Action::Live, "return to now"),
    bind(Section::Time, "time-zone", &["z"], Action::TimeZone, "switch between local time and UTC"),
    bind(Section::Time, "shorter-span", &["["], Action::Span(-1), "shorten the span"),
    bind(Section::Time, "longer-span", &["]"], Action::Span(1), "lengthen the span"),
    bind(Section::Rows, "filter", &["/"], Action::Filter, "filter by words, numbers, labels"),
    bind(Section::Rows, "clear-filter", &["backspace"], Action::ClearFilter, "remove the filter"),
    bind(Section::Rows, "next-sort", &["s"], Action::NextSort(1), "sort by the next column"),
    bind(Section::Rows, "previous-sort", &["S"], Action::NextSort(-1), "sort by the previous column"),
    bind(Section::Rows, "reverse", &["r"], Action::Reverse, "reverse the sort order"),
    bind(Section::Rows, "sort-cpu", &["P"], Action::SortBy(Field::Cpu), "sort by CPU"),
    bind(Section::Rows, "sort-memory", &["M"], Action::SortBy(Field::Memory), "sort by memory"),
    bind(Section::Rows, "sort-name", &["N"], Action::SortBy(Field::Name), "sort by name"),
    bind(Section::Rows, "sort-restarts", &["R"], Action::SortBy(Field::Restarts), "sort by restarts"),
    bind(Section::Rows, "sort-age", &["A"], Action::SortBy(Field::Age), "sort by age"),
    bind(Section::Rows, "columns", &["c"], Action::Columns, "choose columns"),
    bind(Section::Program, "namespace", &["n"], Action::Namespaces, "choose a namespace"),
    bind(Section::Program, "only-this-namespace", &["o"], Action::OnlyThisNamespace,
        "show only this row's namespace, or all",
    ),
    bind(Section::Program, "context", &["x"], Action::Contexts, "choose a context (a cluster)"),
    bind(Section::Program, "copy", &["y"], Action::Copy, "copy the selected name"),
    bind(Section::Program, "export-table", &["e"], Action::Export(ExportAs::Table), "export to a file, as a table"),
    bind(Section::Program, "export-csv", &["v"], Action::Export(ExportAs::Csv), "export to a file, as CSV"),
    bind(Section::Program, "export-json", &["J"], Action::Export(ExportAs::Json), "export to a file, as JSON"),
    bind(Section::Program, "messages", &["m"], Action::Messages, "show the last messages"),
    bind(Section::Program, "mouse", &["t"], Action::Mouse, "turn the use of the mouse on or off"),
    bind(Section::Program, "help", &["?", "f1"], Action::Help, "show this help"),
    bind(Section::Program, "redraw", &["ctrl-l"], Action::Redraw, "redraw the screen"),
    bind(Section::Program, "suspend", &["ctrl-z"], Action::Suspend, "suspend; fg resumes"),
    bind(Section::Program, "quit", &["q", "ctrl-c"], Action::Quit, "quit"),
    bind(Section::Line, "line-accept", &["enter"], Action::Enter, "apply the filter"),
    bind(Section::Line, "line-cancel", &["esc", "ctrl-c"], Action::Back, "discard the filter"),
    bind(Section::Line, "line-backspace", &["backspace", "ctrl-h"], Action::Edit(Edit::Backspace), "delete the previous character"),
    bind(Section::Line, "line-delete", &["delete"], Action::Edit(Edit::Delete), "delete the character at the cursor"),
    bind(Section::Line, "line-delete-word", &["ctrl-w"], Action::Edit(Edit::DeleteWord), "delete the previous word"),
    bind(Section::Line, "line-delete-to-start", &["ctrl-u"], Action::Edit(Edit::DeleteToStart), "delete all before the cursor"),
    bind(Section::Line, "line-delete-to-end", &["ctrl-k"], Action::Edit(Edit::DeleteToEnd), "delete all after the cursor"),
    bind(Section::Line, "line-left", &["left", "ctrl-b"], Action::Edit(Edit::Left), "move one character left"),
    bind(Section::Line, "line-right", &["right", "ctrl-f"], Action::Edit(Edit::Right), "move one character right"),
    bind(Section::Line, "line-start", &["home", "ctrl-a"], Action::Edit(Edit::Start), "go to the beginning"),
    bind(Section::Line, "line-end", &["end", "ctrl-e"], Action::Edit(Edit::End), "go to the end"),
    bind(Section::List, "list-accept", &["enter"], Action::Enter, "choose the selected entry"),
    bind(Section::List, "list-cancel", &["esc", "ctrl-c"], Action::Back, "close the list"),
    bind(Section::List, "list-toggle", &["space", "tab"], Action::Toggle, "turn the selected entry on or off"),
    bind(Section::List, "list-reset", &["ctrl-r"], Action::Reset, "restore the default columns"),
    bind(Section::List, "list-down", &["down", "ctrl-n"], Action::Move(1), "move one entry down"),
    bind(Section::List, "list-up", &["up", "ctrl-p"], Action::Move(-1), "move one entry up"),
    bind(Section::List, "list-page-down", &["pgdn"], Action::Page(1), "move one page down"),
    bind(Section::List, "list-page-up", &["pgup"], Action::Page(-1), "move one page up"),
    bind(Section::List, "list-backspace", &["backspace", "ctrl-h"], Action::Edit(Edit::Backspace), "delete the previous character"),
    bind(Section::List, "list-delete-word", &["ctrl-w"], Action::Edit(Edit::DeleteWord), "delete the previous word"),
    bind(Section::List, "list-delete-to-start", &["ctrl-u"], Action::Edit(Edit::DeleteToStart), "delete all before the cursor"),
    bind(Section::Help, "help-close", &["esc", "?", "f1", "q", "enter", "m"], Action::Back, "close this page"),
    bind(Section::Help, "help-down", &["down", "j"], Action::Move(1), "scroll one line down"),
    bind(Section::Help, "help-up", &["up", "k"], Action::Move(-1), "scroll one line up"),
    bind(Section::Help, "help-page-down", &["pgdn", "space"], Action::Page(1), "scroll one page down"),
    bind(Section::Help, "help-page-up", &["pgup"], Action::Page(-1), "scroll one page up"),
    bind(Section::Help, "help-next", &["tab", "right", "l"], Action::NextView(1), "go to the next help page"),
    bind(Section::Help, "help-previous", &["shift-tab", "left", "h"], Action::NextView(-1), "go to the previous help page"),
    bind(Section::Help, "help-quit", &["ctrl-c"], Action::Quit, "quit"),
];
