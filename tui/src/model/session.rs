//! What the dashboard is started with: the cluster and the settings.

use std::collections::{BTreeMap, HashMap};

use super::action::Edit;
use super::command::Bound;
use super::field::Field;
use super::name::Name;
use super::scope::Scope;
use super::screen::Screen;
use super::tone::Thresholds;
use super::view::View;
use super::zone::Zone;

/// The cluster and its context.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Session {
    /// The context of the kubeconfig; empty if there is none.
    pub context: String,
    /// The name of the cluster in the kubeconfig, or its address.
    pub cluster: String,
    /// The names of all contexts.
    pub contexts: Vec<Name>,
    /// The namespace to which the command line limits the source.
    pub namespace: Option<Name>,
}

/// Settings from flags and the configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Thresholds for colours.
    pub thresholds: Thresholds,
    /// The spans to choose from, in seconds, shortest first. Never empty.
    pub spans: Vec<u32>,
    /// The initial span in seconds.
    pub span: u32,
    /// The chosen columns of each view.
    pub columns: HashMap<View, Vec<Field>>,
    /// Bookmarks: commands that show a place.
    pub bookmarks: BTreeMap<Name, String>,
    /// Saved filters.
    pub filters: BTreeMap<Name, String>,
    /// The names of the filters with which views open.
    pub default_filters: BTreeMap<View, Name>,
    /// Whether the terminal notifies the user when an incident begins.
    pub notify: bool,
    /// The time zone of times of day.
    pub zone: Zone,
    /// The bindings, as commands of the palette.
    pub commands: Vec<Bound>,
    /// The names of all themes.
    pub themes: Vec<Name>,
    /// The name of the chosen theme.
    pub theme: Name,
    /// Whether the cluster may be changed.
    pub allow_actions: bool,
    /// The contexts, or patterns of contexts, in which nothing may be changed.
    pub protected: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            thresholds: Thresholds::default(),
            spans: vec![300, 900, 1_800, 3_600],
            span: 900,
            columns: HashMap::new(),
            bookmarks: BTreeMap::new(),
            filters: BTreeMap::new(),
            default_filters: BTreeMap::new(),
            notify: false,
            zone: Zone::default(),
            commands: Vec::new(),
            themes: Vec::new(),
            theme: Name::default(),
            allow_actions: false,
            protected: Vec::new(),
        }
    }
}

impl Settings {
    /// A newly opened view, with its default filter.
    #[must_use]
    pub fn opened(&self, view: View) -> Screen {
        let mut screen = Screen::new(view, Scope::All);
        let filter = self.default_filters.get(&view);
        if let Some(filter) = filter.and_then(|name| self.filters.get(name)) {
            screen.list.line.edit(&Edit::Insert(filter.clone()));
            screen.list.read_filter();
        }
        screen
    }
}
