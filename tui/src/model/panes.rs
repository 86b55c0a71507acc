//! The panes of the overview. In every other view the cursor is in the list.

use super::list::List;
use super::name::Name;
use super::pane::Pane;
use super::table::Version;
use super::view::View;

/// The panes below the overview's list. Each shows its first rows; none of them scrolls.
#[derive(Debug, Clone)]
pub struct Panes {
    /// The pane with the cursor.
    pub focus: Pane,
    /// The nodes with the highest usage.
    pub nodes: List,
    /// The pods with the highest CPU usage.
    pub pods: List,
    /// What runs out, the soonest first.
    pub forecasts: List,
    /// What has changed, the latest first.
    pub changes: List,
    /// The number of acknowledged pods, incidents and nodes, which the list leaves out.
    pub acknowledged: usize,
    /// The inputs from which the panes were made. `None` forces new ones.
    pub(super) basis: Option<PanesBasis>,
}

/// All inputs of the panes. While they are equal, the panes are up to date.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PanesBasis {
    pub(super) nodes: Version,
    pub(super) pods: Version,
    pub(super) forecasts: Version,
    pub(super) changes: Version,
    pub(super) namespaces: Vec<Name>,
    /// The panes, each with its number of rows.
    pub(super) panes: Vec<(Pane, u16)>,
}

impl Default for Panes {
    fn default() -> Self {
        Self {
            focus: Pane::List,
            nodes: List::new(View::Nodes.sort()),
            pods: List::new(View::Pods.sort()),
            forecasts: List::new(View::Forecasts.sort()),
            changes: List::new(View::Changes.sort()),
            acknowledged: 0,
            basis: None,
        }
    }
}
