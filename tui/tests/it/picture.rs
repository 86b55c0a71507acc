//! A screen as text, and as a picture.

use std::fmt::Write;

use kubevitals::input::KeyMap;
use kubevitals::model::{Action, Size, State, act, refresh};
use kubevitals::view;
use kubevitals::view::theme::Theme;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

/// Draws a state in a terminal of so many columns and rows.
pub(crate) fn draw(state: &State, theme: &Theme, columns: u16, rows: u16) -> Buffer {
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
    view::draw(&state, theme, &KeyMap::default(), &mut buffer);
    buffer
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
pub(crate) fn text_and_looks(buffer: &Buffer) -> String {
    let mut known: Vec<Style> = Vec::new();
    let mut looks = String::new();
    for row in rows(buffer) {
        let mut line = String::new();
        for (symbol, style) in row {
            if look(&style) == "plain" {
                line.push_str(&" ".repeat(kubevitals::view::text::width(symbol).max(1)));
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
                kubevitals::view::text::width(symbol).max(1),
            ));
        }
        looks.push_str(line.trim_end());
        looks.push('\n');
    }
    let mut legend = String::new();
    for (at, style) in known.iter().enumerate() {
        let _ = writeln!(
            legend,
            "{}: {}",
            char::from(b'a' + u8::try_from(at).unwrap()),
            look(style)
        );
    }
    format!("{}\n{looks}\n{legend}", text(buffer))
}

fn look(style: &Style) -> String {
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
            skip = kubevitals::view::text::width(cell.symbol()).saturating_sub(1);
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
        let mut column = 0;
        let mut cells = row.into_iter().peekable();
        while let Some((symbol, style)) = cells.next() {
            let from = column;
            let mut run = symbol.to_owned();
            column += kubevitals::view::text::width(symbol).max(1);
            while let Some((more, _)) = cells.next_if(|(_, other)| *other == style) {
                run.push_str(more);
                column += kubevitals::view::text::width(more).max(1);
            }
            piece(&mut svg, &run, style, (from, column), top);
        }
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

fn piece(svg: &mut String, run: &str, style: Style, (from, to): (usize, usize), top: f64) {
    let reversed = style.add_modifier.contains(Modifier::REVERSED);
    let (mut letters, mut ground) = (style.fg.and_then(hex), style.bg.and_then(hex));
    if reversed {
        (letters, ground) = (
            Some(ground.unwrap_or_else(|| GROUND.to_owned())),
            Some(letters.unwrap_or_else(|| TEXT.to_owned())),
        );
    }
    let x = |column: usize| (column as f64).mul_add(CELL_WIDTH, MARGIN);
    if let Some(ground) = ground {
        let (left, wide) = (x(from), x(to) - x(from));
        let _ = writeln!(
            svg,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{CELL_HEIGHT}\" fill=\"{ground}\"/>"
        );
    }
    let shown = run.trim();
    if shown.is_empty() {
        return;
    }
    // Blanks around take no part: the place says where the letters begin.
    let lead = run.chars().take_while(|c| *c == ' ').count();
    let cells = kubevitals::view::text::width(shown);
    let mut looks = String::new();
    if let Some(color) = letters {
        let _ = write!(looks, " fill=\"{color}\"");
    }
    if style.add_modifier.contains(Modifier::BOLD) {
        looks.push_str(" class=\"b\"");
    }
    if style.add_modifier.contains(Modifier::DIM) {
        looks.push_str(" opacity=\"0.6\"");
    }
    let (left, base, long) = (x(from + lead), top + BASELINE, cells as f64 * CELL_WIDTH);
    // The length holds letters in their cells, whatever font the reader has.
    let _ = writeln!(
        svg,
        "<text x=\"{left:.1}\" y=\"{base:.1}\" textLength=\"{long:.1}\" lengthAdjust=\"spacingAndGlyphs\"{looks}>{}</text>",
        unbroken(shown)
    );
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
