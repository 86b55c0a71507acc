//! The window of an overlay.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::symbols::border;
use ratatui::widgets::{Block, Clear, Padding, Widget};

use crate::input::Target;
use crate::text;
use crate::view::canvas::{Canvas, centered};
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
    canvas.hit(area, Target::Window);
    let signs = canvas.theme.signs;
    let [top_left, top_right, bottom_left, bottom_right] = signs.corners;
    let border = border::Set {
        top_left,
        top_right,
        bottom_left,
        bottom_right,
        vertical_left: signs.bar,
        vertical_right: signs.bar,
        horizontal_top: signs.rule,
        horizontal_bottom: signs.rule,
    };
    // Without the style of the border.
    let style = Style::reset().patch(canvas.theme.style(Ink::Heading));
    let block = Block::bordered()
        .border_set(border)
        .border_style(canvas.theme.style(Ink::Faint))
        .title_style(style)
        .title_top(format!(" {heading} "))
        .title_bottom(format!(" {} ", whole(hint, area.width)))
        .padding(Padding::horizontal(1));
    let inside = block.inner(area);
    Clear.render(area, canvas.buffer);
    block.render(area, canvas.buffer);
    inside
}

/// The hints that fit into the frame of a window: whole ones, from the first on. A part without a colon, such as `left`
/// in `left, right: move`, belongs to the next one.
fn whole(hints: &str, columns: u16) -> &str {
    let space = usize::from(columns).saturating_sub(4);
    let mut fitting = hints;
    loop {
        let (before, last) = fitting.rsplit_once(", ").unwrap_or(("", fitting));
        if before.is_empty() || text::width(fitting) <= space && last.contains(':') {
            return fitting;
        }
        fitting = before;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_are_left_out_whole() {
        let hints = "space: toggle, left, right: move, esc: close";
        for (columns, expected) in [
            (48, hints),
            (47, "space: toggle, left, right: move"),
            (36, "space: toggle, left, right: move"),
            (35, "space: toggle"),
            (0, "space: toggle"),
        ] {
            assert_eq!(whole(hints, columns), expected, "{columns}");
        }
    }
}
