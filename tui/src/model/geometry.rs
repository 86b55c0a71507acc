//! The number of terminal rows of each part of the screen.

use super::overview_layout::OverviewLayout;
use super::pane::Pane;
use super::state::State;
use super::view::View;

/// The number of rows of each part, from top to bottom. Their sum is the terminal's height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rows {
    /// Context, source and time: one row.
    pub title: u16,
    /// Usage of the cluster, with charts if there is space.
    pub vitals: u16,
    /// The tabs of the views.
    pub tabs: u16,
    /// Parts of the source that fail.
    pub troubles: u16,
    /// The facts of a node, a workload or a namespace above the table of its pods.
    pub facts: u16,
    /// The table with its heading, or the page.
    pub body: u16,
    /// Details of the selected row.
    pub pane: u16,
    /// The filter.
    pub filter: u16,
    /// The error in the filter.
    pub wrong: u16,
    /// Hints for keys, or the last notice.
    pub footer: u16,
}

/// The body gets at least this many rows before other parts get any.
const LEAST_BODY: u16 = 5;

impl Rows {
    /// Distributes the rows of the terminal.
    #[must_use]
    pub fn of(state: &State) -> Self {
        let height = state.size.height;
        let screen = state.screen();
        let troubles = u16::try_from(state.failing().len()).unwrap_or(u16::MAX);
        let writing = state.writing || !screen.list.line.text().is_empty();
        let mut rows = Self::default();
        let mut left = height;
        // In the order of importance. Each part only gets rows that the body does not need.
        let mut allot = |rows: u16, least_body: u16| {
            let allotted = rows.min(left.saturating_sub(least_body));
            left -= allotted;
            allotted
        };
        rows.title = allot(1, 2);
        rows.filter = allot(u16::from(writing), 2);
        rows.wrong = allot(u16::from(state.writing && screen.list.wrong.is_some()), 2);
        rows.troubles = allot(troubles.min(if height < 20 { 1 } else { 3 }), LEAST_BODY);
        // The totals are those of one cluster.
        let has_vitals = !screen.view.is_of_several_clusters();
        rows.vitals = allot(if has_vitals { 2 } else { 0 }, LEAST_BODY);
        rows.footer = allot(1, LEAST_BODY + 1);
        rows.tabs = allot(1, LEAST_BODY + 4);
        if height >= 32 && has_vitals {
            rows.vitals += allot(if height >= 50 { 5 } else { 3 }, LEAST_BODY + 4);
        }
        if matches!(screen.view, View::Incidents | View::Volumes) && !screen.list.order.is_empty() {
            rows.pane = allot((height / 3).min(14), LEAST_BODY + 3);
        }
        if screen.view == View::Clusters {
            // A row for each cluster, and the headings; the incidents get the rest.
            let clusters = u16::try_from(screen.list.order.len()).unwrap_or(u16::MAX);
            let least = clusters.saturating_add(2).max(LEAST_BODY);
            rows.pane = allot(height, least.min(height / 2));
        }
        if !screen.fact_lines.is_empty() {
            let facts = rows_of_facts(screen.fact_lines.len(), left);
            rows.facts = facts.min(left.saturating_sub(LEAST_BODY));
        }
        rows.body = left - rows.facts;
        if rows.pane < 4 {
            rows.body += std::mem::take(&mut rows.pane);
        }
        rows
    }
}

/// The rows of a page's facts with their heading, if so many rows are left for them and the table. The table keeps at
/// least half of these; a small terminal shows one line without a heading.
fn rows_of_facts(lines: usize, left: u16) -> u16 {
    let lines = u16::try_from(lines).unwrap_or(u16::MAX);
    if left < 12 {
        return 1;
    }
    lines.saturating_add(1).min(left / 2)
}

/// The number of rows of each part of the map's body, from top to bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MapRows {
    /// The grouping, and the states that occur.
    pub legend: u16,
    /// The map.
    pub map: u16,
    /// The selected object.
    pub detail: u16,
}

impl MapRows {
    /// Distributes the rows of a body of this height.
    #[must_use]
    pub const fn of(body: u16) -> Self {
        let (legend, detail) = match body {
            0..3 => (0, 0),
            3..5 => (1, 0),
            5..8 => (1, 1),
            8..12 => (2, 1),
            12..18 => (2, 3),
            _ => (2, 5),
        };
        Self {
            legend,
            map: body - legend - detail,
            detail,
        }
    }
}

impl State {
    /// The columns and rows of the map on the screen.
    #[must_use]
    pub fn map_area(&self) -> (u16, u16) {
        (self.size.width, MapRows::of(Rows::of(self).body).map)
    }

    /// The number of rows of the list on the screen.
    #[must_use]
    pub fn list_height(&self) -> usize {
        let body = Rows::of(self).body;
        let screen = self.screen();
        let rows = match screen.view {
            View::Overview => {
                let layout = OverviewLayout::of(self, self.size.width, body);
                let groups = u16::from(screen.list.has_second_group());
                layout.list.height.saturating_sub(layout.heading + groups)
            }
            _ => body,
        };
        usize::from(rows.saturating_sub(1))
    }

    /// The panes on the screen that can have the cursor, the list first, then from top to bottom. Other views only have
    /// the list.
    #[must_use]
    pub fn panes(&self) -> Vec<Pane> {
        if self.screen().view != View::Overview {
            return vec![Pane::List];
        }
        let layout = OverviewLayout::of(self, self.size.width, Rows::of(self).body);
        let panes = layout.panes.iter().filter(|(_, place)| place.rows() > 0);
        let panes = panes.map(|(pane, _)| *pane);
        std::iter::once(Pane::List).chain(panes).collect()
    }
}
