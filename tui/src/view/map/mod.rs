//! Draws the map: a box for each group of pods, a cell for each pod.

mod boxes;
mod detail;
mod legend;
mod signs;
mod titles;

use ratatui::layout::Rect;

use super::canvas::{Canvas, below, first_rows};
use super::{empty, rows};
use crate::input::Target;
use crate::model::map::Layout;
use crate::model::{MapRows, State, View};
use boxes::Drawing;
pub(super) use signs::{ink, sign, words};

/// Draws the view.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    let parts = MapRows::of(area.height);
    let layout = state.map.layout(area.width, parts.map);
    let Some(layout) = layout.filter(|layout| layout.lines() > 0) else {
        empty::draw(canvas, area, &rows::emptiness(state));
        return;
    };
    legend::draw(canvas, first_rows(area, parts.legend), state, &layout);
    let rest = below(area, parts.legend);
    let map = first_rows(rest, parts.map);
    canvas.hit(map, Target::Map);
    detail::draw(canvas, below(rest, parts.map), state, &layout);
    let drawing = Drawing {
        state,
        layout,
        top: state.map.top,
        cursor: state.map.cursor,
        area: map,
    };
    drawing.draw(canvas);
}

/// Draws as much of the map as fits into an area beside other panes. A click in it opens the view.
pub(super) fn draw_beside(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    let head = first_rows(area, 1);
    canvas.rule(head, "Map");
    canvas.hit(area, Target::View(View::Map));
    let body = below(area, 1);
    let Some(groups) = state.map.groups.as_deref() else {
        return;
    };
    let drawing = Drawing {
        state,
        layout: Layout::fitting(groups, body.width, body.height),
        top: 0,
        cursor: None,
        area: body,
    };
    drawing.draw(canvas);
}

#[cfg(test)]
mod tests {
    use ratatui::buffer::Buffer;

    use super::*;
    use crate::input::{Hits, KeyMap};
    use crate::model::row::{NodeRow, PodRow};
    use crate::model::{Action, Batch, Message, act, apply};
    use crate::view::theme::Theme;

    #[test]
    fn a_click_beside_other_panes_opens_the_map() {
        let mut state = State::default();
        act(&mut state, Action::Show(View::Map));
        let node = NodeRow {
            name: "node-1".into(),
            ready: true,
            ..NodeRow::default()
        };
        let pod = PodRow {
            node: "node-1".into(),
            status: "Running".into(),
            ready: true,
            ..PodRow::default()
        };
        apply(&mut state, Message::Nodes(Batch::All(vec![node])));
        apply(&mut state, Message::Pods(Batch::All(vec![pod])));
        crate::model::refresh(&mut state);
        for (width, height) in [(0, 0), (1, 1), (9, 3), (50, 20)] {
            let area = Rect::new(3, 2, width, height);
            let mut buffer = Buffer::empty(Rect::new(0, 0, 60, 30));
            let (theme, keys, mut hits) = (Theme::default(), KeyMap::default(), Hits::default());
            let mut canvas = Canvas {
                buffer: &mut buffer,
                theme: &theme,
                hits: &mut hits,
                keys: &keys,
            };
            draw_beside(&mut canvas, area, &state);
            let outside = buffer.area.positions().filter(|at| !area.contains(*at));
            assert!(outside.into_iter().all(|at| buffer[at].symbol() == " "));
            let target = hits.at(4, 3).map(|(_, target)| target);
            assert_eq!(
                target,
                (width > 1 && height > 1).then_some(Target::View(View::Map))
            );
        }
    }
}
