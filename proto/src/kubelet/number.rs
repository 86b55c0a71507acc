//! Numbers of the Prometheus text format, bit for bit as [`f64::from_str`](std::str::FromStr)
//! reads them, faster.

/// Powers of ten that a double holds exactly.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// The largest integer up to which a double holds every one.
const MAX_EXACT: u64 = 1 << 53;

/// More digits than this may not fit in a `u64`.
const MAX_DIGITS: usize = 19;

/// Reads the number at the start of `text`: its value, and what follows it.
///
/// `None` if there is no plain decimal number (digits, a point, an exponent) that is followed by
/// a blank, a line's end or nothing: then [`parse_f64`] of the whole word decides.
#[inline]
#[must_use]
pub fn leading_f64(text: &[u8]) -> Option<(f64, &[u8])> {
    let (whole, mantissa, rest) = digits(text, 0);
    let (mut count, mut mantissa, mut rest, mut power) = (whole, mantissa, rest, 0_i32);
    if let Some((b'.', after)) = rest.split_first() {
        let (places, with_places, after) = digits(after, mantissa);
        count += places;
        mantissa = with_places;
        power = -(places as i32);
        rest = after;
    }
    if count == 0 || count > MAX_DIGITS {
        return None;
    }
    if let Some((b'e' | b'E', after)) = rest.split_first() {
        let (negative, after) = match after.split_first() {
            Some((b'-', after)) => (true, after),
            Some((b'+', after)) => (false, after),
            _ => (false, after),
        };
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
    if !matches!(rest.first(), None | Some(b' ' | b'\t' | b'\n' | b'\r')) || mantissa > MAX_EXACT {
        return None;
    }
    // Clinger's fast path: both operands are exact, so one operation rounds correctly.
    let factor = *EXACT_POWERS.get(power.unsigned_abs() as usize)?;
    let value = mantissa as f64;
    Some((
        if power < 0 {
            value / factor
        } else {
            value * factor
        },
        rest,
    ))
}

/// How many digits `text` starts with, the number they make appended to `number` (wrapping), and
/// what follows.
#[inline]
fn digits(text: &[u8], mut number: u64) -> (usize, u64, &[u8]) {
    let mut rest = text;
    while let Some((digit @ b'0'..=b'9', after)) = rest.split_first() {
        number = number
            .wrapping_mul(10)
            .wrapping_add(u64::from(digit - b'0'));
        rest = after;
    }
    (text.len() - rest.len(), number, rest)
}

/// A whole word as a number: decimal, `+Inf`, `-Inf` or `NaN` in any case.
#[must_use]
pub fn parse_f64(word: &[u8]) -> Option<f64> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// Reads the decimal integer at the start of `text`: its value, and what follows it. `None` if
/// there is none or it does not fit.
#[inline]
#[must_use]
pub fn leading_i64(text: &[u8]) -> Option<(i64, &[u8])> {
    let (negative, text) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let (count, number, rest) = digits(text, 0);
    if count == 0 || count > 18 {
        return None;
    }
    let number = number as i64;
    Some((if negative { -number } else { number }, rest))
}
