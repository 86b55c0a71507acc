//! An open view with its list, selection and scroll position.

use kubevitals_proto::vitals::OwnMetrics;

use super::facts::{FactLine, Facts};
use super::list::List;
use super::message::Detail;
use super::name::{Key, Name};
use super::pane::Pane;
use super::panes::Panes;
use super::part::Fault;
use super::scope::Scope;
use super::time::Time;
use super::view::View;

/// An open view.
#[derive(Debug, Clone)]
pub struct Screen {
    /// The view.
    pub view: View,
    /// The scope.
    pub scope: Scope,
    /// The list.
    pub list: List,
    /// The filters before the last changes, the newest last.
    pub(super) filters_before: Vec<String>,
    /// The panes of the overview, and the pane with the cursor.
    pub panes: Panes,
    /// The details of the pod, on its page.
    pub detail: Option<Box<Detail>>,
    /// Why the last request for the details failed.
    pub no_detail: Option<Fault>,
    /// The metrics that the pod exposes itself, on its page, or why they cannot be read.
    pub own_metrics: Option<Result<Box<OwnMetrics>, Fault>>,
    /// The objects of the page of a node, a workload or a namespace.
    pub facts: Option<Box<Facts>>,
    /// The lines of that page.
    pub fact_lines: Vec<FactLine>,
    /// The scroll position of the page.
    pub scroll: u16,
    /// The selected container on the page of a pod. Without one, the charts show the whole pod.
    pub container: Option<Name>,
    /// Whether the page scrolls to the selected container.
    pub follows: bool,
    /// The time to restore when this view is closed, if opening it changed the time.
    pub back_to: Option<Time>,
}

impl Screen {
    /// A newly opened view.
    #[must_use]
    pub fn new(view: View, scope: Scope) -> Self {
        Self {
            view,
            scope,
            list: List::new(view.sort()),
            filters_before: Vec::new(),
            panes: Panes::default(),
            detail: None,
            no_detail: None,
            own_metrics: None,
            facts: None,
            fact_lines: Vec::new(),
            scroll: 0,
            container: None,
            follows: false,
            back_to: None,
        }
    }

    /// The list of a pane, and the view of its rows.
    #[must_use]
    pub const fn pane(&self, pane: Pane) -> (View, &List) {
        match pane {
            Pane::List => (self.view, &self.list),
            Pane::Nodes => (View::Nodes, &self.panes.nodes),
            Pane::Pods => (View::Pods, &self.panes.pods),
            Pane::Forecasts => (View::Forecasts, &self.panes.forecasts),
            Pane::Changes => (View::Changes, &self.panes.changes),
        }
    }

    /// As [`Screen::pane`], mutable.
    pub const fn pane_mut(&mut self, pane: Pane) -> (View, &mut List) {
        match pane {
            Pane::List => (self.view, &mut self.list),
            Pane::Nodes => (View::Nodes, &mut self.panes.nodes),
            Pane::Pods => (View::Pods, &mut self.panes.pods),
            Pane::Forecasts => (View::Forecasts, &mut self.panes.forecasts),
            Pane::Changes => (View::Changes, &mut self.panes.changes),
        }
    }

    /// The list with the cursor, and the view of its rows.
    #[must_use]
    pub const fn focused(&self) -> (View, &List) {
        self.pane(self.panes.focus)
    }

    /// As [`Screen::focused`], mutable.
    pub const fn focused_mut(&mut self) -> (View, &mut List) {
        self.pane_mut(self.panes.focus)
    }

    /// Whether the pane has the cursor.
    #[must_use]
    pub fn is_in(&self, pane: Pane) -> bool {
        self.panes.focus == pane
    }

    /// The pod whose page this is.
    #[must_use]
    pub const fn pod(&self) -> Option<&Key> {
        match (&self.scope, self.view) {
            (Scope::Pod(key), View::Pod) => Some(key),
            _ => None,
        }
    }
}
