//! A screen as text, and as a picture.

use std::fmt::Write;

use kubevitals::input::{Hits, KeyMap};
use kubevitals::model::{Action, Size, State, act, refresh};
use kubevitals::view;
use kubevitals::view::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

/// Draws a state in a terminal of so many columns and rows.
pub(crate) fn draw(state: &State, theme: &Theme, columns: u16, rows: u16) -> Buffer {
    draw_with_places(state, theme, columns, rows).0
}

/// As [`draw`], with the places that can be clicked.
pub(crate) fn draw_with_places(
    state: &State,
    theme: &Theme,
    columns: u16,
    rows: u16,
) -> (Buffer, Hits) {
    let mut state = state.clone();
    act(&mut state, Action::Resize(columns, rows));
    debug_assert_eq!(
        state.size,
        Size {
            width: columns,
            height: rows
        }
    );
    refresh(&mut state);
    let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
    let drawn = view::draw(&state, theme, &KeyMap::default(), &mut buffer);
    (buffer, drawn.hits)
}

/// What is on the screen.
pub(crate) fn text(buffer: &Buffer) -> String {
    let mut text = String::new();
    for row in rows(buffer) {
        let cells: String = row.iter().map(|(symbol, _)| *symbol).collect();
        text.push_str(cells.trim_end());
        text.push('\n');
    }
    text
}

/// What is on the screen, and below it how: a letter for each look, and what each letter is.
pub(crate) fn text_and_styles(buffer: &Buffer) -> String {
    let mut known: Vec<Style> = Vec::new();
    let mut styles = String::new();
    for row in rows(buffer) {
        let mut line = String::new();
        for (symbol, style) in row {
            if style_name(&style) == "plain" {
                line.push_str(&" ".repeat(kubevitals::text::width(symbol).max(1)));
                continue;
            }
            let at = known
                .iter()
                .position(|other| *other == style)
                .unwrap_or_else(|| {
                    known.push(style);
                    known.len() - 1
                });
            let letter = char::from(b'a' + u8::try_from(at).unwrap());
            line.extend(std::iter::repeat_n(
                letter,
                kubevitals::text::width(symbol).max(1),
            ));
        }
        styles.push_str(line.trim_end());
        styles.push('\n');
    }
    let mut legend = String::new();
    for (at, style) in known.iter().enumerate() {
        let _ = writeln!(
            legend,
            "{}: {}",
            char::from(b'a' + u8::try_from(at).unwrap()),
            style_name(style)
        );
    }
    format!("{}\n{styles}\n{legend}", text(buffer))
}

fn style_name(style: &Style) -> String {
    let mut words = Vec::new();
    if let Some(color) = style.fg.filter(|color| *color != Color::Reset) {
        words.push(color.to_string());
    }
    if let Some(color) = style.bg.filter(|color| *color != Color::Reset) {
        words.push(format!("on {color}"));
    }
    if !style.add_modifier.is_empty() {
        words.push(format!("{:?}", style.add_modifier).to_lowercase());
    }
    if words.is_empty() {
        "plain".to_owned()
    } else {
        words.join(" ")
    }
}

/// The cells of each row; of a wide character only the first one.
fn rows(buffer: &Buffer) -> impl Iterator<Item = Vec<(&str, Style)>> {
    let columns = usize::from(buffer.area.width).max(1);
    buffer.content.chunks(columns).map(|row| {
        let mut skip = 0;
        let mut cells = Vec::with_capacity(row.len());
        for cell in row {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            skip = kubevitals::text::width(cell.symbol()).saturating_sub(1);
            cells.push((cell.symbol(), cell.style()));
        }
        cells
    })
}

const CELL_WIDTH: f64 = 8.4;
const CELL_HEIGHT: f64 = 18.0;
const MARGIN: f64 = 12.0;
/// Where letters stand in their cell.
const BASELINE: f64 = 13.5;
const GROUND: &str = "#14181f";
const TEXT: &str = "#d8dee6";

/// The screen as SVG: one element for each run of letters that look alike, so that it is small and reads well as a
/// difference.
pub(crate) fn svg(buffer: &Buffer, title: &str) -> String {
    let (columns, lines) = (f64::from(buffer.area.width), f64::from(buffer.area.height));
    let (width, height) = (
        columns.mul_add(CELL_WIDTH, 2.0 * MARGIN),
        lines.mul_add(CELL_HEIGHT, 2.0 * MARGIN),
    );
    // The colour of letters is a group's: a rule in the style would outweigh that of each run.
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">\n\
         <title>{}</title>\n\
         <style>text {{ font: 14px ui-monospace, Menlo, Consolas, \"DejaVu Sans Mono\", monospace }} .b {{ font-weight: bold }}</style>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{GROUND}\"/>\n\
         <g fill=\"{TEXT}\">\n",
        escaped(title)
    );
    for (at, row) in rows(buffer).enumerate() {
        let top = (at as f64).mul_add(CELL_HEIGHT, MARGIN);
        grounds(&mut svg, &row, top);
        let mut column = 0;
        let mut cells = row.into_iter().peekable();
        while let Some((symbol, style)) = cells.next() {
            let from = column;
            let mut run = symbol.to_owned();
            column += kubevitals::text::width(symbol).max(1);
            while let Some((more, _)) = cells.next_if(|(_, other)| *other == style) {
                run.push_str(more);
                column += kubevitals::text::width(more).max(1);
            }
            piece(&mut svg, &run, style, from, top);
        }
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

/// What letters and their ground look like.
fn colours(style: Style) -> (Option<String>, Option<String>) {
    let (letters, ground) = (style.fg.and_then(hex), style.bg.and_then(hex));
    if style.add_modifier.contains(Modifier::REVERSED) {
        (
            Some(ground.unwrap_or_else(|| GROUND.to_owned())),
            Some(letters.unwrap_or_else(|| TEXT.to_owned())),
        )
    } else {
        (letters, ground)
    }
}

/// The grounds of a row: one for all cells side by side that have it.
fn grounds(svg: &mut String, row: &[(&str, Style)], top: f64) {
    let mut column = 0;
    for run in row.chunk_by(|(_, one), (_, other)| colours(*one).1 == colours(*other).1) {
        let widths = run.iter();
        let cells: usize = widths
            .map(|(symbol, _)| kubevitals::text::width(symbol).max(1))
            .sum();
        if let Some(ground) = run.first().and_then(|(_, style)| colours(*style).1) {
            let (left, wide) = (x(column), cells as f64 * CELL_WIDTH);
            let _ = writeln!(
                svg,
                "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{CELL_HEIGHT}\" fill=\"{ground}\"/>"
            );
        }
        column += cells;
    }
}

/// Where a column begins.
fn x(column: usize) -> f64 {
    (column as f64).mul_add(CELL_WIDTH, MARGIN)
}

fn piece(svg: &mut String, run: &str, style: Style, from: usize, top: f64) {
    let (letters, _) = colours(style);
    let mut styles = String::new();
    if let Some(color) = letters {
        let _ = write!(styles, " fill=\"{color}\"");
    }
    if style.add_modifier.contains(Modifier::DIM) {
        styles.push_str(" opacity=\"0.6\"");
    }
    let mut drawing = String::new();
    let mut at = from;
    let mut rest = run;
    while let Some(symbol) = rest.chars().next() {
        if draw_sign(&mut drawing, symbol, (x(at), top)) {
            at += 1;
            rest = &rest[symbol.len_utf8()..];
            continue;
        }
        let end = rest.find(is_drawn).unwrap_or(rest.len());
        let (text, after) = rest.split_at(end);
        if style.add_modifier.contains(Modifier::BOLD) {
            words(svg, text, at, top, &format!("{styles} class=\"b\""));
        } else {
            words(svg, text, at, top, &styles);
        }
        at += kubevitals::text::width(text);
        rest = after;
    }
    if !drawing.is_empty() {
        let _ = writeln!(svg, "<path d=\"{drawing}\"{styles}/>");
    }
}

/// Letters, beginning in a column.
fn words(svg: &mut String, run: &str, from: usize, top: f64, styles: &str) {
    let shown = run.trim();
    if shown.is_empty() {
        return;
    }
    // Blanks around take no part: the place says where the letters begin.
    let lead = run.chars().take_while(|c| *c == ' ').count();
    let cells = kubevitals::text::width(shown);
    let left = x(from + lead);
    let (base, long) = (top + BASELINE, cells as f64 * CELL_WIDTH);
    // The length holds letters in their cells, whatever font the reader has.
    let _ = writeln!(
        svg,
        "<text x=\"{left:.1}\" y=\"{base:.1}\" textLength=\"{long:.1}\" lengthAdjust=\"spacingAndGlyphs\"{styles}>{}</text>",
        unbroken(shown)
    );
}

/// Signs that fonts disagree about are drawn: bars, rules, and the dots of charts.
fn is_drawn(symbol: char) -> bool {
    matches!(symbol, '\u{2801}'..='\u{28ff}' | '▁'..='█' | '▌' | '─' | '━' | '╌')
}

/// Draws a sign into its cell; whether it is one that is drawn.
fn draw_sign(path: &mut String, symbol: char, (x, y): (f64, f64)) -> bool {
    let mut rect = |x: f64, y: f64, wide: f64, high: f64| {
        let _ = write!(path, "M{x:.1} {y:.1}h{wide:.1}v{high:.1}h-{wide:.1}z");
    };
    let middle = y + CELL_HEIGHT / 2.0;
    match symbol {
        '▁'..='█' => {
            let high = CELL_HEIGHT * f64::from(u32::from(symbol) - u32::from('▁') + 1) / 8.0;
            rect(x, y + CELL_HEIGHT - high, CELL_WIDTH, high);
        }
        '▌' => rect(x, y, CELL_WIDTH / 2.0, CELL_HEIGHT),
        '─' => rect(x, middle, CELL_WIDTH, 1.0),
        '━' => rect(x, middle - 1.5, CELL_WIDTH, 3.0),
        '╌' => {
            rect(x + 0.8, middle, 2.6, 1.0);
            rect(x + 5.0, middle, 2.6, 1.0);
        }
        '\u{2801}'..='\u{28ff}' => {
            // The dots of each column, from above to below.
            const DOTS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
            let dots = u32::from(symbol) - 0x2800;
            let (wide, high) = (CELL_WIDTH / 2.0, CELL_HEIGHT / 4.0);
            for (left, column) in [x, x + wide].into_iter().zip(DOTS) {
                // Those that touch are one.
                let mut row = 0;
                while row < 4 {
                    let count = column[row..]
                        .iter()
                        .take_while(|dot| dots & **dot != 0)
                        .count();
                    if count > 0 {
                        let above = (row as f64).mul_add(high, y);
                        rect(left + 0.3, above, wide - 0.6, high * count as f64);
                    }
                    row += count.max(1);
                }
            }
        }
        _ => return false,
    }
    true
}

/// Pictures are drawn in 24 bits.
fn hex(color: Color) -> Option<String> {
    match color {
        Color::Rgb(red, green, blue) => Some(format!("#{red:02x}{green:02x}{blue:02x}")),
        _ => None,
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Letters as they stand: blanks side by side would be one blank to what draws the picture.
fn unbroken(text: &str) -> String {
    escaped(text).replace(' ', "\u{a0}")
}
