//! Numbers as a kubelet prints them: Go's `strconv.AppendFloat(v, 'g', -1, 64)`, without allocating.

use std::io::Write;

/// Appends a whole number.
pub(crate) fn integer(out: &mut Vec<u8>, value: u64) {
    let mut buffer = [0_u8; 20];
    let mut rest = value;
    let mut used = 0;
    for slot in buffer.iter_mut().rev() {
        *slot = b'0' + (rest % 10) as u8;
        rest /= 10;
        used += 1;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(buffer.get(buffer.len() - used..).unwrap_or_default());
}

/// Appends a whole number, with a sign if it is negative.
pub(crate) fn signed(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    integer(out, value.unsigned_abs());
}

/// Appends nanoseconds as seconds, as Go prints `float64(ns) / 1e9`.
pub(crate) fn seconds(out: &mut Vec<u8>, nanos: u64) {
    // Up to 15 digits a decimal survives the way through an f64, so its shortest form is the decimal itself; an
    // exponent appears below 0.0001 and from a million on.
    const EXACT: u64 = 1_000_000_000_000_000;
    if (100_000..EXACT).contains(&nanos) {
        integer(out, nanos / 1_000_000_000);
        let mut fraction = nanos % 1_000_000_000;
        if fraction > 0 {
            let mut digits = [b'0'; 10];
            for slot in digits.iter_mut().skip(1).rev() {
                *slot = b'0' + (fraction % 10) as u8;
                fraction /= 10;
            }
            if let Some(point) = digits.first_mut() {
                *point = b'.';
            }
            out.extend_from_slice(digits.trim_ascii_end_zeros());
        }
    } else {
        float(out, nanos as f64 / 1e9);
    }
}

/// Appends a whole number of bytes, as Go prints it as a float: from a million on with an exponent.
pub(crate) fn bytes(out: &mut Vec<u8>, value: u64) {
    if value < 1_000_000 {
        integer(out, value);
        return;
    }
    if value > 1 << 53 {
        float(out, value as f64);
        return;
    }
    let from = out.len();
    integer(out, value);
    let exponent = out.len() - from - 1;
    let kept = out
        .get(from..)
        .unwrap_or_default()
        .trim_ascii_end_zeros()
        .len();
    out.truncate(from + kept);
    if kept > 1 {
        out.insert(from + 1, b'.');
    }
    out.extend_from_slice(b"e+");
    if exponent < 10 {
        out.push(b'0');
    }
    integer(out, exponent as u64);
}

/// Appends any number in the shortest form that reads back as the same.
pub(crate) fn float(out: &mut Vec<u8>, value: f64) {
    if value.is_nan() {
        out.extend_from_slice(b"NaN");
        return;
    }
    if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"+Inf" } else { b"-Inf" });
        return;
    }
    let plain = value == 0.0 || (1e-4..1e6).contains(&value.abs());
    // A Vec takes every byte, so writing cannot fail.
    if plain {
        let _ = write!(out, "{value}");
        return;
    }
    let from = out.len();
    let _ = write!(out, "{value:e}");
    let at = out.iter().rposition(|b| *b == b'e').unwrap_or(from);
    let exponent = out.split_off(at + 1);
    let (sign, digits) = match exponent.split_first() {
        Some((b'-', digits)) => (b'-', digits),
        _ => (b'+', exponent.as_slice()),
    };
    out.push(sign);
    if digits.len() < 2 {
        out.push(b'0');
    }
    out.extend_from_slice(digits);
}

trait TrimZeros {
    /// Without the zeros at the end.
    fn trim_ascii_end_zeros(&self) -> &[u8];
}

impl TrimZeros for [u8] {
    fn trim_ascii_end_zeros(&self) -> &[u8] {
        let kept = self.iter().rposition(|b| *b != b'0').map_or(0, |at| at + 1);
        self.get(..kept).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_read_as_in_the_capture() {
        for (nanos, want) in [
            (20_480_829, "0.020480829"),
            (8_127_014_870, "8.12701487"),
            (1_617_892_872_369, "1617.892872369"),
            (0, "0"),
            (5_000_000_000, "5"),
            (12_345, "1.2345e-05"),
            (1_234_567_890_123_456, "1.234567890123456e+06"),
            (100_000, "0.0001"),
        ] {
            assert_eq!(text(|out| seconds(out, nanos)), want);
        }
        for (value, want) in [
            (0, "0"),
            (225_280, "225280"),
            (999_424, "999424"),
            (4_126_081_024, "4.126081024e+09"),
            (33_554_432, "3.3554432e+07"),
            (1_000_000, "1e+06"),
        ] {
            assert_eq!(text(|out| bytes(out, value)), want);
        }
        for (value, want) in [
            (1.795_237_883_384_444_2e9, "1.7952378833844442e+09"),
            (1.795_237_889_893_63e9, "1.79523788989363e+09"),
            (0.036_462_377_000_000_004, "0.036462377000000004"),
            (f64::INFINITY, "+Inf"),
            (1e-7, "1e-07"),
            (1e100, "1e+100"),
        ] {
            assert_eq!(text(|out| float(out, value)), want);
        }
    }

    proptest! {
        #[test]
        fn the_fast_forms_equal_the_general_one(nanos in 0_u64..1 << 53, small in 0_u64..2_000_000) {
            for n in [nanos, nanos >> 20, small] {
                prop_assert_eq!(text(|out| seconds(out, n)), text(|out| float(out, n as f64 / 1e9)));
                prop_assert_eq!(text(|out| bytes(out, n)), text(|out| float(out, n as f64)));
            }
        }

        #[test]
        fn integers_are_integers(value: u64, negative in i64::MIN..0) {
            prop_assert_eq!(text(|out| integer(out, value)), value.to_string());
            prop_assert_eq!(text(|out| signed(out, negative)), negative.to_string());
        }
    }
}
