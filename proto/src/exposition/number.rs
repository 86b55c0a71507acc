//! Numbers of the Prometheus text format at the start of a longer text. Fractions are bit for bit those that
//! [`f64::from_str`](std::str::FromStr) reads.

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
/// `None` if no number stands there that a blank, a line's end or nothing follows.
#[inline]
#[must_use]
pub fn leading_f64(text: &[u8]) -> Option<(f64, &[u8])> {
    // Most values of swap and of failed probes are one digit.
    if let [digit @ b'0'..=b'9', rest @ ..] = text
        && matches!(rest.first(), None | Some(b' ' | b'\n'))
    {
        return Some((f64::from(digit - b'0'), rest));
    }
    let (value, length) = fast_float2::parse_partial(text).ok()?;
    let rest = text.get(length..)?;
    matches!(rest.first(), None | Some(b' ' | b'\t' | b'\n' | b'\r')).then_some((value, rest))
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
    fast_float2::parse(word).ok()
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
        let leading = leading_f64(word.as_bytes());
        assert_eq!(
            leading.map(|(value, _)| value.to_bits()),
            std.map(f64::to_bits),
            "{word}"
        );
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
        const WORDS: &str = ". - + e5 1e 1e+ 1. .5 -.5 +5 00012 1_000 0x10 1p3 +Inf -Inf Inf inf infinity NaN nan \
            1e400 1e-400 1e99999 123456789012345678901234567890 0.000000000000000000000000000001 9007199254740993 \
            9007199254740993.0 18446744073709551615 18446744073709551616 1..2 1.2.3 ٣";
        agrees("");
        for word in WORDS.split(' ') {
            agrees(word);
        }
    }

    #[test]
    fn a_number_ends_at_a_blank_or_at_the_end_of_the_line() {
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
