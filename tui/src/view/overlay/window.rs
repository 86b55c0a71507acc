//! The window of an overlay.

use ratatui::layout::Rect;

use crate::input::Target;
use crate::view::canvas::{Canvas, centered, first_rows};
use crate::view::theme::Ink;

/// Draws a window in the middle of the screen, with a heading and a line of hints. Returns the area of its contents.
pub(super) fn window(
    canvas: &mut Canvas<'_>,
    width: u16,
    height: u16,
    heading: &str,
    hint: &str,
) -> Rect {
    let area = centered(
        canvas.buffer.area,
        width.saturating_add(4),
        height.saturating_add(2),
    );
    canvas.blank(area);
    canvas.hit(area, Target::Window);
    let signs = canvas.theme.signs;
    canvas.rule(first_rows(area, 1), heading);
    let last = Rect {
        y: area.bottom().saturating_sub(1),
        height: 1.min(area.height),
        ..area
    };
    canvas.rule(last, hint);
    let inside = Rect {
        x: area.x,
        y: area.y + 1.min(area.height),
        width: area.width,
        height: area.height.saturating_sub(2),
    };
    for y in inside.top()..inside.bottom() {
        for x in [inside.left(), inside.right().saturating_sub(1)] {
            canvas.text(
                Rect {
                    x,
                    y,
                    width: 1,
                    height: 1,
                },
                signs.bar,
                Ink::Faint,
            );
        }
    }
    let [top_left, top_right, bottom_left, bottom_right] = signs.corners;
    let (right, bottom) = (area.right().saturating_sub(1), last.y);
    for (x, y, corner) in [
        (area.x, area.y, top_left),
        (right, area.y, top_right),
        (area.x, bottom, bottom_left),
        (right, bottom, bottom_right),
    ] {
        let place = Rect {
            x,
            y,
            width: 1.min(area.width),
            height: 1.min(area.height),
        };
        canvas.text(place, corner, Ink::Faint);
    }
    Rect {
        x: inside.x + 2.min(inside.width),
        width: inside.width.saturating_sub(4),
        ..inside
    }
}
