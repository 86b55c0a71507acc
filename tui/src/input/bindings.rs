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

const fn browse(
    section: Section,
    id: &'static str,
    keys: &'static [&'static str],
    action: Action,
    help: &'static str,
) -> Binding {
    Binding {
        id,
        keys,
        mode: Mode::Browse,
        section,
        help,
        action,
    }
}

const fn write(
    id: &'static str,
    keys: &'static [&'static str],
    action: Action,
    help: &'static str,
) -> Binding {
    Binding {
        id,
        keys,
        mode: Mode::Filter,
        section: Section::Line,
        help,
        action,
    }
}

const fn pick(
    id: &'static str,
    keys: &'static [&'static str],
    action: Action,
    help: &'static str,
) -> Binding {
    Binding {
        id,
        keys,
        mode: Mode::Pick,
        section: Section::List,
        help,
        action,
    }
}

const fn help(
    id: &'static str,
    keys: &'static [&'static str],
    action: Action,
    help: &'static str,
) -> Binding {
    Binding {
        id,
        keys,
        mode: Mode::Help,
        section: Section::Help,
        help,
        action,
    }
}

/// All bindings, in the order of the help. Ids are unique; a key is unique in its mode.
pub static BINDINGS: LazyLock<Vec<Binding>> = LazyLock::new(|| {
    let (before, after) = KEYS.split_at(KEYS.iter().position(is_of_time).unwrap_or(0));
    let views = View::SWITCHABLE.iter().zip(DIGITS).map(|(view, key)| {
        let info = view.info();
        browse(Section::Views, info.id, key, Action::Show(*view), info.help)
    });
    before
        .iter()
        .cloned()
        .chain(views)
        .chain(after.iter().cloned())
        .collect()
});

/// The keys of the views, in the order of the views.
const DIGITS: [&[&str]; 9] = [
    &["1"],
    &["2"],
    &["3"],
    &["4"],
    &["5"],
    &["6"],
    &["7"],
    &["8"],
    &["9"],
];

/// Whether a binding comes after those of the views.
fn is_of_time(binding: &Binding) -> bool {
    binding.section == Section::Time
}

/// The bindings except those that open a view.
#[rustfmt::skip] // one line each: a table
static KEYS: &[Binding] = &[
    browse(Section::Move, "down", &["down", "j"], Action::Move(1), "one row down"),
    browse(Section::Move, "up", &["up", "k"], Action::Move(-1), "one row up"),
    browse(Section::Move, "page-down", &["pgdn", "ctrl-f"], Action::Page(1), "one page down"),
    browse(Section::Move, "page-up", &["pgup", "ctrl-b"], Action::Page(-1), "one page up"),
    browse(Section::Move, "first", &["g"], Action::First, "first row"),
    browse(Section::Move, "last", &["G"], Action::Last, "last row"),
    browse(Section::Move, "enter", &["enter"], Action::Enter, "open the selected row"),
    browse(Section::Move, "back", &["esc"], Action::Back, "go back"),
    browse(Section::Move, "acknowledge", &["a"], Action::Acknowledge, "acknowledge, or undo that"),
    browse(Section::Views, "next-view", &["tab"], Action::NextView(1), "next pane, next view"),
    browse(Section::Views, "previous-view", &["shift-tab"], Action::NextView(-1), "previous pane, previous view"),
    browse(Section::Time, "pause", &["space"], Action::Pause, "pause, or continue"),
    browse(Section::Time, "step-back", &["left", "h"], Action::Step(-1), "a step back in time"),
    browse(Section::Time, "step-forward", &["right", "l"], Action::Step(1), "a step forward in time"),
    browse(Section::Time, "leap-back", &["shift-left", "H"], Action::Step(-10), "ten steps back"),
    browse(Section::Time, "leap-forward", &["shift-right", "L"], Action::Step(10), "ten steps forward"),
    browse(Section::Time, "oldest", &["home"], Action::Oldest, "the oldest time that is stored"),
    browse(Section::Time, "live", &["end"], Action::Live, "back to now"),
    browse(Section::Time, "time-zone", &["z"], Action::TimeZone, "times in the local zone, or in UTC"),
    browse(Section::Time, "shorter-span", &["["], Action::Span(-1), "shorter span"),
    browse(Section::Time, "longer-span", &["]"], Action::Span(1), "longer span"),
    browse(Section::Rows, "filter", &["/"], Action::Filter, "filter by words, numbers, labels"),
    browse(Section::Rows, "clear-filter", &["backspace"], Action::ClearFilter, "remove the filter"),
    browse(Section::Rows, "next-sort", &["s"], Action::NextSort(1), "sort by the next column"),
    browse(Section::Rows, "previous-sort", &["S"], Action::NextSort(-1), "sort by the previous column"),
    browse(Section::Rows, "reverse", &["r"], Action::Reverse, "reverse the sort order"),
    browse(Section::Rows, "sort-cpu", &["P"], Action::SortBy(Field::Cpu), "sort by CPU"),
    browse(Section::Rows, "sort-memory", &["M"], Action::SortBy(Field::Memory), "sort by memory"),
    browse(Section::Rows, "sort-name", &["N"], Action::SortBy(Field::Name), "sort by name"),
    browse(Section::Rows, "sort-restarts", &["R"], Action::SortBy(Field::Restarts), "sort by restarts"),
    browse(Section::Rows, "sort-age", &["A"], Action::SortBy(Field::Age), "sort by age"),
    browse(Section::Rows, "columns", &["c"], Action::Columns, "choose columns"),
    browse(Section::Program, "namespace", &["n"], Action::Namespaces, "choose a namespace"),
    browse(
        Section::Program,
        "only-this-namespace",
        &["o"],
        Action::OnlyThisNamespace,
        "only this row's namespace, or all",
    ),
    browse(Section::Program, "context", &["x"], Action::Contexts, "choose a context: another cluster"),
    browse(Section::Program, "copy", &["y"], Action::Copy, "copy the selected name"),
    browse(Section::Program, "export-table", &["e"], Action::Export(ExportAs::Table), "export to a file, as a table"),
    browse(Section::Program, "export-csv", &["v"], Action::Export(ExportAs::Csv), "export to a file, as CSV"),
    browse(Section::Program, "export-json", &["J"], Action::Export(ExportAs::Json), "export to a file, as JSON"),
    browse(Section::Program, "messages", &["m"], Action::Messages, "last messages: what failed, why"),
    browse(Section::Program, "mouse", &["t"], Action::Mouse, "leave the mouse to the terminal, or use it"),
    browse(Section::Program, "help", &["?", "f1"], Action::Help, "this help"),
    browse(Section::Program, "redraw", &["ctrl-l"], Action::Redraw, "redraw the screen"),
    browse(Section::Program, "suspend", &["ctrl-z"], Action::Suspend, "suspend; fg resumes"),
    browse(Section::Program, "quit", &["q", "ctrl-c"], Action::Quit, "quit"),
    write("line-accept", &["enter"], Action::Enter, "apply the filter"),
    write("line-cancel", &["esc", "ctrl-c"], Action::Back, "discard the filter"),
    write("line-backspace", &["backspace", "ctrl-h"], Action::Edit(Edit::Backspace), "delete the previous character"),
    write("line-delete", &["delete"], Action::Edit(Edit::Delete), "delete the character at the cursor"),
    write("line-delete-word", &["ctrl-w"], Action::Edit(Edit::DeleteWord), "delete the previous word"),
    write("line-delete-to-start", &["ctrl-u"], Action::Edit(Edit::DeleteToStart), "delete all before the cursor"),
    write("line-delete-to-end", &["ctrl-k"], Action::Edit(Edit::DeleteToEnd), "delete all after the cursor"),
    write("line-left", &["left", "ctrl-b"], Action::Edit(Edit::Left), "one character left"),
    write("line-right", &["right", "ctrl-f"], Action::Edit(Edit::Right), "one character right"),
    write("line-start", &["home", "ctrl-a"], Action::Edit(Edit::Start), "to the beginning"),
    write("line-end", &["end", "ctrl-e"], Action::Edit(Edit::End), "to the end"),
    pick("list-accept", &["enter"], Action::Enter, "choose the selected entry"),
    pick("list-cancel", &["esc", "ctrl-c"], Action::Back, "close the list"),
    pick("list-toggle", &["space", "tab"], Action::Toggle, "turn the selected entry on or off"),
    pick("list-reset", &["ctrl-r"], Action::Reset, "the default columns again"),
    pick("list-down", &["down", "ctrl-n"], Action::Move(1), "one entry down"),
    pick("list-up", &["up", "ctrl-p"], Action::Move(-1), "one entry up"),
    pick("list-page-down", &["pgdn"], Action::Page(1), "one page down"),
    pick("list-page-up", &["pgup"], Action::Page(-1), "one page up"),
    pick("list-backspace", &["backspace", "ctrl-h"], Action::Edit(Edit::Backspace), "delete the previous character"),
    pick("list-delete-word", &["ctrl-w"], Action::Edit(Edit::DeleteWord), "delete the previous word"),
    pick("list-delete-to-start", &["ctrl-u"], Action::Edit(Edit::DeleteToStart), "delete all before the cursor"),
    help("help-close", &["esc", "?", "f1", "q", "enter", "m"], Action::Back, "close this page"),
    help("help-down", &["down", "j"], Action::Move(1), "one line down"),
    help("help-up", &["up", "k"], Action::Move(-1), "one line up"),
    help("help-page-down", &["pgdn", "space"], Action::Page(1), "one page down"),
    help("help-page-up", &["pgup"], Action::Page(-1), "one page up"),
    help("help-next", &["tab", "right", "l"], Action::NextView(1), "next help page"),
    help("help-previous", &["shift-tab", "left", "h"], Action::NextView(-1), "previous help page"),
    help("help-quit", &["ctrl-c"], Action::Quit, "quit"),
];
