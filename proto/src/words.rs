//! Small rules about words.

use std::error::Error;

/// A text with its first letter in upper case.
#[must_use]
pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// A boolean as Go's `strconv.ParseBool` reads it.
#[must_use]
pub fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// An error and its causes on one line. A cause with which its error's text ends already is left out.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// A number for people, with at least four significant digits: `0.3333`, `12.5`, `1048576`.
#[must_use]
pub fn decimal(value: f64) -> String {
    let size = value.abs();
    if !(1e-9..1e15).contains(&size) {
        return if size == 0.0 || !value.is_finite() {
            value.to_string()
        } else {
            format!("{value:e}")
        };
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 0 to 12"
    )]
    let places = (3.0 - size.log10().floor()).clamp(0.0, 12.0) as usize;
    let text = format!("{value:.places$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn numbers_have_the_digits_that_people_read() {
        for (value, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (12.5, "12.5"),
            (-1.0 / 3.0, "-0.3333"),
            (0.1 + 0.2, "0.3"),
            (1_048_576.0, "1048576"),
            (12_345.678, "12346"),
            (0.000_012_346, "0.00001235"),
            (1e-20, "1e-20"),
            (1e300, "1e300"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(decimal(value), text);
        }
    }
}
