//! A table of rows of any kind.

use std::sync::Arc;

use ratatui::layout::Rect;

use super::canvas::{Canvas, below, cells, first_rows, right_of, row_of};
use super::scale;
use super::sparkline::sparkline;
use super::text::{Align, cut_middle, width};
use super::theme::{Depth, Ink, mark};
use super::trends;
use crate::input::Target;
use crate::model::columns::{self, Placed};
use crate::model::{self, Cell, Context, Field, List, Pane, Row, State, Tone, View};

/// How many rows are looked at to tell how wide a column must be.
const SAMPLED: usize = 256;

/// Cells before the first column, for the pointer.
const POINTER: u16 = 1;

/// Draws a table: headings, and as many rows as there is room for.
pub(super) fn draw<R: Row>(canvas: &mut Canvas<'_>, area: Rect, state: &State, rows: &[Arc<R>]) {
    let screen = state.screen();
    let list = &screen.list;
    let context = state.context();
    let placed = place(area.width, state, rows, &context);
    let head = row_of(area, 0);
    for column in &placed {
        heading(canvas, head, column, screen.view, list);
    }
    let body = below(area, 1);
    if list.order.is_empty() {
        canvas.text(
            right_of(row_of(body, 0), 1),
            &super::rows::emptiness(state),
            Ink::Muted,
        );
        return;
    }
    let shown = list.order.iter().enumerate().skip(list.top);
    // Rows from here on, of which so many are shown above.
    let (mut rows_area, mut above) = (body, 0);
    let mut line = 0;
    for (at, place) in shown {
        if list.first_group == Some(at) {
            canvas.hit(first_rows(rows_area, line), Target::Rows(Pane::List, above));
            canvas.rule(row_of(body, line), &super::overview::recently(state));
            (rows_area, above) = (below(body, line + 1), line);
            line += 1;
        }
        if line >= body.height {
            break;
        }
        let Some(row) = usize::try_from(*place)
            .ok()
            .and_then(|place| rows.get(place))
        else {
            continue;
        };
        let area = row_of(body, line);
        line += 1;
        for column in &placed {
            cell(canvas, area, column, state, &**row, &context);
        }
        if at == list.cursor && screen.is_in(Pane::List) {
            canvas.cursor(area);
        }
    }
    canvas.hit(rows_area, Target::Rows(Pane::List, above));
}

fn place<R: Row>(width: u16, state: &State, rows: &[Arc<R>], context: &Context) -> Vec<Placed> {
    let screen = state.screen();
    let list = &screen.list;
    let chosen = state.settings.columns.get(&screen.view).map(Vec::as_slice);
    // A part of very many rows tells well enough how wide their names are; the ones on the screen are never cut for it.
    let step = (list.order.len() / SAMPLED).max(1);
    let on_screen = list.order.iter().skip(list.top).take(state.listed());
    let sampled: Vec<&R> = list
        .order
        .iter()
        .step_by(step)
        .chain(on_screen)
        .filter_map(|at| rows.get(usize::try_from(*at).ok()?).map(|row| &**row))
        .collect();
    let widest = |field: Field| {
        let texts = sampled
            .iter()
            .filter_map(|row| row.text(field, context.now));
        let content = cells(
            texts
                .map(|text| super::text::width(&text))
                .max()
                .unwrap_or(0),
        );
        // What is told of time grows and shrinks by a cell or two as it passes; the columns should not.
        match field {
            Field::Restarts | Field::LastRestart if content > 8 => 28,
            _ => content,
        }
    };
    let columns = R::columns();
    let one_namespace =
        state.namespaces.len() == 1 || matches!(screen.scope, model::Scope::Namespace(_));
    let shown: Vec<model::Column> = columns
        .iter()
        .copied()
        // Where all are of one namespace there is no need to say which.
        .filter(|column| !(chosen.is_none() && one_namespace && column.field == Field::Namespace))
        .filter(|column| {
            !(chosen.is_none()
                && matches!(screen.scope, model::Scope::Node(_))
                && column.field == Field::Node)
        })
        .collect();
    columns::place(&shown, chosen, width.saturating_sub(POINTER), widest)
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
        align(column.align),
        if sorted { Ink::Accent } else { Ink::Heading },
    );
    canvas.hit(area, Target::Heading(column.field));
}

fn column_area(row: Rect, placed: &Placed) -> Rect {
    let rest = right_of(row, POINTER + placed.x);
    Rect {
        width: placed.width.min(rest.width),
        ..rest
    }
}

fn cell<R: Row>(
    canvas: &mut Canvas<'_>,
    row: Rect,
    placed: &Placed,
    state: &State,
    of: &R,
    context: &Context,
) {
    let area = column_area(row, placed);
    match of.cell(placed.column.field, context) {
        Cell::Text { text, tone } => {
            let text = marked(
                text,
                tone,
                area.width,
                canvas.theme.depth,
                placed.column.align,
            );
            // The end of a pod's name tells it from the others of its workload.
            let text = match placed.column.field {
                Field::Name | Field::Pod => {
                    cut_middle(&text, usize::from(area.width), canvas.theme.signs.ellipsis)
                }
                _ => text.into(),
            };
            canvas.fitted(area, &text, align(placed.column.align), tone.into());
        }
        Cell::Trend { resource, full } => {
            let steps = trends::of_row(state, &of.key(), resource, area.width);
            let line = sparkline(
                &steps,
                usize::from(area.width),
                scale::full(resource, full, &steps),
                &canvas.theme.signs.heights,
            );
            canvas.text(area, &line, super::vitals::ink(resource));
        }
    }
}

/// A number that is too high has a mark where there is no colour to say so.
fn marked(text: String, tone: Tone, room: u16, depth: Depth, align: model::Align) -> String {
    let mark = mark(tone);
    if depth != Depth::None || align == model::Align::Left || mark.is_empty() {
        return text;
    }
    // Half a mark is better than none: beside 100% there is room for one sign.
    let room = usize::from(room).saturating_sub(width(&text));
    let mark = mark.get(..room.min(mark.len())).unwrap_or_default();
    format!("{text}{mark}")
}

const fn align(align: model::Align) -> Align {
    match align {
        model::Align::Left => Align::Left,
        model::Align::Right => Align::Right,
    }
}
