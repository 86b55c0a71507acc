//! The state of the dashboard, owned by the main loop.

use std::collections::{BTreeMap, HashMap};

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::History;

use super::acknowledge::Acknowledgements;
use super::action::Mode;
use super::baseline::Baselines;
use super::dialog::Dialog;
use super::drains::Drains;
use super::field::Field;
use super::forecasts::NodeSamples;
use super::group_trends::GroupTrends;
use super::interest::Interest;
use super::laid_over::LaidOver;
use super::map::{GroupKind, MapBy, MapObject, MapState};
use super::marked_changes::MarkedChanges;
use super::message::{Link, Subject};
use super::messages::Messages;
use super::name::{Key, Name};
use super::object::{Object, Selected};
use super::page::Page;
use super::part::{Part, PartState, SourceKind};
use super::picker::Picker;
use super::row::Context;
use super::scope::Scope;
use super::screen::Screen;
use super::session::{Session, Settings};
use super::text_page::TextPage;
use super::time::Time;
use super::trend::Trends;
use super::view::View;
use super::world::World;

/// The state of the dashboard.
#[derive(Debug, Clone)]
pub struct State {
    /// The cluster.
    pub session: Session,
    /// Settings from flags and the configuration.
    pub settings: Settings,
    /// The size of the terminal.
    pub size: Size,
    /// The current time.
    pub now: Timestamp,
    /// The source, and why it was chosen; `None` until one has been chosen.
    pub source: Option<(SourceKind, String)>,
    /// The state of the connection.
    pub link: Link,
    /// The state of each part.
    pub parts: BTreeMap<Part, PartState>,
    /// The only namespace whose pods are listed; `None` for all.
    pub only: Option<Name>,
    /// The names of all namespaces, if they are known.
    pub all_namespaces: Vec<Name>,
    /// The chosen namespaces; empty for all.
    pub namespaces: Vec<Name>,
    /// The current data.
    pub live: World,
    /// The data on the screen, if that is not the current data.
    pub frozen: Option<World>,
    /// Which time is on the screen.
    pub time: Time,
    /// The index of the chosen span.
    pub span: usize,
    /// The end of the charts, if that differs from the time on the screen: while a past time is shown, charts do not
    /// move, so that what came after it is visible.
    pub charts_end: Option<Timestamp>,
    /// Recent usage of all objects, for sparklines.
    pub trends: Trends,
    /// Recent usage of the workloads or namespaces on the screen.
    pub group_trends: GroupTrends,
    /// Changes of replicas and versions, for charts.
    pub marked_changes: MarkedChanges,
    /// What charts show beside their series.
    pub laid_over: LaidOver,
    /// The time in a chart that the mouse points to.
    pub pointed: Option<Timestamp>,
    /// Disk usage and pods of nodes, for forecasts.
    pub(super) node_samples: NodeSamples,
    /// Earlier states, for the changes on the overview.
    pub(super) baselines: Baselines,
    /// Usage histories that the source has sent.
    pub histories: HashMap<Subject, Box<History>>,
    /// The open views; the last one is on the screen. Never empty.
    pub stack: Vec<Screen>,
    /// The order of all columns of a view after one was turned on or off, so that a column returns to its position.
    pub(super) column_order: HashMap<View, Vec<Field>>,
    /// The view whose columns are being changed, and its columns before that.
    pub(super) columns_before: Option<(View, Option<Vec<Field>>)>,
    /// Whether the user is new: a hint leads to the tour, until the help is opened.
    pub is_new: bool,
    /// What the map shows.
    pub map: MapState,
    /// The open overlay.
    pub overlay: Option<Overlay>,
    /// The open text page, which covers the view.
    pub text: Option<Box<TextPage>>,
    /// The flags of the command line that kubectl needs to reach the same cluster.
    pub kubectl_flags: Vec<String>,
    /// What the open list of containers is for.
    pub(super) choosing: Option<Choosing>,
    /// The id of the last direct request.
    pub(super) last_request: u64,
    /// Whether the filter is being edited.
    pub writing: bool,
    /// Pods and incidents that need no attention until they fail again.
    pub acknowledgements: Acknowledgements,
    /// The last result, for the last row of the screen.
    pub notice: Option<Notice>,
    /// The drains in flight.
    pub drains: Drains,
    /// The theme that the palette previews in place of the chosen one.
    pub(super) preview: Option<Name>,
    /// The last commands, the newest last.
    pub(super) commands_run: Vec<String>,
    /// The list of messages.
    pub messages: Messages,
    /// When the dashboard started. Earlier incidents are not new.
    pub started: Timestamp,
    /// When the user was last notified of an incident.
    pub(super) notified_at: Timestamp,
    /// When data was last requested that the source does not send by itself.
    pub(super) requested_at: Timestamp,
    /// The interest that was last sent to the source.
    pub(super) interest: Interest,
    /// Whether nodes are on the screen, as last sent to the source.
    pub(super) nodes_on_screen: bool,
    /// Whether the source reads volumes.
    pub(super) volumes_on_screen: bool,
}

/// The size of the terminal in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

impl Default for Size {
    fn default() -> Self {
        Self {
            width: 80,
            height: 24,
        }
    }
}

/// What covers the view.
#[derive(Debug, Clone)]
pub enum Overlay {
    /// A page of the help and its scroll position.
    Help(Page, u16),
    /// The list of columns and its cursor.
    Columns(usize),
    /// A picker.
    Picker(Picker),
    /// A question.
    Dialog(Box<Dialog>),
    /// The progress of the drain of a node.
    Drain(Name),
}

/// What a list of names is opened for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Choosing {
    /// The logs of a container; of the previous incarnation if true.
    Logs(Selected, bool),
    /// An action on an object.
    Menu(Selected),
    /// A shell in a container of a pod.
    Shell(Object),
    /// The ports of an object: the request with this id reads them.
    Ports(Object, u64),
}

/// A text that is shown for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The text.
    pub text: String,
    /// Whether it reports a failure.
    pub bad: bool,
    /// The number of ticks for which it is still shown. Ticks are real seconds, also in a demo with faster time.
    pub ticks: u8,
}

/// The spans beyond those of the settings, in seconds: six hours, a day and a week.
const LONG_SPANS: [u32; 3] = [21_600, 86_400, 604_800];

/// The number of ticks for which a notice is shown; there is about one a second.
const NOTICE_TICKS: u8 = 6;

impl Default for State {
    fn default() -> Self {
        Self::new(Session::default(), Settings::default())
    }
}

impl State {
    /// The initial state.
    #[must_use]
    pub fn new(session: Session, settings: Settings) -> Self {
        let span = settings
            .spans
            .iter()
            .position(|span| *span >= settings.span)
            .unwrap_or(0);
        let overview = settings.opened(View::Overview);
        Self {
            session,
            settings,
            size: Size::default(),
            now: Timestamp::default(),
            source: None,
            link: Link::Connecting,
            parts: BTreeMap::new(),
            only: None,
            all_namespaces: Vec::new(),
            namespaces: Vec::new(),
            live: World::default(),
            frozen: None,
            time: Time::Live,
            span,
            charts_end: None,
            trends: Trends::default(),
            group_trends: GroupTrends::default(),
            marked_changes: MarkedChanges::default(),
            laid_over: LaidOver::default(),
            pointed: None,
            node_samples: NodeSamples::default(),
            baselines: Baselines::default(),
            histories: HashMap::new(),
            stack: vec![overview],
            column_order: HashMap::new(),
            columns_before: None,
            is_new: false,
            map: MapState::default(),
            overlay: None,
            text: None,
            kubectl_flags: Vec::new(),
            choosing: None,
            last_request: 0,
            writing: false,
            acknowledgements: Acknowledgements::default(),
            notice: None,
            drains: Drains::default(),
            preview: None,
            commands_run: Vec::new(),
            messages: Messages::default(),
            started: Timestamp::default(),
            notified_at: Timestamp::default(),
            requested_at: Timestamp::default(),
            interest: Interest::default(),
            nodes_on_screen: true,
            volumes_on_screen: false,
        }
    }

    /// The data on the screen.
    #[must_use]
    pub fn world(&self) -> &World {
        self.frozen.as_ref().unwrap_or(&self.live)
    }

    /// The current view.
    #[must_use]
    pub fn screen(&self) -> &Screen {
        // The stack is never empty; if a defect emptied it, an empty view is better than a panic.
        static NONE: std::sync::LazyLock<Screen> =
            std::sync::LazyLock::new(|| Screen::new(View::Overview, Scope::All));
        self.stack.last().unwrap_or(&NONE)
    }

    /// The current view, mutable.
    pub fn screen_mut(&mut self) -> &mut Screen {
        if self.stack.is_empty() {
            self.stack.push(Screen::new(View::Overview, Scope::All));
        }
        let last = self.stack.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "there is a last one")]
        &mut self.stack[last]
    }

    /// What keys do at the moment.
    #[must_use]
    pub fn mode(&self) -> Mode {
        match &self.overlay {
            Some(Overlay::Help(..)) => Mode::Help,
            Some(Overlay::Columns(_) | Overlay::Picker(_)) => Mode::Pick,
            Some(Overlay::Dialog(dialog)) if dialog.line.is_some() => Mode::Pick,
            Some(Overlay::Dialog(_) | Overlay::Drain(_)) => Mode::Confirm,
            None if let Some(page) = &self.text => {
                if page.is_searching {
                    Mode::Filter
                } else {
                    Mode::Text
                }
            }
            None if self.writing => Mode::Filter,
            None if matches!(self.screen().view, View::Map) => Mode::Map,
            None => Mode::Browse,
        }
    }

    /// The time on the screen.
    #[must_use]
    pub const fn shown_time(&self) -> Timestamp {
        match self.time {
            Time::Live => self.now,
            Time::Paused(at) | Time::Past { at, .. } => at,
        }
    }

    /// The time of status, restarts, probes and events on the screen. It differs from [`State::shown_time`] only if the
    /// source has a history of usage alone: then it is the time at which the user went back.
    #[must_use]
    pub fn status_time(&self) -> Timestamp {
        let status_at = self.frozen.as_ref().and_then(|frozen| frozen.status_at);
        status_at.unwrap_or(self.shown_time())
    }

    /// The spans to choose from, in seconds, shortest first: those of the settings, and longer ones if the source reads
    /// what is older from an engine.
    pub fn spans(&self) -> impl Iterator<Item = u32> {
        let longest = self.settings.spans.last().copied().unwrap_or_default();
        let has_engine = self.live.cluster.has_engine;
        let longer = LONG_SPANS.into_iter();
        let longer = longer.filter(move |span| has_engine && *span > longest);
        self.settings.spans.iter().copied().chain(longer)
    }

    /// The chosen span in seconds.
    #[must_use]
    pub fn span_seconds(&self) -> u32 {
        self.spans().nth(self.span).unwrap_or(900).max(1)
    }

    /// Start and end of the charts. The end is the time on the screen, or later while a past time is shown.
    #[must_use]
    pub fn shown_span(&self) -> (Timestamp, Timestamp) {
        let until = self.charts_end.unwrap_or(self.shown_time());
        let since = until.plus_nanos(-i64::from(self.span_seconds()) * 1_000_000_000);
        (since, until)
    }

    /// Whether the source has not yet sent the pods of the current interest.
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        let extent = self.world().extent.as_ref();
        extent.is_some_and(|extent| extent.interest != self.interest)
    }

    /// The inputs of cells beside their rows.
    #[must_use]
    pub fn context(&self) -> Context {
        Context {
            now: self.status_time(),
            thresholds: self.settings.thresholds,
        }
    }

    /// The view and the key of the row at the cursor.
    #[must_use]
    pub fn cursor(&self) -> Option<(View, Key)> {
        let (view, list) = self.screen().focused();
        if view == View::Map {
            return self.map_cursor();
        }
        Some((view, list.key_at_cursor(self.world().table(view))?))
    }

    /// The pod, node or namespace at the cursor of the map, and the view of its kind.
    fn map_cursor(&self) -> Option<(View, Key)> {
        let map = &self.map;
        match map.object(map.cursor?, &self.world().pods)? {
            MapObject::Pod(key) => Some((View::Pods, key)),
            MapObject::Group(GroupKind::Alike, key) => match map.by {
                MapBy::Node => Some((View::Nodes, key)),
                MapBy::Namespace => Some((View::Namespaces, key)),
                MapBy::Workload => Some((View::Workloads, key)),
                MapBy::Zone | MapBy::Label(_) => None,
            },
            MapObject::Group(..) => None,
        }
    }

    /// The key of the row at the cursor.
    #[must_use]
    pub fn current(&self) -> Option<Key> {
        self.cursor().map(|(_, key)| key)
    }

    /// Whether the source sends usage separately from pods and nodes, and no sums of nodes.
    #[must_use]
    pub const fn has_separate_usage(&self) -> bool {
        !matches!(self.source, Some((SourceKind::Vitals, _)))
    }

    /// Sets the scroll position to the one that was drawn: the view limits it to the length of the content.
    pub fn scrolled(&mut self, rows: u16) {
        match &mut self.overlay {
            Some(Overlay::Help(_, scroll)) => *scroll = rows,
            Some(_) => {}
            None => self.screen_mut().scroll = rows,
        }
    }

    /// A time of day in the chosen zone.
    #[must_use]
    pub fn clock(&self, at: Timestamp) -> String {
        self.settings.zone.time(at)
    }

    /// A time of day with its zone.
    #[must_use]
    pub fn clock_with_zone(&self, at: Timestamp) -> String {
        self.settings.zone.time_with_name(at)
    }

    /// The chosen namespaces: `ns shop`; empty for all.
    #[must_use]
    pub fn namespace_text(&self) -> String {
        match (self.namespaces.as_slice(), &self.session.namespace) {
            ([], None) => String::new(),
            ([], Some(only)) => format!("ns {only}"),
            (several, _) => format!("ns {}", several.join(",")),
        }
    }

    /// Shows a text for a while and adds it to the list of messages.
    pub fn say(&mut self, text: impl Into<String>, bad: bool) {
        let text = text.into();
        self.messages.add(self.now, &text, bad);
        self.show(text, bad);
    }

    /// Shows a text for a while.
    pub(super) fn show(&mut self, text: String, bad: bool) {
        self.notice = Some(Notice {
            text,
            bad,
            ticks: NOTICE_TICKS,
        });
    }
}
