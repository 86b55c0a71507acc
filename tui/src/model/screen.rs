//! A view that is open, and what was done in it.

use super::list::List;
use super::message::Detail;
use super::name::{Key, Name};
use super::pane::Pane;
use super::panes::Panes;
use super::part::Fault;
use super::scope::Scope;
use super::time::Time;
use super::view::View;

/// A view that is open.
#[derive(Debug, Clone)]
pub struct Screen {
    /// Which view.
    pub view: View,
    /// Of what it shows a part.
    pub scope: Scope,
    /// Its list.
    pub list: List,
    /// What is above the list, on the overview; and in which of them the cursor is.
    pub panes: Panes,
    /// All there is to know of the pod, in the page of one.
    pub detail: Option<Box<Detail>>,
    /// Why that cannot be had, if the last request for it failed.
    pub no_detail: Option<Fault>,
    /// How far the page is scrolled.
    pub scroll: u16,
    /// The container that is selected on the page of a pod: its charts are shown. Without, those of the whole pod.
    pub container: Option<Name>,
    /// Whether the page is scrolled to where the selected container is.
    pub follows: bool,
    /// The time to go back to when this view is left, where coming here changed it.
    pub back_to: Option<Time>,
}

impl Screen {
    /// A view that has just been opened.
    #[must_use]
    pub fn new(view: View, scope: Scope) -> Self {
        Self {
            view,
            scope,
            list: List::new(view.sort()),
            panes: Panes::default(),
            detail: None,
            no_detail: None,
            scroll: 0,
            container: None,
            follows: false,
            back_to: None,
        }
    }

    /// The list that the cursor is in, and of which view its rows are.
    #[must_use]
    pub fn focused(&self) -> (View, &List) {
        let pane = self.panes.get(self.panes.focus);
        pane.unwrap_or((self.view, &self.list))
    }

    /// As [`Screen::focused`], to be changed.
    pub fn focused_mut(&mut self) -> (View, &mut List) {
        match self.panes.get_mut(self.panes.focus) {
            Some(pane) => pane,
            None => (self.view, &mut self.list),
        }
    }

    /// Whether the cursor is in a pane.
    #[must_use]
    pub fn is_in(&self, pane: Pane) -> bool {
        self.panes.focus == pane
    }

    /// The pod that its page is of.
    #[must_use]
    pub const fn pod(&self) -> Option<&Key> {
        match (&self.scope, self.view) {
            (Scope::Pod(key), View::Pod) => Some(key),
            _ => None,
        }
    }
}
