//! Draws the help pages and the last messages.

mod colours;
mod keys;
mod messages;
mod table;
mod tour;
mod words;

use super::window::window;
use crate::model::filter::{REMARK, manual};
use crate::model::{Page, State};
use crate::text::wrap;
use crate::view::canvas::{
    Canvas, Line, Segment, below, cells, left_of, right_of, row_of, segments_width,
};
use crate::view::theme::Ink;
use table::table;

/// The least width of a page, so that the window keeps its size between pages.
const LEAST: u16 = 76;

/// Draws a page. Returns its scroll offset.
pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, page: Page, scroll: u16) -> u16 {
    let screen = canvas.buffer.area;
    let space = screen.width.saturating_sub(4);
    let lines = match page {
        Page::Keys => keys::lines(canvas.keys, usize::from(space)),
        Page::Filter => filter(usize::from(space.min(110))),
        Page::Colours => colours::lines(state, canvas.theme, usize::from(space.min(110))),
        Page::Words => words::lines(usize::from(space.min(110))),
        Page::Tour => tour::lines(canvas.keys, usize::from(space.min(110))),
        Page::Messages => messages::lines(state, usize::from(space)),
    };
    let widest = lines.iter().map(|line| segments_width(line)).max();
    let wide = widest.unwrap_or(0).max(LEAST).min(space);
    // The names of the pages, and a blank line if there is space for one.
    let names = if screen.height < 20 { 1 } else { 2 };
    let count = cells(lines.len());
    let scrolls = count > screen.height.saturating_sub(2 + names);
    let hint = match (scrolls, wide >= 60) {
        (true, true) => "down, up: scroll, tab: next page, esc: close",
        (true, false) => "down: scroll, tab: next page",
        (false, _) => "tab: next page, esc: close",
    };
    let heading = match page {
        Page::Messages => "Messages",
        _ => "Help",
    };
    let area = window(canvas, wide, count.saturating_add(names), heading, hint);
    let gap = if area.width < 60 { " " } else { "   " };
    let mut used = 0;
    for other in visible_pages(page, usize::from(area.width), gap.len()) {
        let place = right_of(row_of(area, 0), used);
        let ink = if *other == page {
            Ink::Heading
        } else {
            Ink::Muted
        };
        let taken = canvas.text(place, other.title(), ink);
        if *other == page {
            canvas.patch(left_of(place, taken), Ink::Selected);
        }
        used += taken + cells(gap.len());
    }
    let body = below(area, names);
    let scroll = scroll.min(count.saturating_sub(body.height));
    canvas.lines(body, lines.get(scroll.into()..).unwrap_or_default());
    scroll
}

/// Returns the pages whose names are shown: all, or in a narrow window those from which on the open one fits.
fn visible_pages(page: Page, width: usize, gap: usize) -> &'static [Page] {
    let mut pages: &[Page] = &Page::ALL;
    while let Some((first, rest)) = pages.split_first() {
        let until = pages.iter().take_while(|other| **other != page);
        let before: usize = until.map(|other| other.title().len() + gap).sum();
        if *first == page || before + page.title().len() <= width {
            break;
        }
        pages = rest;
    }
    pages
}

/// Describes the filter language.
fn filter(space: usize) -> Vec<Line> {
    let rows = manual().map(|(examples, meaning)| (examples.join("\n"), meaning.replace('`', "")));
    let mut lines = table(rows, space, 30);
    lines.push(Vec::new());
    let remark = wrap(&REMARK.replace('`', ""), space).into_iter();
    lines.extend(remark.map(|line| vec![Segment::plain(line)]));
    lines
}
