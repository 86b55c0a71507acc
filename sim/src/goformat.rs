//! Numbers as a kubelet prints them: Go's `strconv.AppendFloat(v, 'g', -1, 64)`, without allocating.

use std::io::Write;

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
    if plain {
        // A Vec takes every byte, so writing cannot fail.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_in_the_capture() {
        for (value, expected) in [
            (20_480_829.0 / 1e9, "0.020480829"),
            (8_127_014_870.0 / 1e9, "8.12701487"),
            (1_617_892_872_369.0 / 1e9, "1617.892872369"),
            (0.0, "0"),
            (5.0, "5"),
            (12_345.0 / 1e9, "1.2345e-05"),
            (1_234_567_890_123_456.0 / 1e9, "1.234567890123456e+06"),
            (100_000.0 / 1e9, "0.0001"),
            (225_280.0, "225280"),
            (999_424.0, "999424"),
            (4_126_081_024.0, "4.126081024e+09"),
            (33_554_432.0, "3.3554432e+07"),
            (1_000_000.0, "1e+06"),
            (1.795_237_883_384_444_2e9, "1.7952378833844442e+09"),
            (1.795_237_889_893_63e9, "1.79523788989363e+09"),
            (0.036_462_377_000_000_004, "0.036462377000000004"),
            (f64::INFINITY, "+Inf"),
            (1e-7, "1e-07"),
            (1e100, "1e+100"),
        ] {
            let mut out = Vec::new();
            float(&mut out, value);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
