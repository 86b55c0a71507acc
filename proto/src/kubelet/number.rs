//! Numbers of the Prometheus text format, bit for bit as [`f64::from_str`](std::str::FromStr)
//! reads them, but from the start of a longer text and faster.

/// The largest integer up to which a double holds every one.
const MAX_EXACT: u64 = 1 << 53;

/// More digits than this may not fit in a `u64`.
const MAX_DIGITS: usize = 19;

/// The largest power of ten that a double holds exactly.
const MAX_POWER: usize = 22;

/// Powers of ten that a double holds exactly.
const POWERS: [f64; MAX_POWER + 1] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// Powers of ten that eight digits can reach.
const SMALL_POWERS: [u64; 9] = [
    1,
    10,
    100,
    1_000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
];

/// Reads the number at the start of `text`: its value, and what follows it.
///
/// `None` if no plain decimal number (digits, a point, an exponent) stands there, followed by a
/// blank, a line's end or nothing; and for the few that are hard to round. Then [`parse_f64`] of the
/// whole word decides.
#[inline]
#[must_use]
pub fn leading_f64(text: &[u8]) -> Option<(f64, &[u8])> {
    let (mut count, mut mantissa, mut rest) = digits(text, 0);
    let mut power = 0_i32;
    if let Some((b'.', after)) = rest.split_first() {
        let (places, with_places, after) = digits(after, mantissa);
        (count, mantissa, rest) = (count + places, with_places, after);
        power = -(places as i32);
    }
    if count == 0 || count > MAX_DIGITS {
        return None;
    }
    if let Some((b'e' | b'E', after)) = rest.split_first() {
        let (negative, after) = sign(after);
        let (places, exponent, after) = digits(after, 0);
        if places == 0 || places > 4 {
            return None;
        }
        power += if negative {
            -(exponent as i32)
        } else {
            exponent as i32
        };
        rest = after;
    }
    if !matches!(rest.first(), None | Some(b' ' | b'\t' | b'\n' | b'\r')) {
        return None;
    }
    Some((scale(mantissa, power)?, rest))
}

/// `mantissa × 10^power`, rounded to nearest, ties to even; `None` if that is not easily told.
#[inline]
fn scale(mantissa: u64, power: i32) -> Option<f64> {
    let factor = *POWERS.get(power.unsigned_abs() as usize)?;
    if mantissa <= MAX_EXACT {
        // Clinger's fast path: both operands are exact, so one operation rounds correctly.
        let value = mantissa as f64;
        return Some(if power < 0 {
            value / factor
        } else {
            value * factor
        });
    }
    if power < 0 {
        divide(mantissa, power.unsigned_abs() as usize)
    } else {
        None
    }
}

/// `2^shift / 5^q`, rounded down, with `shift` such that the top bit of 64 is set.
#[derive(Clone, Copy)]
struct Reciprocal {
    bits: u64,
    shift: u32,
}

/// For `q` from 0 to [`MAX_POWER`].
const RECIPROCALS: [Reciprocal; MAX_POWER + 1] = {
    let mut table = [Reciprocal {
        bits: 1 << 63,
        shift: 63,
    }; MAX_POWER + 1];
    let mut five: u128 = 5;
    let mut q = 1;
    while q <= MAX_POWER {
        let quotient = (1_u128 << 127) / five;
        let drop = 64 - quotient.leading_zeros();
        #[allow(clippy::indexing_slicing)] // const evaluation: out of bounds would not compile
        {
            table[q] = Reciprocal {
                bits: (quotient >> drop) as u64,
                shift: 127 - drop,
            };
        }
        five *= 5;
        q += 1;
    }
    table
};

/// `mantissa / 10^q` for a mantissa over 2⁵³, by its reciprocal; the idea of Eisel and Lemire.
///
/// The reciprocal is rounded down by less than one in its last place, so the true product lies less
/// than 2⁶⁴ above the computed one: its upper half is right or one too small. That can change the
/// rounding only if the bits to be rounded away are all ones, or are half, or just under half; then
/// the answer is `None`.
fn divide(mantissa: u64, q: usize) -> Option<f64> {
    let reciprocal = RECIPROCALS.get(q)?;
    let zeros = mantissa.leading_zeros();
    let product = u128::from(mantissa << zeros) * u128::from(reciprocal.bits);
    let upper = (product >> 64) as u64;
    // Of the upper half, whose top bit is 63 or 62, 53 bits remain.
    let excess = 11 - upper.leading_zeros();
    let (kept, dropped) = (upper >> excess, upper & ((1 << excess) - 1));
    let half = 1 << (excess - 1);
    if dropped == half || dropped == half - 1 || dropped == half * 2 - 1 {
        return None;
    }
    let rounded = kept + u64::from(dropped > half);
    let exponent = 64 + excess as i32 - reciprocal.shift as i32 - zeros as i32 - q as i32;
    Some(rounded as f64 * f64::from_bits(((1023 + exponent) as u64) << 52))
}

/// How many digits `text` starts with, the number they make when appended to `number` (wrapping),
/// and what follows.
#[inline]
fn digits(text: &[u8], mut number: u64) -> (usize, u64, &[u8]) {
    let mut rest = text;
    while let Some((chunk, after)) = rest.split_first_chunk::<8>() {
        let values = u64::from_le_bytes(*chunk) ^ 0x3030_3030_3030_3030;
        // A digit's value is at most 9: adding 0x76 does not reach the top bit, nor is it set.
        let others = (values.wrapping_add(0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080;
        let count = (others.trailing_zeros() / 8) as usize;
        if count < 8 {
            if count > 0 {
                number = append(number, eight(values << (64 - 8 * count)), count);
            }
            let rest = rest.get(count..).unwrap_or_default();
            return (text.len() - rest.len(), number, rest);
        }
        number = append(number, eight(values), 8);
        rest = after;
    }
    while let Some((digit @ b'0'..=b'9', after)) = rest.split_first() {
        number = number
            .wrapping_mul(10)
            .wrapping_add(u64::from(digit - b'0'));
        rest = after;
    }
    (text.len() - rest.len(), number, rest)
}

#[inline]
fn append(number: u64, digits: u64, count: usize) -> u64 {
    let power = SMALL_POWERS.get(count).copied().unwrap_or(1);
    number.wrapping_mul(power).wrapping_add(digits)
}

/// The number whose eight digits are the bytes of `values`, the first one lowest: pairs, then
/// fours, then all eight are joined side by side.
#[inline]
const fn eight(values: u64) -> u64 {
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    (fours.wrapping_mul(10_000).wrapping_add(fours >> 32)) & 0xffff_ffff
}

#[inline]
fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    }
}

/// A whole word as a number: decimal, `+Inf`, `-Inf` or `NaN` in any case.
#[must_use]
pub fn parse_f64(word: &[u8]) -> Option<f64> {
    match leading_f64(word) {
        Some((value, [])) => Some(value),
        _ => std::str::from_utf8(word).ok()?.parse().ok(),
    }
}

/// Reads the decimal integer at the start of `text`: its value, and what follows it. `None` if
/// there is none, or if it has more than 18 digits.
#[inline]
#[must_use]
pub fn leading_i64(text: &[u8]) -> Option<(i64, &[u8])> {
    let (negative, text) = sign(text);
    let (count, number, rest) = digits(text, 0);
    if count == 0 || count > 18 {
        return None;
    }
    let number = number as i64;
    Some((if negative { -number } else { number }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn agrees(word: &str) {
        let std: Option<f64> = word.parse().ok();
        assert_eq!(
            parse_f64(word.as_bytes()).map(f64::to_bits),
            std.map(f64::to_bits),
            "{word}"
        );
        if let Some((fast, _)) = leading_f64(word.as_bytes()) {
            assert_eq!(Some(fast.to_bits()), std.map(f64::to_bits), "{word}");
        }
    }

    #[test]
    fn numbers_of_kubelets_are_read_without_fallback() {
        for word in [
            "0",
            "8.12701487",
            "1617.892872369",
            "1.7952378833844442e+09",
            "4.126081024e+09",
            "10012288.0",
            "5e-07",
        ] {
            agrees(word);
            assert!(leading_f64(word.as_bytes()).is_some(), "{word}");
        }
    }

    #[test]
    fn words_that_are_numbers_and_words_that_are_not() {
        for word in [
            "",
            ".",
            "-",
            "+",
            "e5",
            "1e",
            "1e+",
            "1.",
            ".5",
            "-.5",
            "+5",
            "00012",
            "1_000",
            "0x10",
            "1p3",
            "+Inf",
            "-Inf",
            "Inf",
            "inf",
            "infinity",
            "NaN",
            "nan",
            "1e400",
            "1e-400",
            "1e99999",
            "123456789012345678901234567890",
            "0.000000000000000000000000000001",
            "9007199254740993",
            "9007199254740993.0",
            "18446744073709551615",
            "18446744073709551616",
            "1..2",
            "1.2.3",
            "٣",
        ] {
            agrees(word);
        }
    }

    #[test]
    fn a_number_ends_where_a_blank_or_the_line_does() {
        assert_eq!(leading_f64(b"1.5 17"), Some((1.5, b" 17".as_slice())));
        assert_eq!(
            leading_f64(b"12345678\n"),
            Some((12_345_678.0, b"\n".as_slice()))
        );
        assert_eq!(leading_f64(b"1.5x"), None);
        assert_eq!(
            leading_i64(b"1795237982658\nmore"),
            Some((1_795_237_982_658, b"\nmore".as_slice()))
        );
        assert_eq!(leading_i64(b"-5"), Some((-5, b"".as_slice())));
        assert_eq!(leading_i64(b"9999999999999999999"), None);
        assert_eq!(leading_i64(b"x"), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn any_double_is_read_back(bits: u64) {
            let value = f64::from_bits(bits);
            agrees(&format!("{value}"));
            agrees(&format!("{value:e}"));
        }

        #[test]
        fn any_decimal_is_read_as_std_reads_it(mantissa: u64, shift in 0_u32..64, power in -30_i32..30) {
            agrees(&format!("{}e{power}", mantissa >> shift));
        }

        #[test]
        fn halves_are_rounded_to_even(mantissa in (1_u64 << 53)..(1 << 54), places in 0_usize..4) {
            // An odd number of this size lies exactly between two doubles.
            let digits = (mantissa | 1).to_string();
            agrees(&format!("{digits}.{}", "0".repeat(places)));
            agrees(&format!("{digits}e-{places}"));
        }

        #[test]
        fn any_text_is_read_as_std_reads_it(word in "[-+0-9.eE]{0,24}") {
            agrees(&word);
        }

        #[test]
        fn digits_are_counted(text in "[0-9]{0,20}[^0-9]?.{0,9}") {
            let expected = text.bytes().take_while(u8::is_ascii_digit).count();
            let (count, number, rest) = digits(text.as_bytes(), 0);
            prop_assert_eq!(count, expected);
            prop_assert_eq!(rest, &text.as_bytes()[count..]);
            if (1..20).contains(&count) {
                prop_assert_eq!(number, text[..count].parse::<u64>().unwrap());
            }
        }
    }
}
