//! The order of a mapping's keys.

use std::cmp::Ordering;

/// How go-yaml orders two keys: letters after everything else, runs of digits by their value, the rest by code
/// point. It is no total order for every set of strings, so it must not be given to a sort that relies on one.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let Some(at) = a.iter().zip(&b).position(|(a, b)| a != b) else {
        return a.len().cmp(&b.len());
    };
    let (Some(&first), Some(&second)) = (a.get(at), b.get(at)) else {
        return Ordering::Equal;
    };
    match (first.is_alphabetic(), second.is_alphabetic()) {
        (true, true) => return first.cmp(&second),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    // A zero after other digits of the same number makes it longer; a leading one does not.
    let within_number = (first == '0' || second == '0')
        && a.iter()
            .take(at)
            .rev()
            .take_while(|c| c.is_ascii_digit())
            .any(|digit| *digit != '0');
    let (a_value, a_len) = number(a.get(at..).unwrap_or_default(), within_number);
    let (b_value, b_len) = number(b.get(at..).unwrap_or_default(), within_number);
    a_value
        .cmp(&b_value)
        .then(a_len.cmp(&b_len))
        .then(first.cmp(&second))
}

/// The value of the digits that `text` begins with, and how many there are.
fn number(text: &[char], within_number: bool) -> (i64, usize) {
    let digits = text.iter().map_while(|c| c.to_digit(10));
    digits.fold((within_number.into(), 0), |(value, len), digit| {
        let value = i64::wrapping_add(i64::wrapping_mul(value, 10), digit.into());
        (value, len + 1)
    })
}
