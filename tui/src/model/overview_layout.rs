//! The areas of the overview. Panes share the space by what they have: a pane without content takes one row or none, and
//! the busiest nodes and pods get what is left.

use super::pane::Pane;
use super::part::Part;
use super::state::State;
use super::view::View;

/// From this width on, the right third shows the map.
const WIDE: u16 = 150;

/// From this width on, two panes may be beside each other.
const TWO_PANES: u16 = 64;

/// From this height on, every pane has some rows, and the list has a heading.
const PANES_FROM: u16 = 12;

/// The most rows of problems that are not urgent. The list scrolls to the others.
const MAX_NOT_URGENT: u16 = 4;

/// The most rows of forecasts.
const MAX_FORECASTS: u16 = 5;

/// The most rows of changes, if other panes need the space.
const MAX_CHANGES: u16 = 8;

/// An area, relative to the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PanePlace {
    /// The distance from the left.
    pub x: u16,
    /// The distance from the top.
    pub y: u16,
    /// The width.
    pub width: u16,
    /// The height.
    pub height: u16,
}

impl PanePlace {
    /// The number of rows below the heading.
    #[must_use]
    pub const fn rows(&self) -> u16 {
        self.height.saturating_sub(1)
    }
}

/// The areas of the overview's body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OverviewLayout {
    /// The verdict.
    pub verdict: PanePlace,
    /// The problems: the heading of the pane, if there is one, and the table with its headings.
    pub list: PanePlace,
    /// The number of rows of the heading of the problems.
    pub heading: u16,
    /// The other panes from top to bottom, with their headings.
    pub panes: Vec<(Pane, PanePlace)>,
    /// The map, in a wide terminal.
    pub map: PanePlace,
}

/// The contents of the panes.
struct Contents {
    problems: u16,
    forecasts: u16,
    changes: u16,
    has_changes_line: bool,
    nodes: u16,
    pods: u16,
}

impl Contents {
    fn of(state: &State) -> Self {
        let (world, screen) = (state.world(), state.screen());
        let list = &screen.list;
        let rows = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        let is_calm =
            list.order.is_empty() && list.line.text().is_empty() && state.has_answered(Part::Pods);
        let problems = match list.order.len() {
            // Why there are none.
            0 if !is_calm => 2,
            count => {
                let urgent = list.first_group.unwrap_or(count).min(count);
                let others = rows(count - urgent);
                let heading = u16::from(others > 0);
                rows(urgent).saturating_add(heading + others.min(MAX_NOT_URGENT))
            }
        };
        Self {
            problems,
            forecasts: rows(world.forecasts.len()).min(MAX_FORECASTS),
            changes: rows(world.changes.len()),
            has_changes_line: state.baseline().is_some(),
            nodes: rows(world.nodes.len()),
            pods: rows(world.pods.len()),
        }
    }
}

impl OverviewLayout {
    /// Distributes a body of this size.
    #[must_use]
    pub fn of(state: &State, width: u16, height: u16) -> Self {
        if state.screen().view != View::Overview {
            return Self::default();
        }
        let contents = Contents::of(state);
        let side = if width >= WIDE { width / 3 } else { 0 };
        let main = if side > 0 { width - side - 1 } else { width };
        let mut y = 0;
        let mut take = |height: u16| {
            let place = PanePlace {
                x: 0,
                y,
                width: main,
                height,
            };
            y += height;
            place
        };
        let verdict = take(height.min(1));
        let rest = height - verdict.height;
        let heading = u16::from(height >= PANES_FROM && contents.problems > 0);
        // A table has headings of its columns.
        let wished = match contents.problems {
            0 => 0,
            problems => problems.saturating_add(heading + 1),
        };
        // Where there is little space, the problems come first.
        let reserved = match height {
            PANES_FROM.. => contents.least(),
            _ => 0,
        };
        let least = rest / 2;
        let list = wished.min(rest.saturating_sub(reserved).max(least));
        let list = take(list);
        let left = rest - list.height;
        let mut panes = Vec::new();
        for (pane, height) in contents.share(left, main) {
            panes.push((pane, take(height)));
        }
        beside(&mut panes, main, left, &contents);
        let map = PanePlace {
            x: main + 1,
            y: 0,
            width: side,
            height: if side > 0 { height } else { 0 },
        };
        Self {
            verdict,
            list,
            heading,
            panes,
            map,
        }
    }
}

impl State {
    /// Whether the map is on the screen: its view, or beside the panes of the overview.
    #[must_use]
    pub fn shows_map(&self) -> bool {
        let view = self.screen().view;
        view == View::Map || (view == View::Overview && self.size.width >= WIDE)
    }
}

impl Contents {
    /// The rows that the panes below the list need to show anything.
    fn least(&self) -> u16 {
        let of = |count: u16| if count > 0 { count.min(2) + 1 } else { 0 };
        let changes = of(self.changes).max(u16::from(self.has_changes_line));
        of(self.forecasts) + changes + of(self.nodes)
    }

    /// The panes below the list with their heights. The last one fills the space.
    fn share(&self, left: u16, width: u16) -> Vec<(Pane, u16)> {
        let mut left = left;
        let mut panes = Vec::new();
        let mut add = |pane, wished: u16, reserved: u16| {
            let height = wished.min(left.saturating_sub(reserved));
            // A heading without rows says nothing.
            if height >= 2 || (height == 1 && wished == 1) {
                panes.push((pane, height));
                left -= height;
            }
        };
        let with_heading = |count: u16| {
            if count > 0 {
                count.saturating_add(1)
            } else {
                0
            }
        };
        let line = u16::from(self.has_changes_line);
        let nodes = with_heading(self.nodes.min(2));
        let changes = with_heading(self.changes.min(2)).max(line);
        add(
            Pane::Forecasts,
            with_heading(self.forecasts),
            changes + nodes,
        );
        add(
            Pane::Changes,
            with_heading(self.changes.min(MAX_CHANGES)).max(line),
            nodes,
        );
        let pods = if width >= TWO_PANES {
            0
        } else {
            with_heading(self.pods.min(2))
        };
        add(Pane::Nodes, with_heading(self.nodes), pods);
        add(Pane::Pods, with_heading(self.pods), 0);
        // What is still left shows more of the changes.
        if left > 0
            && let Some((_, height)) = panes.iter_mut().find(|(pane, _)| *pane == Pane::Changes)
        {
            *height += left.min(with_heading(self.changes).saturating_sub(*height));
        }
        panes
    }
}

/// Puts the pods beside the nodes, if there is no space for them below.
fn beside(panes: &mut Vec<(Pane, PanePlace)>, width: u16, left: u16, contents: &Contents) {
    /// Fewer rows of pods are not worth a heading of their own.
    const WORTH: u16 = 4;
    let has = |pane: Pane| {
        panes
            .iter()
            .find(|(other, _)| *other == pane)
            .map(|(_, place)| *place)
    };
    let (nodes, pods) = (has(Pane::Nodes), has(Pane::Pods));
    let Some(nodes) = nodes.filter(|_| width >= TWO_PANES && contents.pods > 0) else {
        return;
    };
    if pods.is_some_and(|pods| pods.height >= WORTH) {
        return;
    }
    panes.retain(|(pane, _)| !matches!(pane, Pane::Nodes | Pane::Pods));
    let used: u16 = panes.iter().map(|(_, place)| place.height).sum();
    let height = left.saturating_sub(used);
    let half = width / 2;
    let nodes = PanePlace {
        width: half,
        height,
        ..nodes
    };
    let pods = PanePlace {
        x: half + 1,
        width: width - half - 1,
        ..nodes
    };
    panes.extend([(Pane::Nodes, nodes), (Pane::Pods, pods)]);
}
