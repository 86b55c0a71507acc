//! Converts events of the mouse into actions.

use std::time::{Duration, Instant};

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use kubevitals_proto::time::Timestamp;
use ratatui::layout::Rect;

use super::bindings::BINDINGS;
use super::hits::{Hits, Span, Target};
use crate::model::{Action, Field, MapAction, Mode};

/// The rows that one notch of the wheel scrolls.
const NOTCH: i32 = 3;
/// The longest time between the two clicks of a double click.
const DOUBLE_CLICK: Duration = Duration::from_millis(500);

/// The state of the mouse between events.
#[derive(Debug, Clone, Default)]
pub struct Grip {
    /// The chart under the pressed button, as drawn when it was pressed. Dragging continues outside the chart, as with a
    /// slider.
    dragged: Option<(Rect, Span)>,
    /// The time in a chart that the mouse points to.
    pointed: Option<Timestamp>,
    /// The last click on a row or a cell: its time, its target, and its position in the target.
    clicked: Option<(Instant, Target, (u16, u16))>,
    /// Whether the mouse is on the map.
    on_map: bool,
    /// The heading under the pressed button.
    heading: Option<HeldHeading>,
}

/// A heading that the pressed button holds.
#[derive(Debug, Clone, Copy)]
struct HeldHeading {
    field: Field,
    /// The last column of the mouse.
    column: u16,
    /// Whether it has been moved. Then the table is not sorted by it.
    is_moved: bool,
}

/// Returns the action for an event of the mouse.
pub(super) fn action(
    event: &MouseEvent,
    mode: Mode,
    hits: &Hits,
    grip: &mut Grip,
    now: Instant,
) -> Option<Action> {
    let hit = hits.at(event.column, event.row);
    match (event.kind, hit) {
        (MouseEventKind::Down(_), Some((area, Target::Time(span)))) => {
            grip.dragged = Some((area, span));
        }
        (MouseEventKind::Down(_) | MouseEventKind::Up(_), _) => grip.dragged = None,
        _ => {}
    }
    if let Some(held) = grip.heading.take() {
        match event.kind {
            MouseEventKind::Drag(MouseButton::Left) => {
                return drag_heading(event, hits, held, grip);
            }
            MouseEventKind::Up(MouseButton::Left) => {
                let is_on_it =
                    matches!(hit, Some((_, Target::Heading(field))) if field == held.field);
                return match held.is_moved {
                    true => Some(Action::KeepColumns),
                    false => is_on_it.then_some(Action::SortBy(held.field)),
                };
            }
            _ => {}
        }
    }
    match event.kind {
        MouseEventKind::Moved => point(event, hit, grip),
        MouseEventKind::ScrollDown => Some(Action::Scroll(NOTCH)),
        MouseEventKind::ScrollUp => Some(Action::Scroll(-NOTCH)),
        // A click closes the help, as it does outside other overlays.
        MouseEventKind::Down(MouseButton::Left) if mode == Mode::Help => Some(Action::Back),
        MouseEventKind::Down(MouseButton::Left) => {
            let Some((area, target)) = hit else {
                // A click outside a list closes it.
                return matches!(mode, Mode::Pick | Mode::Confirm).then_some(Action::Back);
            };
            let row = event.row - area.y;
            let clicked = grip.clicked.take();
            Some(match target {
                Target::Rows(pane, first) => {
                    let row = first.saturating_add(row);
                    let again = clicked.is_some_and(|(then, before, at)| {
                        now.duration_since(then) <= DOUBLE_CLICK
                            && (before, at) == (target, (0, event.row))
                    });
                    if again {
                        return Some(Action::Open(pane, row));
                    }
                    grip.clicked = Some((now, target, (0, event.row)));
                    Action::Select(pane, row)
                }
                Target::Map => {
                    let at = (event.column - area.x, row);
                    let again = clicked.is_some_and(|(then, before, place)| {
                        now.duration_since(then) <= DOUBLE_CLICK && (before, place) == (target, at)
                    });
                    if again {
                        return Some(Action::Map(MapAction::Open(at.0, at.1)));
                    }
                    grip.clicked = Some((now, target, at));
                    Action::Map(MapAction::Select(at.0, at.1))
                }
                Target::Hint(id) => {
                    let binding = BINDINGS.iter().find(|binding| binding.id == id);
                    return binding.map(|binding| binding.action.clone());
                }
                Target::Pane(pane) => Action::Focus(pane),
                Target::Heading(field) => {
                    grip.heading = Some(HeldHeading {
                        field,
                        column: event.column,
                        is_moved: false,
                    });
                    return None;
                }
                Target::View(view) => Action::Show(view),
                Target::Container(at) => Action::Container(at),
                Target::Time(span) => seek(area, span, event.column),
                Target::Choices(first) => Action::Choose(first.saturating_add(row.into())),
                Target::Window => return None,
            })
        }
        MouseEventKind::Drag(MouseButton::Left) => {
            let (area, span) = grip.dragged?;
            Some(seek(area, span, event.column))
        }
        _ => None,
    }
}

/// Moves the held heading to the one under the mouse, in the direction of the mouse. A heading that is wider than the held
/// one is still under the mouse after the move.
fn drag_heading(
    event: &MouseEvent,
    hits: &Hits,
    mut held: HeldHeading,
    grip: &mut Grip,
) -> Option<Action> {
    let before = std::mem::replace(&mut held.column, event.column);
    let own = hits.area(Target::Heading(held.field));
    let onto = match (own, hits.at(event.column, event.row)) {
        (Some(own), Some((area, Target::Heading(onto))))
            if onto != held.field && area.y == own.y =>
        {
            (area.x.cmp(&own.x) == event.column.cmp(&before)).then_some(onto)
        }
        _ => None,
    };
    held.is_moved |= onto.is_some();
    grip.heading = Some(held);
    onto.map(|onto| Action::MoveColumn(held.field, onto))
}

/// Returns the action for a mouse that has moved: the map and charts show where it is.
fn point(event: &MouseEvent, hit: Option<(Rect, Target)>, grip: &mut Grip) -> Option<Action> {
    let pointed = match hit {
        Some((area, Target::Time(span))) => Some(span.at(area, event.column).unwrap_or(span.until)),
        _ => None,
    };
    let before = std::mem::replace(&mut grip.pointed, pointed);
    if before != pointed {
        return Some(Action::Point(pointed));
    }
    let was_on_map = std::mem::take(&mut grip.on_map);
    match hit {
        Some((area, Target::Map)) => {
            grip.on_map = true;
            let at = (event.column - area.x, event.row - area.y);
            Some(Action::Map(MapAction::Point(at.0, at.1)))
        }
        _ => was_on_map.then_some(Action::Map(MapAction::PointNowhere)),
    }
}

/// Returns the action for a column of a chart.
fn seek(area: Rect, span: Span, column: u16) -> Action {
    span.at(area, column).map_or(Action::Live, Action::Seek)
}
