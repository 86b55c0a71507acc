//! The scale of a chart: where it begins and ends, and round labels in one unit.
//!
//! One rule decides what a scale includes ([`Scale::fit`]):
//!
//! - It begins at zero, unless the data stay within a quarter of their highest value and vary by more than a hundredth
//!   of it. Then it begins just below the data, if that is in the upper half: from zero the chart would be a block.
//! - Such a window is at least a tenth of the highest value, so that noise stays small.
//! - A line (a limit, a request) is included as long as the data, or that window, keep a quarter of the height.

use std::iter;

use kubevitals_proto::units::Nanocores;

use super::sparkline::height;
use crate::model::{Resource, format};

/// The upper ends of scales in millicores or cores, times a power of ten. Half of each is a whole number.
const DECIMAL: [u64; 10] = [10, 12, 16, 20, 24, 30, 40, 50, 60, 80];

/// The upper ends of scales in a unit of memory. No label reaches 1024 of its unit.
const BINARY: [u64; 27] = [
    1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256, 320, 384,
    512, 640, 768,
];

/// The least number of rows with labels between the lowest and the highest.
const LEAST_ROWS: u16 = 5;

const MILLI: u64 = 1_000_000;

/// One, as a plain number.
pub const NUMBER: u64 = 1_000_000;

/// One percent of a share.
pub const PERCENT: u64 = 1_000_000;

/// The data of a broken scale vary by less than one part in this many of their highest value.
const LARGE_VARIATION: u64 = 4;

/// The data of a broken scale vary by at least one part in this many of their highest value.
const SMALL_VARIATION: u64 = 100;

/// A broken scale covers at least one part in this many of the highest value.
const WINDOW: u64 = 10;

/// Lines leave the data at least one part in this many of the height.
const LEAST_PART: u64 = 4;

/// The most intervals between the labels of a broken scale.
const INTERVALS: u64 = 4;

/// What a chart measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// CPU in nanocores.
    Cpu,
    /// Memory in bytes.
    Memory,
    /// A part of a limit or of a capacity, in millionths of a percent ([`PERCENT`]).
    Share,
    /// A plain number, in millionths ([`NUMBER`]).
    Number,
}

impl From<Resource> for Measure {
    fn from(resource: Resource) -> Self {
        match resource {
            Resource::Cpu => Self::Cpu,
            Resource::Memory => Self::Memory,
        }
    }
}

/// A scale between two round numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    base: u64,
    top: u64,
    /// The distance of the labels, if the scale is broken; else zero.
    step: u64,
    unit: u64,
    suffix: &'static str,
}

/// A label beside a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tick {
    /// The value, in nanocores, bytes or millionths of a percent.
    pub value: u64,
    /// The row that reaches up to the value, counted from 1 at the bottom.
    pub row: u16,
    /// The value in the scale's unit.
    pub label: String,
}

impl Scale {
    /// Returns the smallest scale from zero that includes an amount.
    #[must_use]
    pub fn of(measure: impl Into<Measure>, most: u64) -> Self {
        match measure.into() {
            Measure::Cpu => Self::decimal(most, MILLI, cpu_unit),
            Measure::Share => Self::decimal(most, PERCENT, |_| (PERCENT, "%")),
            Measure::Memory => Self::of_memory(most),
            Measure::Number => Self::decimal(most, NUMBER / 1_000, number_unit),
        }
    }

    /// Returns the scale for data and lines; see the rule of this module. `may_break` is false if the scale has to begin
    /// at zero.
    #[must_use]
    pub fn fit(
        measure: impl Into<Measure>,
        data: impl Iterator<Item = u64> + Clone,
        lines: &[u64],
        may_break: bool,
    ) -> Self {
        let measure = measure.into();
        let highest_line = lines.iter().copied().max().unwrap_or(0);
        let (Some(low), Some(high)) = (data.clone().min(), data.max()) else {
            return Self::of(measure, highest_line);
        };
        let broken = may_break
            .then(|| Self::broken(measure, (low, high), lines))
            .flatten();
        let scale = broken.unwrap_or_else(|| {
            let farthest = match high {
                0 => u64::MAX,
                high => high.saturating_mul(LEAST_PART),
            };
            let lines = lines.iter().copied().filter(|line| *line <= farthest);
            Self::of(measure, lines.chain([high]).max().unwrap_or(high))
        });
        scale.beside(measure, high.max(highest_line))
    }

    /// Returns the scale that begins just below the data. `None` if it has to begin at zero.
    fn broken(measure: Measure, (low, high): (u64, u64), lines: &[u64]) -> Option<Self> {
        let spread = high - low;
        if spread < (high / SMALL_VARIATION).max(1) || spread >= high / LARGE_VARIATION {
            return None;
        }
        let margin = ((high / WINDOW).saturating_sub(spread) / 2).max(spread / 8);
        let (mut from, mut to) = (low.saturating_sub(margin), high.saturating_add(margin));
        let farthest = (to - from).saturating_mul(LEAST_PART);
        let mut nearest: Vec<u64> = lines.to_vec();
        nearest.sort_by_key(|line| line.abs_diff(low.midpoint(high)));
        for line in nearest {
            let (lower, upper) = (from.min(line), to.max(line));
            if upper - lower <= farthest {
                (from, to) = (lower, upper);
            }
        }
        let ends = |step: u64| Some((from / step * step, to.div_ceil(step).checked_mul(step)?));
        let mut step = round_step(measure, (to - from).div_ceil(INTERVALS));
        let (mut base, mut top) = ends(step)?;
        if top - base > step.saturating_mul(INTERVALS) {
            step = round_step(measure, step + 1);
            (base, top) = ends(step)?;
        }
        // A scale from zero would be at most twice as high.
        if base < top / 2 {
            return None;
        }
        let (unit, suffix) = match measure {
            Measure::Cpu => cpu_unit(top),
            Measure::Share => (PERCENT, "%"),
            Measure::Number => number_unit(top),
            // Labels are at most quarters of the unit.
            Measure::Memory => format::UNITS
                .into_iter()
                .find(|(unit, _)| *unit <= step.saturating_mul(4))
                .unwrap_or((1, "")),
        };
        Some(Self {
            base,
            top,
            step,
            unit,
            suffix,
        })
    }

    /// Returns the scale in the unit of a larger amount that is written beside it.
    fn beside(self, measure: Measure, largest: u64) -> Self {
        let (unit, suffix) = match measure {
            Measure::Cpu => cpu_unit(largest),
            Measure::Memory | Measure::Share | Measure::Number => return self,
        };
        // Labels have at most two digits behind the point.
        let finest = if self.step > 0 { self.step } else { self.top };
        if finest.saturating_mul(10) < unit {
            return self;
        }
        Self {
            unit,
            suffix,
            ..self
        }
    }

    fn decimal(most: u64, smallest: u64, unit: impl Fn(u64) -> (u64, &'static str)) -> Self {
        let powers = iter::successors(Some(smallest / 10), |power| power.checked_mul(10));
        let top = powers
            .flat_map(|power| DECIMAL.iter().map(move |end| end.saturating_mul(power)))
            // Half of it is a whole number.
            .find(|end| end.is_multiple_of(2 * smallest) && *end >= most)
            .unwrap_or(most);
        let (unit, suffix) = unit(top);
        Self {
            base: 0,
            top,
            step: 0,
            unit,
            suffix,
        }
    }

    fn of_memory(most: u64) -> Self {
        let mut scale = Self {
            base: 0,
            top: most,
            step: 0,
            unit: 1,
            suffix: "",
        };
        // The smallest unit with an end that is large enough, or else the largest unit.
        for (unit, suffix) in iter::once((1, "")).chain(format::UNITS.into_iter().rev()) {
            (scale.unit, scale.suffix) = (unit, suffix);
            let mut bounds = BINARY.iter().map(|end| end.saturating_mul(unit));
            if let Some(top) = bounds.find(|end| *end >= most) {
                scale.top = top;
                break;
            }
        }
        scale
    }

    /// Returns the amount at the upper edge. It is never zero.
    #[must_use]
    pub const fn top(self) -> u64 {
        self.top
    }

    /// Returns the amount at the lower edge.
    #[must_use]
    pub const fn base(self) -> u64 {
        self.base
    }

    /// Returns whether the scale does not begin at zero.
    #[must_use]
    pub const fn is_broken(self) -> bool {
        self.base > 0
    }

    /// Returns whether an amount is within the scale.
    #[must_use]
    pub const fn contains(self, value: u64) -> bool {
        self.base <= value && value <= self.top
    }

    /// Returns the number of `rows` that reach up to a value, rounded. Only the lower edge and what is below it is 0.
    #[must_use]
    pub fn height(self, value: u64, rows: usize) -> usize {
        let above = value.saturating_sub(self.base);
        height(above, self.top.saturating_sub(self.base), rows)
    }

    /// Returns the labels for a chart with this number of rows, the lowest first, at most one in a row.
    #[must_use]
    pub fn ticks(self, rows: u16) -> Vec<Tick> {
        let parts = match rows {
            0 => return Vec::new(),
            1 => return vec![self.tick(self.top, rows)],
            _ if self.is_broken() => self.broken_parts(rows),
            _ => self.parts(rows),
        };
        let part = (self.top - self.base) / parts;
        (0..=parts)
            .map(|at| self.tick(self.base + part * at, rows))
            .collect()
    }

    /// The number of intervals between the labels of a broken scale: steps, as far as there is space.
    fn broken_parts(self, rows: u16) -> u64 {
        let steps = ((self.top - self.base) / self.step.max(1)).max(1);
        let most = u64::from(rows / 2).max(1);
        let fits = |parts: &u64| steps.is_multiple_of(*parts) && *parts <= most;
        (1..=steps.min(most)).rev().find(fits).unwrap_or(1)
    }

    /// The number of intervals between the labels of a scale from zero.
    fn parts(self, rows: u16) -> u64 {
        let parts: &[u64] = match rows {
            0..LEAST_ROWS => &[],
            LEAST_ROWS..9 => &[2, 3],
            _ => &[4, 3, 5, 2],
        };
        // Whole numbers with the fewest digits are the roundest.
        let whole = |unit: u64| {
            let whole = |parts: &u64| self.top.is_multiple_of(parts * unit);
            let whole = parts.iter().copied().filter(whole);
            whole.min_by_key(|parts| digits(self.top / parts / unit))
        };
        // If no division gives whole numbers, halves are accepted.
        let parts = whole(self.unit).or_else(|| whole((self.unit / 2).max(1)));
        parts.unwrap_or(1)
    }

    fn tick(self, value: u64, rows: u16) -> Tick {
        let row = self.height(value, usize::from(rows)).max(1);
        Tick {
            value,
            row: u16::try_from(row).unwrap_or(rows),
            label: self.label(value),
        }
    }

    fn label(self, value: u64) -> String {
        let (whole, rest) = (value / self.unit, value % self.unit);
        let hundredths = u128::from(rest) * 100 / u128::from(self.unit);
        match (whole, hundredths) {
            (0, 0) => "0".to_owned(),
            (_, 0) => format!("{whole}{}", self.suffix),
            (_, _) if hundredths.is_multiple_of(10) => {
                format!("{whole}.{}{}", hundredths / 10, self.suffix)
            }
            _ => format!("{whole}.{hundredths:02}{}", self.suffix),
        }
    }

    /// Returns the width of the widest label for a chart with this number of rows.
    #[must_use]
    pub fn width(self, rows: u16) -> u16 {
        let widths = self.ticks(rows).into_iter().map(|tick| tick.label.len());
        u16::try_from(widths.max().unwrap_or(0)).unwrap_or(u16::MAX)
    }
}

/// The unit of CPU up to an amount.
fn cpu_unit(largest: u64) -> (u64, &'static str) {
    if format::in_cores(Nanocores(largest)) {
        (1_000 * MILLI, "")
    } else {
        (MILLI, "m")
    }
}

/// The unit of plain numbers up to an amount.
const fn number_unit(largest: u64) -> (u64, &'static str) {
    match largest / NUMBER {
        0 if largest < NUMBER / 10 => (NUMBER / 1_000, "m"),
        0..10_000 => (NUMBER, ""),
        10_000..10_000_000 => (NUMBER * 1_000, "k"),
        _ => (NUMBER * 1_000_000, "M"),
    }
}

/// The smallest round distance of labels that is not below `least`.
fn round_step(measure: Measure, least: u64) -> u64 {
    match measure {
        Measure::Memory => least.max(1).checked_next_power_of_two().unwrap_or(least),
        Measure::Cpu | Measure::Share | Measure::Number => {
            let smallest = match measure {
                Measure::Number => NUMBER / 1_000,
                _ => MILLI,
            };
            let powers = iter::successors(Some(smallest), |power| power.checked_mul(10));
            let mut steps = powers.flat_map(|power| [1, 2, 5].map(|part| part * u128::from(power)));
            let step = steps.find(|step| *step >= u128::from(least));
            step.and_then(|step| u64::try_from(step).ok())
                .unwrap_or(least)
                .max(1)
        }
    }
}

/// Returns the number of digits without trailing zeros.
fn digits(mut number: u64) -> u32 {
    while number > 0 && number.is_multiple_of(10) {
        number /= 10;
    }
    number.checked_ilog10().map_or(0, |digits| digits + 1)
}

/// Returns the amount that fills a sparkline: `full` (a limit, a request, a node's capacity), or the largest point if
/// that is larger. Without `full`, the largest point, rounded up.
#[must_use]
pub fn full(resource: Resource, full: Option<u64>, points: &[Option<u64>]) -> u64 {
    let most = points.iter().copied().flatten().max().unwrap_or(0);
    match full.filter(|full| *full > 0) {
        Some(full) => full.max(most),
        None => Scale::of(resource, most).top(),
    }
}

#[cfg(test)]
mod tests;
