//! Draws the boxes of the map and the cells in them.

use ratatui::layout::Rect;

use super::signs;
use super::titles::title;
use crate::model::map::{Group, GroupKind, Layout, MapState, Mark, Place, Spot, Zoom};
use crate::model::{Resource, State, Tone, format};
use crate::text::{Align, cut, cut_middle, width};
use crate::view::canvas::{Canvas, Segment, cells, left_of, right_of, row_of, segments_width};
use crate::view::names;
use crate::view::theme::Ink;

/// The columns of a heading beside the name: borders, sign, blanks and the number of pods.
const BESIDE_NAME: u16 = 12;

/// What is drawn: the layout, the scroll position and the cursor.
pub(super) struct Drawing<'a> {
    pub(super) state: &'a State,
    pub(super) layout: Layout<'a>,
    /// The first line on the screen.
    pub(super) top: u32,
    /// The position of the cursor; `None` if the map cannot be moved in.
    pub(super) cursor: Option<Spot>,
    pub(super) area: Rect,
}

impl Drawing<'_> {
    fn map(&self) -> &MapState {
        &self.state.map
    }

    /// The row of the screen of a line of the map, limited to some columns.
    fn row(&self, place: Place, line: u32) -> Option<Rect> {
        let at = u16::try_from(line.checked_sub(self.top)?).ok()?;
        let row = row_of(self.area, at);
        let row = left_of(right_of(row, place.x), place.width);
        (!row.is_empty()).then_some(row)
    }

    /// Draws everything that is on the screen.
    pub(super) fn draw(&self, canvas: &mut Canvas<'_>) {
        let end = self.top.saturating_add(u32::from(self.area.height));
        let places: Vec<Place> = self.layout.places(self.top..end).collect();
        if self.layout.zoom == Zoom::Summary {
            for place in places {
                self.summary_cell(canvas, place);
            }
            return;
        }
        let groups = &self.layout.groups().groups;
        let title = |group: &Group| title(group, &self.map().by);
        // The titles of boxes of another kind do not count for what names share.
        let alike = groups.iter().filter(|group| group.kind == GroupKind::Alike);
        let all: Vec<String> = alike.map(title).collect();
        let visible = places
            .iter()
            .filter_map(|place| groups.get(place.group))
            .filter(|group| group.kind == GroupKind::Alike);
        let visible: Vec<String> = visible.map(title).collect();
        let width = places.last().map_or(0, |place| place.width);
        let names = names::elide(
            visible.iter().map(String::as_str),
            all.iter().map(String::as_str),
            width.saturating_sub(BESIDE_NAME).into(),
            canvas.theme.signs.ellipsis,
        );
        for place in places {
            if let Some(group) = self.layout.group(place.group) {
                self.one_box(canvas, place, group, names.text(&title(group)));
            }
        }
    }

    /// Draws a group as one cell.
    fn summary_cell(&self, canvas: &mut Canvas<'_>, place: Place) {
        let (Some(row), Some(group)) =
            (self.row(place, place.line), self.layout.group(place.group))
        else {
            return;
        };
        let sign = signs::sign(group.mark, canvas.theme);
        let gap = u16::from(self.layout.cell > 1);
        let inner = right_of(row, gap);
        canvas.fill(left_of(inner, 1), sign, signs::ink(group.mark));
        for (at, resource) in (1..inner.width).zip([Resource::Cpu, Resource::Memory]) {
            let part = group.usage.part_of(group.allocatable, resource);
            let height = part.and_then(|part| height(&canvas.theme.signs.heights, part));
            if let Some(height) = height {
                canvas.fill(left_of(right_of(inner, at), 1), height, resource.into());
            }
        }
        if self
            .cursor
            .is_some_and(|cursor| cursor.group == place.group)
        {
            self.mark_cursor(canvas, row);
        }
    }

    /// Marks the cell under the cursor. A wide cell has space for the pointer.
    fn mark_cursor(&self, canvas: &mut Canvas<'_>, cell: Rect) {
        if self.layout.cell > 1 {
            canvas.cursor(cell);
        } else {
            canvas.patch(cell, Ink::Selected);
        }
    }

    fn one_box(&self, canvas: &mut Canvas<'_>, place: Place, group: &Group, name: &str) {
        let is_current = self.cursor == Some(Spot::of_group(place.group));
        let border = if is_current { Ink::Accent } else { Ink::Faint };
        let last = place.line + place.height - 1;
        let head = self.layout.head_of(group);
        for line in place.line..=last {
            let Some(row) = self.row(place, line) else {
                continue;
            };
            let inside = line - place.line;
            if inside == 0 {
                edge(canvas, row, border, true);
                self.heading(canvas, row, group, name, is_current);
            } else if line == last {
                edge(canvas, row, border, false);
                if self.layout.zoom == Zoom::Small {
                    self.percentages(canvas, row, group);
                }
            } else {
                sides(canvas, row, border);
                match inside.checked_sub(head) {
                    Some(cells) => self.cells(canvas, row, place.group, cells),
                    None => self.head_line(canvas, row, group, inside - 1),
                }
            }
        }
    }

    /// Draws the name of a group and its pods: those that are ready, of all that have not ended.
    fn heading(
        &self,
        canvas: &mut Canvas<'_>,
        row: Rect,
        group: &Group,
        name: &str,
        is_current: bool,
    ) {
        let own = self.node_mark(group);
        let sign = match own {
            Mark::Well => String::new(),
            mark => format!("{} ", signs::sign(mark, canvas.theme)),
        };
        let ink = match own {
            Mark::Well => Ink::Heading,
            mark => signs::ink(mark),
        };
        let count = [Segment::new(
            format!(" {} ", self.count_text(group)),
            count_ink(group),
        )];
        let inner = left_of(right_of(row, 1), row.width.saturating_sub(2));
        let space = inner.width.saturating_sub(segments_width(&count));
        let text = format!(" {sign}{name} ");
        let text = cut(&text, space.into(), canvas.theme.signs.ellipsis);
        let name = left_of(inner, cells(width(&text)));
        canvas.clear(name);
        canvas.text(name, &text, ink);
        canvas.segments_over(inner, &count);
        if is_current {
            canvas.cursor(name);
        }
    }

    /// The state of the node itself, without that of its pods.
    fn node_mark(&self, group: &Group) -> Mark {
        let nodes = &self.state.world().nodes;
        let node = group.node.and_then(|at| nodes.row(at));
        match group.kind {
            GroupKind::Unscheduled => Mark::Pending,
            _ => node.map_or(Mark::Well, |node| {
                Mark::of_node(node, self.state.settings.thresholds)
            }),
        }
    }

    /// `11/12`; with only some pods in memory, how many of the node's pods these are.
    fn count_text(&self, group: &Group) -> String {
        let world = self.state.world();
        let node = group.node.and_then(|at| world.nodes.row(at));
        match (group.kind, node) {
            (GroupKind::Unscheduled, _) => group.pods.len().to_string(),
            (_, Some(node)) if world.extent.is_some() => {
                format!("{} of {}", group.pods.len(), node.pods)
            }
            _ => format!("{}/{}", group.ready, group.running),
        }
    }

    /// Draws a line between heading and cells: a reason, or a gauge.
    fn head_line(&self, canvas: &mut Canvas<'_>, row: Rect, group: &Group, at: u32) {
        let inner = left_of(right_of(row, 2), row.width.saturating_sub(4));
        if group.kind == GroupKind::Unscheduled {
            let reasons = &self.layout.groups().reasons;
            let at = usize::try_from(at).unwrap_or(usize::MAX);
            if let Some((reason, count)) = reasons.get(at) {
                let line = [
                    Segment::new(format!("{count} "), Ink::Warn),
                    Segment::plain(&**reason),
                ];
                canvas.segments(inner, &line);
            }
            return;
        }
        let resource = if at == 0 {
            Resource::Cpu
        } else {
            Resource::Memory
        };
        self.gauge(canvas, inner, group, resource);
    }

    /// Draws usage and requests of a resource as a gauge.
    fn gauge(&self, canvas: &mut Canvas<'_>, row: Rect, group: &Group, resource: Resource) {
        canvas.text(left_of(row, 3), word(resource), Ink::Muted);
        let text = self.percentage(group, resource);
        canvas.fitted(
            right_of(row, row.width.saturating_sub(5)),
            &text.text,
            Align::Right,
            text.ink,
        );
        let bar = left_of(right_of(row, 4), row.width.saturating_sub(10));
        let whole = whole(group, resource);
        let usage = group.usage.get(resource);
        let cells = |amount: Option<u64>| filled(amount, whole, bar.width);
        let (used, requested) = (cells(usage), cells(group.requests.get(resource)));
        let is_node = group.allocatable.get(resource).is_some();
        let [full, part, rest] = if canvas.theme.is_ascii() {
            ["#", "=", "."]
        } else {
            ["━", "─", "·"]
        };
        let after = right_of(bar, used);
        let beyond = if is_node {
            requested.saturating_sub(used)
        } else {
            0
        };
        let free = right_of(after, beyond);
        canvas.text(bar, &full.repeat(used.into()), resource.into());
        canvas.text(after, &part.repeat(beyond.into()), Ink::Request);
        canvas.text(free, &rest.repeat(free.width.into()), Ink::Faint);
    }

    /// Draws the percentages of both resources into the lower border of a small box, as far as they fit.
    fn percentages(&self, canvas: &mut Canvas<'_>, row: Rect, group: &Group) {
        if group.kind == GroupKind::Unscheduled {
            return;
        }
        let [cpu, memory] =
            [Resource::Cpu, Resource::Memory].map(|resource| self.percentage(group, resource));
        let blank = || Segment::plain(" ");
        let label = |resource| Segment::muted(format!("{} ", word(resource)));
        let long = vec![
            blank(),
            label(Resource::Cpu),
            cpu.clone(),
            blank(),
            label(Resource::Memory),
            memory.clone(),
            blank(),
        ];
        let short = vec![blank(), cpu, blank(), memory, blank()];
        let inner = left_of(right_of(row, 1), row.width.saturating_sub(2));
        let fitting = [long, short]
            .into_iter()
            .find(|line| segments_width(line) <= inner.width);
        canvas.segments_over(inner, &fitting.unwrap_or_default());
    }

    /// Usage as a fraction: of what is allocatable, or else of requests.
    fn percentage(&self, group: &Group, resource: Resource) -> Segment {
        let is_node = group.allocatable.get(resource).is_some();
        let whole = if is_node {
            group.allocatable
        } else {
            group.requests
        };
        let part = group.usage.part_of(whole, resource);
        let Some(part) = part else {
            return Segment::muted(format::UNKNOWN);
        };
        let tone = self.state.settings.thresholds.tone(part);
        // Usage above the requests is no problem by itself.
        let ink = if is_node { tone.into() } else { Ink::Plain };
        Segment::new(format::percent(part), ink)
    }

    /// Draws a line of cells.
    fn cells(&self, canvas: &mut Canvas<'_>, row: Rect, group: usize, line: u32) {
        let groups = self.layout.groups();
        for run in self.layout.runs(group, line) {
            let Some(pod) = groups.cells.get(run.pod) else {
                continue;
            };
            let (sign, ink) = if self.is_dimmed(pod.row) {
                (signs::dimmed(canvas.theme), Ink::Faint)
            } else {
                (signs::sign(pod.mark, canvas.theme), signs::ink(pod.mark))
            };
            let count = u16::try_from(run.count).unwrap_or(u16::MAX);
            let width = count.saturating_mul(self.layout.cell);
            let cells = left_of(right_of(row, self.layout.column_of(run.first)), width);
            if self.layout.zoom == Zoom::Names {
                canvas.fill(left_of(right_of(cells, 1), 1), sign, ink);
                if run.begins {
                    self.pod_name(canvas, right_of(cells, 3), pod.row);
                }
            } else {
                // The blank between two pods.
                let gap = u16::from(self.layout.cell > 1 && run.begins);
                canvas.fill(right_of(cells, gap), sign, ink);
            }
            if self.cursor == Some(Spot::of_pod(group, run.pod)) {
                if run.begins {
                    self.mark_cursor(canvas, cells);
                } else {
                    canvas.patch(cells, Ink::Selected);
                }
            }
        }
    }

    /// Draws the name of a pod, and how much of a limit it uses.
    fn pod_name(&self, canvas: &mut Canvas<'_>, row: Rect, at: u32) {
        let Some(pod) = self.state.world().pods.row(at) else {
            return;
        };
        let cpu = pod.usage.cpu.of(pod.limits.cpu);
        let memory = pod.usage.memory.of(pod.limits.memory);
        let part = cpu.into_iter().chain(memory).reduce(f64::max);
        let name = left_of(row, row.width.saturating_sub(5));
        let text = cut_middle(&pod.name, name.width.into(), canvas.theme.signs.ellipsis);
        let is_dimmed = self.is_dimmed(at);
        let ink = if is_dimmed { Ink::Faint } else { Ink::Plain };
        canvas.text(name, &text, ink);
        if let Some(part) = part {
            let tone = self.state.settings.thresholds.tone(part);
            let ink = match tone {
                _ if is_dimmed => Ink::Faint,
                Tone::Plain => Ink::Muted,
                tone => tone.into(),
            };
            let text = format::percent(part);
            canvas.fitted(right_of(row, name.width), &text, Align::Right, ink);
        }
    }

    /// Whether a filter does not match the pod.
    fn is_dimmed(&self, row: u32) -> bool {
        let matching = self.map().matching.as_ref();
        let at = usize::try_from(row).unwrap_or(usize::MAX);
        matching.is_some_and(|matching| matching.get(at) == Some(&false))
    }
}

/// The amount of a full gauge: what is allocatable, or else the requests.
fn whole(group: &Group, resource: Resource) -> Option<u64> {
    let allocatable = group.allocatable.get(resource);
    allocatable.or_else(|| group.requests.get(resource))
}

/// The sign of a fraction.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float is clamped when it is cast, and parts are not negative"
)]
fn height(heights: &[&'static str; 8], part: f64) -> Option<&'static str> {
    let at = (part * 8.0) as usize;
    heights.get(at.min(7)).copied()
}

/// The number of cells of a gauge that an amount fills.
fn filled(amount: Option<u64>, whole: Option<u64>, width: u16) -> u16 {
    let (Some(amount), Some(whole)) = (amount, whole.filter(|whole| *whole > 0)) else {
        return 0;
    };
    let cells = u128::from(amount.min(whole)) * u128::from(width) + u128::from(whole / 2);
    u16::try_from(cells / u128::from(whole)).unwrap_or(width)
}

const fn word(resource: Resource) -> &'static str {
    match resource {
        Resource::Cpu => "cpu",
        Resource::Memory => "mem",
    }
}

/// The number of pods stands out if some are not ready.
fn count_ink(group: &Group) -> Ink {
    match group.kind {
        GroupKind::Unscheduled => Ink::Warn,
        _ if group.ready < group.running => Ink::Warn,
        _ => Ink::Muted,
    }
}

/// Draws the upper or the lower border of a box.
fn edge(canvas: &mut Canvas<'_>, row: Rect, ink: Ink, is_upper: bool) {
    let corners = if canvas.theme.is_ascii() {
        canvas.theme.signs.corners
    } else {
        ["╭", "╮", "╰", "╯"]
    };
    let [left, right] = match (is_upper, corners) {
        (true, [left, right, ..]) | (false, [.., left, right]) => [left, right],
    };
    canvas.fill(row, canvas.theme.signs.rule, ink);
    canvas.fill(left_of(row, 1), left, ink);
    canvas.fill(right_of(row, row.width.saturating_sub(1)), right, ink);
}

/// Draws the left and the right border of a box.
fn sides(canvas: &mut Canvas<'_>, row: Rect, ink: Ink) {
    let bar = canvas.theme.signs.bar;
    canvas.fill(left_of(row, 1), bar, ink);
    canvas.fill(right_of(row, row.width.saturating_sub(1)), bar, ink);
}
