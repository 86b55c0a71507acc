//! Draws a table of rows of any kind.

use std::borrow::Cow;
use std::collections::HashMap;

use kubevitals_proto::time::Timestamp;
use ratatui::layout::Rect;

use super::canvas::{Canvas, below, first_rows, left_of, right_of, row_of};
use super::names::{self, Elided};
use super::theme::{Depth, Ink, mark};
use super::trends;
use crate::input::Target;
use crate::model::columns::Placed;
use crate::model::placement::{self, POINTER};
use crate::model::{AnyTable, Cell, Context, Field, List, Pane, State, Tone, View};
use crate::text::{Align, width};

/// Draws a table: headings, and as many rows as fit.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    let screen = state.screen();
    let table = state.world().table(screen.view);
    let list = &screen.list;
    let context = state.context();
    let placed = placement::columns(state, area.width);
    let head = row_of(area, 0);
    for column in &placed {
        heading(canvas, head, column, screen.view, list);
    }
    let body = below(area, 1);
    if list.order.is_empty() {
        super::empty::draw(canvas, body, &super::rows::emptiness(state));
        return;
    }
    let is_name = |placed: &&Placed| NAMES.contains(&placed.column.field);
    let named: Vec<(&Placed, Names<'_>)> = placed
        .iter()
        .filter(is_name)
        .map(|placed| {
            let field = placed.column.field;
            (placed, Names::of(field, state, body.height, context.now))
        })
        .collect();
    let elided: HashMap<Field, Elided<'_>> = named
        .iter()
        .map(|(placed, names)| {
            let ellipsis = canvas.theme.signs.ellipsis;
            (placed.column.field, names.elided(placed.width, ellipsis))
        })
        .collect();
    let visible = list.order.iter().enumerate().skip(list.top);
    // The area of the present group of rows, and the number of rows above it.
    let (mut rows_area, mut above) = (body, 0);
    let mut line = 0;
    for (at, index) in visible {
        if list.first_group == Some(at) {
            canvas.hit(first_rows(rows_area, line), Target::Rows(Pane::List, above));
            canvas.rule(row_of(body, line), &super::headings::not_urgent(state));
            (rows_area, above) = (below(body, line + 1), line);
            line += 1;
        }
        if line >= body.height {
            break;
        }
        let area = row_of(body, line);
        line += 1;
        for column in &placed {
            let elided = elided.get(&column.column.field);
            cell(
                canvas,
                area,
                column,
                state,
                (table, *index),
                &context,
                elided,
            );
        }
        if at == list.cursor && screen.is_in(Pane::List) {
            canvas.cursor(area);
        }
    }
    canvas.hit(rows_area, Target::Rows(Pane::List, above));
}

/// The fields that are names. Different names stay different when they are cut.
const NAMES: [Field; 6] = [
    Field::Namespace,
    Field::Name,
    Field::Pod,
    Field::Container,
    Field::Node,
    Field::Workload,
];

/// The names of a column: those on the screen, and a sample of the others.
struct Names<'a> {
    on_screen: Vec<Cow<'a, str>>,
    others: Vec<Cow<'a, str>>,
}

impl<'a> Names<'a> {
    fn of(field: Field, state: &'a State, height: u16, now: Timestamp) -> Self {
        let list = &state.screen().list;
        let table = state.world().table(state.screen().view);
        let on_screen = list.order.iter().skip(list.top).take(height.into());
        let on_screen = on_screen.filter_map(|at| table.text(*at, field, now));
        let others = placement::sample(state).filter_map(|at| table.text(at, field, now));
        Self {
            on_screen: on_screen.collect(),
            others: others.collect(),
        }
    }

    fn elided(&self, space: u16, ellipsis: &str) -> Elided<'_> {
        let on_screen = self.on_screen.iter().map(AsRef::as_ref);
        let others = self.others.iter().map(AsRef::as_ref);
        names::elide(on_screen, others, space.into(), ellipsis)
    }
}

fn heading(canvas: &mut Canvas<'_>, row: Rect, placed: &Placed, view: View, list: &List) {
    let column = &placed.column;
    let sorted = view != View::Overview && view != View::Pod && list.sort.field == column.field;
    let signs = &canvas.theme.signs;
    let sign = match (sorted, list.sort.descending) {
        (false, _) => "",
        (true, true) => signs.falling,
        (true, false) => signs.rising,
    };
    let area = column_area(row, placed);
    let text = format!("{}{sign}", column.title);
    canvas.fitted(
        area,
        &text,
        column.align,
        if sorted { Ink::Accent } else { Ink::Heading },
    );
    canvas.hit(area, Target::Heading(column.field));
}

fn column_area(row: Rect, placed: &Placed) -> Rect {
    left_of(right_of(row, POINTER + placed.x), placed.width)
}

fn cell(
    canvas: &mut Canvas<'_>,
    row: Rect,
    placed: &Placed,
    state: &State,
    (table, at): (&dyn AnyTable, u32),
    context: &Context,
    elided: Option<&Elided<'_>>,
) {
    let area = column_area(row, placed);
    let Some(cell) = table.cell(at, placed.column.field, context) else {
        return;
    };
    match cell {
        Cell::Text { text, tone } => {
            let text = marked(
                text,
                tone,
                area.width,
                canvas.theme.depth,
                placed.column.align,
            );
            let text = elided.map_or(text.as_str(), |elided| elided.text(&text));
            canvas.fitted(area, text, placed.column.align, tone.into());
        }
        Cell::Gauge { permille, tone } => {
            canvas.gauge(area, f64::from(permille) / 1_000.0, tone.into());
        }
        Cell::Trend { resource, full } => {
            let Some(key) = table.key_at(at) else {
                return;
            };
            let view = state.screen().view;
            let steps = trends::of_table_row(state, view, &key, resource, area.width);
            trends::draw(canvas, area, state, &steps, (resource, full));
        }
    }
}

/// Adds a mark to a number above a threshold, in a terminal without colours.
fn marked(text: String, tone: Tone, space: u16, depth: Depth, align: Align) -> String {
    let mark = mark(tone);
    if depth != Depth::None || align == Align::Left || mark.is_empty() {
        return text;
    }
    // If only a part of the mark fits, that part: beside 100% there is space for one sign.
    let space = usize::from(space).saturating_sub(width(&text));
    let mark = mark.get(..space.min(mark.len())).unwrap_or_default();
    format!("{text}{mark}")
}
