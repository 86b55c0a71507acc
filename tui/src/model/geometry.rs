//! How many rows of the terminal each part has. Views draw into them; the state scrolls by them.

use super::attention::lost;
use super::pane::Pane;
use super::part::Part;
use super::state::State;
use super::view::View;

/// How many rows each part has, from above to below. Together they are the terminal's height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rows {
    /// Where one is, the source, the time: one row.
    pub title: u16,
    /// What the cluster uses, with charts where there is room.
    pub vitals: u16,
    /// The views there are.
    pub tabs: u16,
    /// What is wrong.
    pub troubles: u16,
    /// The table, its heading included, or the page.
    pub body: u16,
    /// What is told of the selected row.
    pub pane: u16,
    /// The filter.
    pub filter: u16,
    /// What is wrong with it, at its place.
    pub wrong: u16,
    /// Keys, and what has just been done.
    pub footer: u16,
}

/// Fewer rows than this the body does not have while there is something else to give up.
const LEAST_BODY: u16 = 5;

impl Rows {
    /// The rows of each part of what is shown.
    #[must_use]
    pub fn of(state: &State) -> Self {
        let height = state.size.height;
        let screen = state.screen();
        let troubles = u16::try_from(state.failing().len()).unwrap_or(u16::MAX);
        let writing = state.writing || !screen.list.line.text().is_empty();
        let mut rows = Self::default();
        let mut left = height;
        // In the order of their worth; each is given only what leaves the body its least.
        let mut give = |wanted: u16, least_body: u16| {
            let given = wanted.min(left.saturating_sub(least_body));
            left -= given;
            given
        };
        rows.title = give(1, 2);
        rows.filter = give(u16::from(writing), 2);
        rows.wrong = give(u16::from(state.writing && screen.list.wrong.is_some()), 2);
        rows.troubles = give(troubles.min(if height < 20 { 1 } else { 3 }), LEAST_BODY);
        rows.vitals = give(2, LEAST_BODY);
        rows.footer = give(1, LEAST_BODY + 1);
        rows.tabs = give(1, LEAST_BODY + 4);
        if height >= 32 {
            rows.vitals += give(if height >= 50 { 5 } else { 3 }, LEAST_BODY + 4);
        }
        if screen.view == View::Incidents && !screen.list.order.is_empty() {
            rows.pane = give((height / 3).min(14), LEAST_BODY + 3);
            rows.pane = if rows.pane < 4 { 0 } else { rows.pane };
        }
        let used = rows.title
            + rows.filter
            + rows.wrong
            + rows.troubles
            + rows.vitals
            + rows.footer
            + rows.tabs
            + rows.pane;
        rows.body = height.saturating_sub(used);
        rows
    }
}

/// How many rows each part of the overview's body has, from above to below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OverviewRows {
    /// The panes, their headings included.
    pub panes: u16,
    /// The heading of the list.
    pub heading: u16,
    /// The nodes that do not report.
    pub lost: u16,
    /// The list, the headings of its columns included.
    pub list: u16,
}

impl OverviewRows {
    /// The rows of each part of a body of so many.
    #[must_use]
    pub fn of(state: &State, body: u16) -> Self {
        let list = &state.screen().list;
        let lost = u16::from(body > LEAST_BODY && !lost(state.world()).is_empty());
        let (panes, heading) = match body {
            24.. => (9, 1),
            14.. => (5, 1),
            _ => (0, 0),
        };
        let is_calm =
            list.order.is_empty() && list.line.text().is_empty() && state.has_answered(Part::Pods);
        let panes = if is_calm && panes > 0 {
            // Without a list the panes have its room.
            body - heading - lost
        } else {
            panes
        };
        Self {
            panes,
            heading,
            lost,
            list: body - panes - heading - lost,
        }
    }

    /// How many rows each pane shows, under its heading.
    #[must_use]
    pub const fn shown(&self) -> u16 {
        self.panes.saturating_sub(1)
    }
}

impl State {
    /// How many rows of the list are on the screen.
    #[must_use]
    pub fn listed(&self) -> usize {
        let body = Rows::of(self).body;
        let screen = self.screen();
        let rows = match screen.view {
            View::Overview => {
                let groups = u16::from(screen.list.has_second_group());
                OverviewRows::of(self, body).list.saturating_sub(groups)
            }
            _ => body,
        };
        usize::from(rows.saturating_sub(1))
    }

    /// The panes that are shown, from above to below; the list alone in views that have no others.
    #[must_use]
    pub fn panes(&self) -> Vec<Pane> {
        if self.screen().view != View::Overview
            || OverviewRows::of(self, Rows::of(self).body).panes == 0
        {
            return vec![Pane::List];
        }
        let beside = if self.world().incidents.is_empty() {
            Pane::Pods
        } else {
            Pane::Incidents
        };
        vec![Pane::Nodes, beside, Pane::List]
    }
}
