//! The panes of the overview. In every other view the cursor is in the list.

use kubevitals_proto::time::Timestamp;

use super::list::List;
use super::name::Name;
use super::pane::Pane;
use super::table::Version;
use super::view::View;

/// The panes above the overview's list. Each shows its first rows; none of them scrolls.
#[derive(Debug, Clone)]
pub struct Panes {
    /// The pane with the cursor.
    pub focus: Pane,
    /// The nodes with the highest usage.
    pub nodes: List,
    /// The latest incidents.
    pub incidents: List,
    /// The pods with the highest CPU usage.
    pub pods: List,
    /// The number of acknowledged pods, which the list leaves out.
    pub acknowledged: usize,
    /// The inputs from which the panes were made. `None` forces new ones.
    pub(super) basis: Option<PanesBasis>,
}

/// All inputs of the panes. While they are equal, the panes are up to date.
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
