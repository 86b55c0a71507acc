//! Numbers as decimal text, appended to a buffer without allocation.

/// The two digits of every number from 00 to 99: halves the divisions of a long number.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut n = 0;
    while n < 100 {
        #[allow(clippy::indexing_slicing)] // const evaluation: out of bounds would not compile
        {
            pairs[n] = [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
        }
        n += 1;
    }
    pairs
};

/// The digits of the longest `u64`.
pub(crate) const DIGITS: usize = 20;

/// Appends `n` in decimal.
#[inline]
pub(crate) fn push_u64(out: &mut Vec<u8>, n: u64) {
    let mut digits = [0; DIGITS];
    let start = digits_of(&mut digits, n);
    out.extend_from_slice(digits.get(start..).unwrap_or_default());
}

/// Writes `n` in decimal at the end of `digits`. Returns the index of the first digit.
#[inline]
pub(crate) fn digits_of(digits: &mut [u8; DIGITS], mut n: u64) -> usize {
    let mut start = DIGITS;
    for place in digits.rchunks_exact_mut(2) {
        let pair = pair(n % 100);
        place.copy_from_slice(&pair);
        start -= 2;
        n /= 100;
        if n == 0 {
            // The first pair may begin with a zero.
            start += usize::from(pair[0] == b'0');
            break;
        }
    }
    start
}

/// Appends the two digits of `n` (its last two, if it has more).
#[inline]
pub(crate) fn push_pair(out: &mut Vec<u8>, n: u64) {
    out.extend_from_slice(&pair(n % 100));
}

#[inline]
fn pair(n: u64) -> [u8; 2] {
    PAIRS.get(n as usize).copied().unwrap_or_default()
}

/// Appends `fraction`, a number of `1 / 10^width`, as `.digits` without trailing zeros, and
/// nothing at all when it is zero.
pub(crate) fn push_fraction(out: &mut Vec<u8>, fraction: u64, width: u32) {
    if fraction == 0 {
        return;
    }
    let (mut fraction, mut width) = (fraction, width);
    while fraction.is_multiple_of(10) {
        fraction /= 10;
        width -= 1;
    }
    out.push(b'.');
    let digits = fraction.ilog10() + 1;
    for _ in digits..width {
        out.push(b'0');
    }
    push_u64(out, fraction);
}

/// The text that `write` appends, which is always ASCII.
pub(crate) fn to_string(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::with_capacity(32);
    write(&mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// `text` in double quotes, as Go's `%q` writes it.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{b}' => quoted.push_str("\\v"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\0'..' ' | '\u{7f}' => quoted.push_str(&format!("\\x{:02x}", u32::from(c))),
            // Characters that are not printable: those that Rust escapes.
            _ if c.escape_debug().len() > 2 && u32::from(c) > 0xffff => {
                quoted.push_str(&format!("\\U{:08x}", u32::from(c)));
            }
            _ if c.escape_debug().len() > 2 => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_are_written_as_std_writes_them(n: u64, shift in 0_u32..64) {
            let n = n >> shift;
            prop_assert_eq!(to_string(|out| push_u64(out, n)), n.to_string());
        }
    }

    #[test]
    fn edges() {
        for n in [0, 9, 10, 99, 100, 101, 999, 1000, u64::MAX] {
            assert_eq!(to_string(|out| push_u64(out, n)), n.to_string());
        }
        for (fraction, text) in [
            (0, ""),
            (500_000_000, ".5"),
            (1, ".000000001"),
            (123_000_000, ".123"),
        ] {
            assert_eq!(to_string(|out| push_fraction(out, fraction, 9)), text);
        }
    }

    #[test]
    fn texts_are_quoted_as_go_quotes_them() {
        for (text, quoted) in [
            ("", r#""""#),
            ("it's \"\\\"", r#""it's \"\\\"""#),
            ("\n\t\u{7}\u{1}\u{7f}", r#""\n\t\a\x01\x7f""#),
            ("é€😀\u{200b}\u{e0001}", r#""é€😀\u200b\U000e0001""#),
        ] {
            assert_eq!(quote(text), quoted);
        }
    }
}
