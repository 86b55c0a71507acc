//! Formats numbers as kubectl does.

use kubevitals_proto::quantity::Quantity;

use crate::batch::tabwriter::TabWriter;
use crate::source::Usage;

/// The text for an unknown number.
pub(super) const UNKNOWN: &str = "<unknown>";

const MEBIBYTE: i64 = 1 << 20;

/// CPU: millicores, rounded up.
pub(super) fn cpu(table: &mut TabWriter, quantity: Quantity) {
    table.number(quantity.milli_value(), "m");
}

/// Memory or swap: mebibytes, rounded down.
pub(super) fn bytes(table: &mut TabWriter, quantity: Quantity) {
    table.number(quantity.value() / MEBIBYTE, "Mi");
}

/// The usage of one row, without percentages.
pub(super) fn usage(table: &mut TabWriter, usage: Usage, show_swap: bool) {
    cpu(table, usage.cpu);
    bytes(table, usage.memory);
    if show_swap {
        bytes(table, usage.swap);
    }
}

/// The used part of the available amount in percent, rounded down; empty if the amount is unknown, 0 if it is zero.
pub(super) fn percent(table: &mut TabWriter, used: Quantity, available: Option<Quantity>) {
    let Some(available) = available else { return };
    let share = if available.is_zero() {
        0.0
    } else {
        used.milli_value() as f64 / available.milli_value() as f64 * 100.0
    };
    table.number(share as i64, "%");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(write: impl Fn(&mut TabWriter)) -> String {
        let mut table = TabWriter::default();
        write(&mut table);
        table.end_line();
        let mut out = Vec::new();
        table.write_to(&mut out).unwrap();
        String::from_utf8(out).unwrap().trim_end().to_owned()
    }

    fn quantity(text: &str) -> Quantity {
        text.parse().unwrap()
    }

    #[test]
    fn millicores_are_rounded_up() {
        for (text, expected) in [
            ("0", "0m"),
            ("1n", "1m"),
            ("2001u", "3m"),
            ("2m", "2m"),
            ("999999999n", "1000m"),
            ("1385106551n", "1386m"),
            ("1.5", "1500m"),
            ("-1500u", "-2m"),
        ] {
            assert_eq!(
                printed(|table| cpu(table, quantity(text))),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn mebibytes_are_rounded_down() {
        for (text, expected) in [
            ("0", "0Mi"),
            ("1048575", "0Mi"),
            ("1Mi", "1Mi"),
            ("18316Ki", "17Mi"),
            ("4097476Ki", "4001Mi"),
            ("1G", "953Mi"),
            ("-1", "0Mi"),
            // Fractions of bytes are rounded up first.
            ("1048575500m", "1Mi"),
        ] {
            assert_eq!(
                printed(|table| bytes(table, quantity(text))),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn percentages_are_rounded_down() {
        for (used, available, expected) in [
            ("514m", Some("2"), "25%"),
            ("1999m", Some("2"), "99%"),
            ("1n", Some("1"), "0%"),
            ("3", Some("2"), "150%"),
            ("0", Some("2"), "0%"),
            ("1", Some("0"), "0%"),
            ("1", None, ""),
            ("2328Mi", Some("24Gi"), "9%"),
        ] {
            let of = available.map(quantity);
            assert_eq!(
                printed(|table| percent(table, quantity(used), of)),
                expected
            );
        }
    }
}
