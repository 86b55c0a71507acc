//! The panes of the overview. The cursor is in one of them; in every other view it is in the list.

use kubevitals_proto::time::Timestamp;

use super::list::List;
use super::name::Name;
use super::pane::Pane;
use super::table::Version;
use super::view::View;

/// The panes above the overview's list. Each shows the first few of its rows, so none of them scrolls.
#[derive(Debug, Clone)]
pub struct Panes {
    /// Where the cursor is.
    pub focus: Pane,
    /// The fullest nodes.
    pub nodes: List,
    /// The latest incidents.
    pub incidents: List,
    /// The busiest pods.
    pub pods: List,
    /// How many pods would be in the list had they not been acknowledged.
    pub acknowledged: usize,
    /// What the panes were made of; nothing when they have to be made anew.
    pub(super) basis: Option<PanesBasis>,
}

/// All that the panes depend on: as long as it is the same they are.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PanesBasis {
    pub(super) nodes: Version,
    pub(super) incidents: Version,
    pub(super) pods: Version,
    pub(super) namespaces: Vec<Name>,
    pub(super) acknowledgements: u64,
    pub(super) rows: u16,
    pub(super) now: Option<Timestamp>,
}

impl Default for Panes {
    fn default() -> Self {
        Self {
            focus: Pane::List,
            nodes: List::new(View::Nodes.sort()),
            incidents: List::new(View::Incidents.sort()),
            pods: List::new(View::Pods.sort()),
            acknowledged: 0,
            basis: None,
        }
    }
}

impl Panes {
    /// The rows of a pane, and of which view they are; nothing for the list, which is the screen's own.
    #[must_use]
    pub const fn get(&self, pane: Pane) -> Option<(View, &List)> {
        match pane {
            Pane::List => None,
            Pane::Nodes => Some((View::Nodes, &self.nodes)),
            Pane::Incidents => Some((View::Incidents, &self.incidents)),
            Pane::Pods => Some((View::Pods, &self.pods)),
        }
    }

    /// As [`Panes::get`], to be changed.
    pub const fn get_mut(&mut self, pane: Pane) -> Option<(View, &mut List)> {
        match pane {
            Pane::List => None,
            Pane::Nodes => Some((View::Nodes, &mut self.nodes)),
            Pane::Incidents => Some((View::Incidents, &mut self.incidents)),
            Pane::Pods => Some((View::Pods, &mut self.pods)),
        }
    }
}
