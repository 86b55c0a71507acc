//! Draws series into cells by dots: two columns and four rows of a cell in braille, one column and two rows in ASCII.

use std::ops::RangeInclusive;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::view::theme::{Ink, Theme};

/// What a dot belongs to. A cell has the style of the highest of its dots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Layer {
    /// A part of a stack, counted from the bottom.
    Part(u8),
    /// The area below the data.
    Area,
    /// The upper edge of the area.
    Crest,
    /// From the least to the largest sample of a column.
    Band,
    /// A second series.
    Over,
    /// The data as a line.
    Line,
}

/// Dots over an area of cells.
#[derive(Debug)]
pub(super) struct Raster {
    area: Rect,
    braille: bool,
    /// The dots of each cell and the highest layer, row by row from the top.
    cells: Vec<(u8, Option<(Layer, Ink)>)>,
}

/// The dots of the left and the right column of a braille cell, lowest first.
const BRAILLE: [[u8; 4]; 2] = [[0x40, 0x04, 0x02, 0x01], [0x80, 0x20, 0x10, 0x08]];

/// The lower and the upper half of a cell in ASCII.
const LOWER: u8 = 1;
const UPPER: u8 = 2;

/// The signs of the parts of a stack in ASCII.
const PARTS: [&str; 6] = ["#", "=", "+", ":", "o", "."];

impl Raster {
    pub(super) fn new(area: Rect, theme: &Theme) -> Self {
        let count = usize::from(area.width) * usize::from(area.height);
        Self {
            area,
            braille: theme.signs.braille,
            cells: vec![(0, None); count],
        }
    }

    /// Returns the number of columns of dots.
    pub(super) fn columns(&self) -> usize {
        usize::from(self.area.width) * if self.braille { 2 } else { 1 }
    }

    /// Returns the number of rows of dots.
    pub(super) fn rows(&self) -> usize {
        usize::from(self.area.height) * if self.braille { 4 } else { 2 }
    }

    /// Sets a dot. Columns are counted from the left, rows from 0 at the bottom. A dot outside is ignored.
    pub(super) fn set(&mut self, column: usize, row: usize, layer: Layer, ink: Ink) {
        let (x, y, dot) = if self.braille {
            let side = BRAILLE.get(column % 2);
            let dot = side.and_then(|side| side.get(row % 4));
            (column / 2, row / 4, dot.copied().unwrap_or(0))
        } else {
            (
                column,
                row / 2,
                if row.is_multiple_of(2) { LOWER } else { UPPER },
            )
        };
        let (width, height) = (usize::from(self.area.width), usize::from(self.area.height));
        let Some(above) = height.checked_sub(y + 1).filter(|_| x < width) else {
            return;
        };
        if let Some((dots, top)) = self.cells.get_mut(above * width + x) {
            *dots |= dot;
            if top.is_none_or(|(highest, _)| highest <= layer) {
                *top = Some((layer, ink));
            }
        }
    }

    /// Sets the dots of a column in these rows.
    pub(super) fn fill(
        &mut self,
        column: usize,
        rows: RangeInclusive<usize>,
        layer: Layer,
        ink: Ink,
    ) {
        for row in rows {
            self.set(column, row, layer, ink);
        }
    }

    /// Writes the dots into a buffer. Cells without dots stay as they are.
    pub(super) fn draw(&self, buffer: &mut Buffer, theme: &Theme) {
        let places = (self.area.top()..self.area.bottom())
            .flat_map(|y| (self.area.left()..self.area.right()).map(move |x| (x, y)));
        for (place, (dots, top)) in places.zip(&self.cells) {
            let (Some((layer, ink)), Some(cell)) = (top, buffer.cell_mut(place)) else {
                continue;
            };
            let style = style(*layer, *ink, theme);
            if self.braille {
                if let Some(sign) = char::from_u32(0x2800 + u32::from(*dots)) {
                    cell.set_char(sign).set_style(style);
                }
            } else {
                cell.set_symbol(sign(*layer, *dots)).set_style(style);
            }
        }
    }
}

/// Areas and bands are fainter than the data in them.
fn style(layer: Layer, ink: Ink, theme: &Theme) -> Style {
    let style = theme.style(ink);
    match layer {
        Layer::Area | Layer::Band => style.add_modifier(Modifier::DIM),
        Layer::Part(_) | Layer::Crest | Layer::Over | Layer::Line => style,
    }
}

fn sign(layer: Layer, dots: u8) -> &'static str {
    match (layer, dots) {
        (Layer::Part(at), _) => part_sign(at),
        (Layer::Over, _) => "o",
        (Layer::Band, _) => ":",
        (Layer::Crest | Layer::Line, LOWER) => ".",
        (Layer::Line, UPPER) => "'",
        (Layer::Line, _) => "|",
        (Layer::Area | Layer::Crest, _) => "#",
    }
}

/// Returns the sign of a part of a stack in ASCII.
pub(super) fn part_sign(at: u8) -> &'static str {
    PARTS
        .get(usize::from(at) % PARTS.len())
        .copied()
        .unwrap_or("#")
}
