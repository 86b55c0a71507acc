//! All that is shown and known, owned by one loop.

use std::collections::{BTreeMap, HashMap};

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::History;

use super::acknowledge::Acknowledgements;
use super::action::Mode;
use super::field::Field;
use super::interest::Interest;
use super::message::{Link, Subject};
use super::messages::Messages;
use super::name::{Key, Name};
use super::page::Page;
use super::part::{Part, PartState, SourceKind};
use super::picker::Picker;
use super::row::Context;
use super::scope::Scope;
use super::screen::Screen;
use super::time::Time;
use super::tone::Thresholds;
use super::trend::Trends;
use super::view::View;
use super::world::World;
use super::zone::Zone;

/// All that is shown and known.
#[derive(Debug, Clone)]
pub struct State {
    /// Which cluster.
    pub session: Session,
    /// What was set.
    pub settings: Settings,
    /// The size of the terminal.
    pub size: Size,
    /// What time it is.
    pub now: Timestamp,
    /// Which source tells, and why that one; nothing until one has been chosen.
    pub source: Option<(SourceKind, String)>,
    /// How the connection is.
    pub link: Link,
    /// How each part is.
    pub parts: BTreeMap<Part, PartState>,
    /// The one namespace whose pods are listed; none where those of all are.
    pub only: Option<Name>,
    /// All namespaces, where they are known.
    pub all_namespaces: Vec<Name>,
    /// Only these namespaces are shown; all if there is none.
    pub namespaces: Vec<Name>,
    /// What is known now.
    pub live: World,
    /// What is shown instead, when not now is shown.
    pub frozen: Option<World>,
    /// Which time is shown.
    pub time: Time,
    /// Which of the spans is shown.
    pub span: usize,
    /// When charts end, if that is not the time that is shown: while an earlier time is shown they stay where they are,
    /// so that what came after it can be seen.
    pub charts_end: Option<Timestamp>,
    /// The recent past of everything.
    pub trends: Trends,
    /// Pasts that were asked for.
    pub histories: HashMap<Subject, Box<History>>,
    /// The views that are open, the one that is looked at last. There is always one.
    pub stack: Vec<Screen>,
    /// The order of all columns of a view, once one was turned on or off: it comes back to its place.
    pub(super) column_order: HashMap<View, Vec<Field>>,
    /// What lies above the view.
    pub overlay: Option<Overlay>,
    /// Whether a filter is being written.
    pub writing: bool,
    /// What needs no attention until it happens again.
    pub acknowledgements: Acknowledgements,
    /// What has just been done, or why not.
    pub notice: Option<Notice>,
    /// The last messages.
    pub messages: Messages,
    /// When the source was last asked for what it does not tell by itself.
    pub(super) asked: Timestamp,
    /// What the source was last told to be looked at.
    pub(super) interest: Interest,
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

/// Which cluster is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Session {
    /// The context of the kubeconfig; empty where there is none.
    pub context: String,
    /// The cluster's name in it, or its address.
    pub cluster: String,
    /// All contexts.
    pub contexts: Vec<Name>,
    /// The only namespace that the source lists, where the command line limits it to one.
    pub namespace: Option<Name>,
}

/// What was set by flags and the configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// From where on a part is much, and too much.
    pub thresholds: Thresholds,
    /// Spans that can be shown, in seconds, the shortest first. Never empty.
    pub spans: Vec<u32>,
    /// The span at first, in seconds.
    pub span: u32,
    /// Columns that were chosen, by view.
    pub columns: HashMap<View, Vec<Field>>,
    /// Whether the terminal's bell rings when an incident begins.
    pub bell: bool,
    /// In which zone times of day are written.
    pub zone: Zone,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            thresholds: Thresholds::default(),
            spans: vec![300, 900, 1_800, 3_600],
            span: 900,
            columns: HashMap::new(),
            bell: false,
            zone: Zone::default(),
        }
    }
}

/// What lies above the view.
#[derive(Debug, Clone)]
pub enum Overlay {
    /// A page to be read, scrolled by so many rows.
    Help(Page, u16),
    /// The chooser of columns, with its cursor.
    Columns(usize),
    /// A picker.
    Picker(Picker),
}

/// What is said for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What.
    pub text: String,
    /// Whether something went wrong.
    pub bad: bool,
    /// For how many more ticks it is said. Ticks are of the reader's time, which a demo's runs ahead of.
    pub ticks: u8,
}

/// For how many ticks a notice is shown; there is about one a second.
const NOTICE_TICKS: u8 = 6;

impl Default for State {
    fn default() -> Self {
        Self::new(Session::default(), Settings::default())
    }
}

impl State {
    /// A state in which nothing is known yet.
    #[must_use]
    pub fn new(session: Session, settings: Settings) -> Self {
        let span = settings
            .spans
            .iter()
            .position(|span| *span >= settings.span)
            .unwrap_or(0);
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
            histories: HashMap::new(),
            stack: vec![Screen::new(View::Overview, Scope::All)],
            column_order: HashMap::new(),
            overlay: None,
            writing: false,
            acknowledgements: Acknowledgements::default(),
            notice: None,
            messages: Messages::default(),
            asked: Timestamp::default(),
            interest: Interest::default(),
        }
    }

    /// What is shown.
    #[must_use]
    pub fn world(&self) -> &World {
        self.frozen.as_ref().unwrap_or(&self.live)
    }

    /// The view that is looked at.
    #[must_use]
    pub fn screen(&self) -> &Screen {
        // There always is one; if a defect took it, an empty one is shown rather than the program ended.
        static NONE: std::sync::LazyLock<Screen> =
            std::sync::LazyLock::new(|| Screen::new(View::Overview, Scope::All));
        self.stack.last().unwrap_or(&NONE)
    }

    /// The view that is looked at, to be changed.
    pub fn screen_mut(&mut self) -> &mut Screen {
        if self.stack.is_empty() {
            self.stack.push(Screen::new(View::Overview, Scope::All));
        }
        let last = self.stack.len() - 1;
        // The stack is not empty.
        #[expect(clippy::indexing_slicing, reason = "there is a last one")]
        &mut self.stack[last]
    }

    /// What keys mean at the moment.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        match &self.overlay {
            Some(Overlay::Help(..)) => Mode::Help,
            Some(Overlay::Columns(_) | Overlay::Picker(_)) => Mode::Pick,
            None if self.writing => Mode::Write,
            None => Mode::Look,
        }
    }

    /// The time that is shown.
    #[must_use]
    pub const fn shown_time(&self) -> Timestamp {
        match self.time {
            Time::Live => self.now,
            Time::Paused(at) | Time::Past { at, .. } => at,
        }
    }

    /// The time that status, restarts, probes and events are of. It is the time that is shown, but with a source that
    /// remembers usage alone: then it is when that time was gone back to.
    #[must_use]
    pub fn told_time(&self) -> Timestamp {
        let told = self.frozen.as_ref().and_then(|frozen| frozen.told);
        told.unwrap_or(self.shown_time())
    }

    /// The span that is shown, in seconds.
    #[must_use]
    pub fn span_seconds(&self) -> u32 {
        self.settings
            .spans
            .get(self.span)
            .copied()
            .unwrap_or(900)
            .max(1)
    }

    /// From when to when charts are drawn. It ends at the time that is shown, or after it where that is past.
    #[must_use]
    pub fn shown_span(&self) -> (Timestamp, Timestamp) {
        let until = self.charts_end.unwrap_or(self.shown_time());
        let since = until.plus_nanos(-i64::from(self.span_seconds()) * 1_000_000_000);
        (since, until)
    }

    /// Whether what is looked at has been asked for and is not here yet.
    #[must_use]
    pub fn is_awaited(&self) -> bool {
        let extent = self.world().extent.as_ref();
        extent.is_some_and(|extent| extent.interest != self.interest)
    }

    /// What cells depend on beside their rows.
    #[must_use]
    pub fn context(&self) -> Context {
        Context {
            now: self.told_time(),
            thresholds: self.settings.thresholds,
        }
    }

    /// The row that the cursor is on: in the table of which view, and its key.
    #[must_use]
    pub fn cursor(&self) -> Option<(View, Key)> {
        let (view, list) = self.screen().focused();
        let at = list.order.get(list.cursor)?;
        Some((view, self.world().table(view).key_at(*at)?))
    }

    /// The key of the row that the cursor is on.
    #[must_use]
    pub fn current(&self) -> Option<Key> {
        self.cursor().map(|(_, key)| key)
    }

    /// Whether the source tells usage apart from pods and nodes, and not what nodes' pods come to.
    #[must_use]
    pub const fn usage_apart(&self) -> bool {
        !matches!(self.source, Some((SourceKind::Vitals, _)))
    }

    /// What is read has been drawn scrolled so far, for it is no longer: from there it is scrolled on.
    pub fn scrolled(&mut self, rows: u16) {
        match &mut self.overlay {
            Some(Overlay::Help(_, scroll)) => *scroll = rows,
            Some(_) => {}
            None => self.screen_mut().scroll = rows,
        }
    }

    /// A time of day in the zone that was chosen.
    #[must_use]
    pub fn clock(&self, at: Timestamp) -> String {
        self.settings.zone.time(at)
    }

    /// A time of day with its zone.
    #[must_use]
    pub fn clock_with_zone(&self, at: Timestamp) -> String {
        self.settings.zone.time_with_name(at)
    }

    /// The namespaces that are shown alone: `ns shop`; empty for all.
    #[must_use]
    pub fn namespace_text(&self) -> String {
        match (self.namespaces.as_slice(), &self.session.namespace) {
            ([], None) => String::new(),
            ([], Some(only)) => format!("ns {only}"),
            (several, _) => format!("ns {}", several.join(",")),
        }
    }

    /// Says something for a while, and keeps it among the last messages.
    pub fn say(&mut self, text: impl Into<String>, bad: bool) {
        let text = text.into();
        self.messages.add(self.now, &text, bad);
        self.notice = Some(Notice {
            text,
            bad,
            ticks: NOTICE_TICKS,
        });
    }
}
