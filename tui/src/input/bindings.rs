//! The table of key bindings.

use std::sync::LazyLock;

use crate::model::{Action, Edit, ExportAs, Field, MapAction, Mode, TextAction, Topic, View};

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
    /// The selected object: its logs, its description, and what can be done with it.
    Object,
    /// On the map, instead of or beside the keys of other views.
    Map,
    /// Cluster, namespaces, export, and the program itself.
    Program,
    /// Editing the filter line.
    Line,
    /// An open list.
    List,
    /// An open help page.
    Help,
    /// An open text page.
    Text,
    /// An open question.
    Confirm,
}

impl Section {
    /// All sections, in the order of the help.
    pub const ALL: [Self; 12] = [
        Self::Move,
        Self::Views,
        Self::Time,
        Self::Rows,
        Self::Object,
        Self::Map,
        Self::Program,
        Self::Line,
        Self::List,
        Self::Help,
        Self::Text,
        Self::Confirm,
    ];

    /// The mode in which the keys of the section apply.
    const fn mode(self) -> Mode {
        match self {
            Self::Map => Mode::Map,
            Self::Line => Mode::Filter,
            Self::List => Mode::Pick,
            Self::Help => Mode::Help,
            Self::Text => Mode::Text,
            Self::Confirm => Mode::Confirm,
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
            Self::Object => "The selected object",
            Self::Map => "On the map",
            Self::Program => "Program",
            Self::Line => "While you type a filter or a search",
            Self::List => "While a list is open",
            Self::Help => "While a help page is open",
            Self::Text => "While a text page is open",
            Self::Confirm => "While a question is open",
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
const VIEW_KEYS: [&[&str]; 11] = [
    &["1"], &["2"], &["3"], &["4"], &["5"], &["6"], &["7"], &["8"], &["9"], &["0"], &["b"],
];

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
    bind(Section::Time, "step-back", &["left"], Action::Step(-1), "go one step back in time"),
    bind(Section::Time, "step-forward", &["right"], Action::Step(1), "go one step forward in time"),
    bind(Section::Time, "leap-back", &["shift-left"], Action::Step(-10), "go ten steps back"),
    bind(Section::Time, "leap-forward", &["shift-right"], Action::Step(10), "go ten steps forward"),
    bind(Section::Time, "hour-back", &["{"], Action::Hours(-1), "go one hour back"),
    bind(Section::Time, "hour-forward", &["}"], Action::Hours(1), "go one hour forward"),
    bind(Section::Time, "day-back", &["("], Action::Hours(-24), "go one day back"),
    bind(Section::Time, "day-forward", &[")"], Action::Hours(24), "go one day forward"),
    bind(Section::Time, "oldest", &["home"], Action::Oldest, "go to the oldest time in memory"),
    bind(Section::Time, "live", &["end"], Action::Live, "return to now"),
    bind(Section::Time, "time-zone", &["z"], Action::TimeZone, "switch between local time and UTC"),
    bind(Section::Time, "shorter-span", &["["], Action::Span(-1), "shorten the span"),
    bind(Section::Time, "longer-span", &["]"], Action::Span(1), "lengthen the span"),
    bind(Section::Time, "lay-over", &["O"], Action::LayOver, "overlay another series on the charts"),
    bind(Section::Rows, "filter", &["/"], Action::Filter, "filter by words, numbers, labels"),
    bind(Section::Rows, "clear-filter", &["backspace"], Action::ClearFilter, "remove the filter"),
    bind(Section::Rows, "undo-filter", &["u"], Action::UndoFilter, "undo the last change of the filter"),
    bind(Section::Rows, "filters", &["f"], Action::Filters, "save the filter, or use a saved one"),
    bind(Section::Rows, "next-sort", &["s"], Action::NextSort(1), "sort by the next column"),
    bind(Section::Rows, "previous-sort", &["S"], Action::NextSort(-1), "sort by the previous column"),
    bind(Section::Rows, "reverse", &["r"], Action::Reverse, "reverse the sort order"),
    bind(Section::Rows, "sort-cpu", &["P"], Action::SortBy(Field::Cpu), "sort by CPU"),
    bind(Section::Rows, "sort-memory", &["M"], Action::SortBy(Field::Memory), "sort by memory"),
    bind(Section::Rows, "sort-name", &["N"], Action::SortBy(Field::Name), "sort by name"),
    bind(Section::Rows, "sort-restarts", &["R"], Action::SortBy(Field::Restarts), "sort by restarts"),
    bind(Section::Rows, "sort-age", &["A"], Action::SortBy(Field::Age), "sort by age"),
    bind(Section::Rows, "columns", &["c"], Action::Columns, "choose columns"),
    bind(Section::Object, "logs", &["l"], Action::Logs(false), "show its logs"),
    bind(Section::Object, "previous-logs", &["p"], Action::Logs(true), "show the logs before its last restart"),
    bind(Section::Object, "describe", &["d"], Action::Read(Topic::Describe), "describe it, as kubectl does"),
    bind(Section::Object, "yaml", &["Y"], Action::Read(Topic::Yaml), "show it as YAML"),
    bind(Section::Object, "events", &["E"], Action::Read(Topic::Events), "show its events"),
    bind(Section::Object, "shell", &["!"], Action::Shell, "run a shell in it, with kubectl"),
    bind(Section::Object, "port-forward", &["F"], Action::Forward, "forward a port of it, with kubectl"),
    bind(Section::Object, "menu", &["."], Action::Menu, "list what can be done with it"),
    bind(Section::Map, "map-left", &["left"], Action::Map(MapAction::Across(-1)), "go to the cell on the left"),
    bind(Section::Map, "map-right", &["right"], Action::Map(MapAction::Across(1)), "go to the cell on the right"),
    bind(Section::Map, "map-step-back", &["shift-left"], Action::Step(-1), "go one step back in time"),
    bind(Section::Map, "map-step-forward", &["shift-right"], Action::Step(1), "go one step forward in time"),
    bind(Section::Map, "map-group", &["w"], Action::Map(MapAction::NextBy), "group pods by the next property"),
    bind(Section::Map, "map-size", &["W"], Action::Map(MapAction::NextSize), "size pods by the next amount"),
    bind(Section::Map, "map-zoom-in", &["+", "="], Action::Map(MapAction::Zoom(1)), "show more of each group"),
    bind(Section::Map, "map-zoom-out", &["-"], Action::Map(MapAction::Zoom(-1)), "show less of each group"),
    bind(Section::Program, "command", &[":"], Action::Palette, "run a command, by its name"),
    bind(Section::Program, "bookmark", &["B"], Action::Bookmark, "bookmark what is on the screen"),
    bind(Section::Program, "bookmarks", &["'"], Action::Bookmarks, "go to a bookmark"),
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
    bind(Section::Line, "line-accept", &["enter"], Action::Enter, "apply it"),
    bind(Section::Line, "line-cancel", &["esc", "ctrl-c"], Action::Back, "discard it"),
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
    bind(Section::List, "list-toggle", &["space"], Action::Toggle, "turn the selected entry on or off"),
    bind(Section::List, "list-complete", &["tab"], Action::Complete, "complete a command; else as space"),
    bind(Section::List, "list-reset", &["ctrl-r"], Action::Reset, "restore the default columns"),
    bind(Section::List, "list-remove", &["delete"], Action::Remove, "remove a bookmark or a saved filter"),
    bind(Section::List, "list-move-left", &["left", "shift-up"], Action::MoveEntry(-1), "move a column to the left"),
    bind(Section::List, "list-move-right", &["right", "shift-down"], Action::MoveEntry(1), "move a column to the right"),
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
    bind(Section::Text, "text-close", &["esc", "q"], Action::Back, "close the page"),
    bind(Section::Text, "text-down", &["down", "j"], Action::Move(1), "scroll one line down"),
    bind(Section::Text, "text-up", &["up", "k"], Action::Move(-1), "scroll one line up"),
    bind(Section::Text, "text-page-down", &["pgdn", "space", "ctrl-f"], Action::Page(1), "scroll one page down"),
    bind(Section::Text, "text-page-up", &["pgup", "ctrl-b"], Action::Page(-1), "scroll one page up"),
    bind(Section::Text, "text-first", &["g", "home"], Action::First, "go to the first line"),
    bind(Section::Text, "text-last", &["G", "end"], Action::Last, "go to the last line, and follow"),
    bind(Section::Text, "text-left", &["left", "h"], Action::Text(TextAction::Shift(-8)), "scroll left"),
    bind(Section::Text, "text-right", &["right"], Action::Text(TextAction::Shift(8)), "scroll right, without wrapping"),
    bind(Section::Text, "text-search", &["/"], Action::Filter, "search"),
    bind(Section::Text, "text-next", &["n"], Action::Text(TextAction::Next(true)), "go to the next match"),
    bind(Section::Text, "text-previous", &["N"], Action::Text(TextAction::Next(false)), "go to the previous match"),
    bind(Section::Text, "text-wrap", &["w"], Action::Text(TextAction::Wrap), "wrap long lines, or not"),
    bind(Section::Text, "text-follow", &["f"], Action::Text(TextAction::Follow), "follow new lines, or stop"),
    bind(Section::Text, "text-times", &["t"], Action::Text(TextAction::Times), "show the times of lines, or not"),
    bind(Section::Text, "text-json", &["J"], Action::Text(TextAction::Pretty), "show JSON in several rows, or not"),
    bind(Section::Text, "text-containers", &["c"], Action::Text(TextAction::Containers), "choose one of the containers"),
    bind(Section::Text, "text-unfold", &["u"], Action::Text(TextAction::Fold), "show managedFields, or not"),
    bind(Section::Text, "text-again", &["r"], Action::Text(TextAction::Again), "read the object again"),
    bind(Section::Text, "text-copy", &["y"], Action::Copy, "copy the text"),
    bind(Section::Text, "text-logs", &["l"], Action::Logs(false), "show the logs"),
    bind(Section::Text, "text-previous-logs", &["p"], Action::Logs(true), "show the logs before the last restart"),
    bind(Section::Text, "text-describe", &["d"], Action::Read(Topic::Describe), "describe the object"),
    bind(Section::Text, "text-yaml", &["Y"], Action::Read(Topic::Yaml), "show the object as YAML"),
    bind(Section::Text, "text-events", &["E"], Action::Read(Topic::Events), "show the events of the object"),
    bind(Section::Text, "text-time-zone", &["z"], Action::TimeZone, "switch between local time and UTC"),
    bind(Section::Text, "text-messages", &["m"], Action::Messages, "show the last messages"),
    bind(Section::Text, "text-help", &["?", "f1"], Action::Help, "show this help"),
    bind(Section::Text, "text-redraw", &["ctrl-l"], Action::Redraw, "redraw the screen"),
    bind(Section::Text, "text-suspend", &["ctrl-z"], Action::Suspend, "suspend; fg resumes"),
    bind(Section::Text, "text-quit", &["ctrl-c"], Action::Quit, "quit"),
    bind(Section::Confirm, "confirm-accept", &["enter"], Action::Enter, "confirm"),
    bind(Section::Confirm, "confirm-copy", &["y"], Action::Copy, "copy the command"),
    bind(Section::Confirm, "confirm-cancel", &["esc", "q", "ctrl-c"], Action::Back, "cancel"),
];
