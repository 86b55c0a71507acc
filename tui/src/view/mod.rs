//! Draws the state into a buffer. Pure: the result depends only on the arguments.

mod amounts;
mod canvas;
pub mod chart;
mod clusters;
mod color;
pub mod describe;
mod empty;
mod facts;
mod filter;
mod footer;
mod header_charts;
mod headings;
mod incident;
mod ink;
mod map;
mod names;
mod overlay;
mod overview;
pub mod palette;
mod past;
mod pod;
mod rows;
pub mod scale;
pub mod sparkline;
mod table;
mod tabs;
mod text_page;
pub mod theme;
mod title;
mod trends;
mod troubles;
mod usage;
mod verdict;
mod vitals;
mod volume;

use ratatui::buffer::Buffer;

use crate::input::{Hits, KeyMap};
use crate::model::{Link, PartState, Rows, State, View, format};
use canvas::Canvas;
use theme::{Ink, Theme};

/// Draws the state into a buffer of the terminal's size. Returns the clickable areas, and the cursor's position while a
/// line is edited.
pub fn draw(state: &State, theme: &Theme, keys: &KeyMap, buffer: &mut Buffer) -> Drawn {
    let mut hits = Hits::default();
    let mut canvas = Canvas {
        buffer,
        theme,
        hits: &mut hits,
        keys,
    };
    if let Some(page) = &state.text {
        let mut cursor = text_page::draw(&mut canvas, state, page, keys);
        let mut scrolled = None;
        if let Some(overlay) = &state.overlay {
            canvas.hits.clear();
            (cursor, scrolled) = overlay::draw(&mut canvas, state, overlay);
        }
        return Drawn {
            hits,
            cursor,
            scrolled,
        };
    }
    let rows = Rows::of(state);
    let mut rest = canvas.buffer.area;
    let mut take = |height: u16| {
        let area = canvas::first_rows(rest, height);
        rest = canvas::below(rest, height);
        area
    };
    let title_area = take(rows.title);
    let vitals_area = take(rows.vitals);
    let tabs_area = take(rows.tabs);
    let troubles_area = take(rows.troubles);
    let facts_area = take(rows.facts);
    let body = take(rows.body);
    let pane = take(rows.pane);
    let filter_area = take(rows.filter);
    let wrong_area = take(rows.wrong);
    let footer_area = take(rows.footer);

    title::draw(&mut canvas, title_area, state, rows.tabs == 0);
    vitals::draw(&mut canvas, vitals_area, state);
    tabs::draw(&mut canvas, tabs_area, state);
    troubles::draw(&mut canvas, troubles_area, state);
    facts::draw(&mut canvas, facts_area, state);
    let mut scrolled = None;
    match state.screen().view {
        // Without data the panes would have only dashes.
        View::Overview if !state.parts.values().any(PartState::has_answered) => {
            empty::draw(&mut canvas, body, &rows::emptiness(state));
        }
        View::Overview => overview::draw(&mut canvas, body, state),
        View::Map => map::draw(&mut canvas, body, state),
        View::Pod => scrolled = Some(pod::draw(&mut canvas, body, state)),
        _ => table::draw(&mut canvas, body, state),
    }
    if state.is_stale() {
        canvas.patch(vitals_area, Ink::Stale);
        canvas.patch(facts_area, Ink::Stale);
        canvas.patch(body, Ink::Stale);
        canvas.patch(pane, Ink::Stale);
    }
    match state.screen().view {
        View::Incidents => incident::draw(&mut canvas, pane, state),
        View::Clusters => clusters::draw(&mut canvas, pane, state),
        _ => {}
    }
    if state.screen().view == View::Volumes {
        volume::draw(&mut canvas, pane, state);
    }
    let mut cursor = filter::draw(&mut canvas, filter_area, wrong_area, state);
    footer::draw(&mut canvas, footer_area, state, keys);
    if let Some(overlay) = &state.overlay {
        canvas.hits.clear();
        (cursor, scrolled) = overlay::draw(&mut canvas, state, overlay);
    }
    theme.paint(buffer);
    Drawn {
        hits,
        cursor,
        scrolled,
    }
}

/// Returns the title of the terminal's window: the context and its worst state.
pub fn terminal_title(state: &State) -> String {
    let worst = match &state.link {
        Link::Connecting => "connecting".to_owned(),
        Link::Lost { .. } => "connection lost".to_owned(),
        Link::Up => match open_incidents(state) {
            0 => "no open incidents".to_owned(),
            count => format::count(count, "open incident"),
        },
    };
    let name = format!("vitals {}", state.session.context);
    format!("{}: {worst}", name.trim_end())
}

fn open_incidents(state: &State) -> usize {
    let rows = state.live.incidents.rows().iter();
    rows.filter(|row| row.is_open()).count()
}

/// What a drawing returns beside the buffer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drawn {
    /// The clickable areas.
    pub hits: Hits,
    /// The position of the cursor while a line is edited.
    pub cursor: Option<(u16, u16)>,
    /// The scroll offset of the help or the page of a pod, limited to the content.
    pub scrolled: Option<u16>,
}
