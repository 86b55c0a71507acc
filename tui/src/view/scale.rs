//! The scale of a chart: a round upper end, and round labels in one unit.

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

/// A scale from zero to a round number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    top: u64,
    unit: u64,
    suffix: &'static str,
}

/// A label beside a chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tick {
    /// The value, in nanocores or bytes.
    pub value: u64,
    /// The row that reaches up to the value, counted from 1 at the bottom.
    pub row: u16,
    /// The value in the scale's unit.
    pub label: String,
}

impl Scale {
    /// Returns the smallest scale that includes an amount in nanocores or bytes.
    #[must_use]
    pub fn of(resource: Resource, most: u64) -> Self {
        match resource {
            Resource::Cpu => Self::of_cpu(most),
            Resource::Memory => Self::of_memory(most),
        }
    }

    fn of_cpu(most: u64) -> Self {
        const MILLI: u64 = 1_000_000;
        let powers = iter::successors(Some(MILLI / 10), |power| power.checked_mul(10));
        let top = powers
            .flat_map(|power| DECIMAL.iter().map(move |end| end.saturating_mul(power)))
            // Half of it is a whole number of millicores.
            .find(|end| end.is_multiple_of(2 * MILLI) && *end >= most)
            .unwrap_or(most);
        let (unit, suffix) = if format::in_cores(Nanocores(top)) {
            (1_000 * MILLI, "")
        } else {
            (MILLI, "m")
        };
        Self { top, unit, suffix }
    }

    fn of_memory(most: u64) -> Self {
        let mut scale = Self {
            top: most,
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

    /// Returns the labels for a chart with this number of rows, the lowest first, at most one in a row.
    #[must_use]
    pub fn ticks(self, rows: u16) -> Vec<Tick> {
        let parts: &[u64] = match rows {
            0 => return Vec::new(),
            1 => return vec![self.tick(self.top, rows)],
            2..LEAST_ROWS => &[],
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
        let parts = parts.unwrap_or(1);
        (0..=parts)
            .map(|part| self.tick(self.top / parts * part, rows))
            .collect()
    }

    fn tick(self, value: u64, rows: u16) -> Tick {
        let row = height(value, self.top, usize::from(rows)).max(1);
        Tick {
            value,
            row: u16::try_from(row).unwrap_or(rows),
            label: self.label(value),
        }
    }

    fn label(self, value: u64) -> String {
        let (whole, rest) = (value / self.unit, value % self.unit);
        match (whole, rest) {
            (0, 0) => "0".to_owned(),
            (_, 0) => format!("{whole}{}", self.suffix),
            _ => format!(
                "{whole}.{}{}",
                u128::from(rest) * 10 / u128::from(self.unit),
                self.suffix
            ),
        }
    }

    /// Returns the width of the widest label for a chart with this number of rows.
    #[must_use]
    pub fn width(self, rows: u16) -> u16 {
        let widths = self.ticks(rows).into_iter().map(|tick| tick.label.len());
        u16::try_from(widths.max().unwrap_or(0)).unwrap_or(u16::MAX)
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MILLI: u64 = 1_000_000;
    const CORE: u64 = 1_000 * MILLI;
    const MI: u64 = 1 << 20;
    const GI: u64 = 1 << 30;

    fn labels(resource: Resource, most: u64, rows: u16) -> Vec<String> {
        let ticks = Scale::of(resource, most).ticks(rows);
        ticks.into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn numbers_beside_a_chart_are_round_and_in_one_unit() {
        use Resource::{Cpu, Memory};
        for (resource, most, rows, expected) in [
            (Cpu, 0, 4, &["0", "2m"][..]),
            (Cpu, 7 * MILLI, 5, &["0", "4m", "8m"]),
            (Cpu, 500 * MILLI, 5, &["0", "250m", "500m"]),
            (Cpu, 1_010 * MILLI, 5, &["0", "600m", "1200m"]),
            // The largest label sets the unit: no `10` above `5000m`.
            (Cpu, 9_999_500_000, 5, &["0", "5", "10"]),
            (Cpu, 10 * CORE, 9, &["0", "2", "4", "6", "8", "10"]),
            (Cpu, 63_300 * MILLI, 9, &["0", "20", "40", "60", "80"]),
            (Memory, 539 * MI, 3, &["0", "640Mi"]),
            (Memory, 64 * MI, 5, &["0", "32Mi", "64Mi"]),
            (Memory, GI, 5, &["0", "0.5Gi", "1Gi"]),
            (Memory, 3 * GI / 2, 7, &["0", "1Gi", "2Gi"]),
            (Memory, 3 * GI, 7, &["0", "1Gi", "2Gi", "3Gi"]),
            (Memory, 5 * GI, 9, &["0", "1Gi", "2Gi", "3Gi", "4Gi", "5Gi"]),
            (
                Memory,
                34 * GI + 8 * GI / 10,
                9,
                &["0", "10Gi", "20Gi", "30Gi", "40Gi"],
            ),
            (Memory, 1_000 * MI, 1, &["1Gi"]),
            (Memory, 0, 1, &["1"]),
        ] {
            assert_eq!(
                labels(resource, most, rows),
                expected,
                "{resource:?} {most} in {rows}"
            );
        }
    }

    #[test]
    fn a_sparkline_is_full_at_its_limit() {
        let points = [Some(110 * MILLI), None, Some(50 * MILLI)];
        for (limit, filled) in [
            (Some(CORE), CORE),
            (Some(100 * MILLI), 110 * MILLI),
            (None, 120 * MILLI),
            (Some(0), 120 * MILLI),
        ] {
            assert_eq!(full(Resource::Cpu, limit, &points), filled, "{limit:?}");
        }
    }

    proptest! {
        #[test]
        fn a_scale_holds_its_amount_and_no_two_numbers_are_alike(
            cpu: bool, small: bool, most: u64, rows in 0_u16..80,
        ) {
            let (resource, least) = if cpu { (Resource::Cpu, 2 * MILLI) } else { (Resource::Memory, 1) };
            let most = if small { most % (1 << 40) } else { most };
            let scale = Scale::of(resource, most);
            prop_assert!(scale.top() >= most.max(least));
            // Rounding leaves at most half of a chart empty.
            prop_assert!(most < least || scale.top() / 2 <= most, "{scale:?}");
            let ticks = scale.ticks(rows);
            prop_assert_eq!(ticks.is_empty(), rows == 0);
            for pair in ticks.windows(2) {
                prop_assert!(pair[0].row < pair[1].row && pair[0].value < pair[1].value, "{ticks:?}");
                prop_assert!(pair[0].label != pair[1].label, "{ticks:?}");
            }
            let units: Vec<&str> = ticks
                .iter()
                .filter(|tick| tick.value > 0)
                .map(|tick| tick.label.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.'))
                .collect();
            prop_assert!(units.windows(2).all(|pair| pair[0] == pair[1]), "{ticks:?}");
            for tick in &ticks {
                prop_assert!(tick.value <= scale.top() && (1..=rows).contains(&tick.row), "{ticks:?}");
                prop_assert!(tick.label.len() <= usize::from(scale.width(rows)));
                // A label is exact.
                let number = tick.label.trim_end_matches(|c: char| c.is_ascii_alphabetic());
                let tenths = match number.split_once('.') {
                    Some((whole, tenth)) => whole.parse::<u128>().unwrap() * 10 + tenth.parse::<u128>().unwrap(),
                    None => number.parse::<u128>().unwrap() * 10,
                };
                if most <= 768 << 50 {
                    prop_assert_eq!(tenths * u128::from(scale.unit), u128::from(tick.value) * 10, "{:?}", ticks);
                }
            }
        }
    }
}
