//! What a scalar without quotes would be taken for.

/// Whether a YAML 1.1 parser reads `text`, unquoted, as something other than a string: a truth value, null, a
/// number, a time. `y` and `22:22` are among them, which newer parsers no longer mistake.
pub(super) fn is_no_string(text: &str) -> bool {
    match text.bytes().next() {
        None => true,
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => {
            is_word(text)
        }
        Some(b'.') => {
            is_infinity(text) || matches!(text, ".nan" | ".NaN" | ".NAN") || is_float(text)
        }
        Some(b'0'..=b'9' | b'+' | b'-') => {
            let plain = text.replace('_', "");
            text.strip_prefix(['+', '-']).is_some_and(is_infinity)
                || is_time(text)
                || is_integer(&plain)
                || is_float(&plain)
                || is_sexagesimal(text)
        }
        Some(_) => false,
    }
}

fn is_word(text: &str) -> bool {
    const WORDS: [&str; 10] = [
        "y", "yes", "true", "on", "n", "no", "false", "off", "null", "~",
    ];
    let capitalised = text
        .chars()
        .skip(1)
        .all(|c| c.is_ascii_lowercase())
        .then(|| text.to_ascii_lowercase());
    let shouted = text
        .chars()
        .all(|c| c.is_ascii_uppercase())
        .then(|| text.to_ascii_lowercase());
    WORDS.iter().any(|word| {
        text == *word || capitalised.as_deref() == Some(word) || shouted.as_deref() == Some(word)
    })
}

fn is_infinity(text: &str) -> bool {
    matches!(text, ".inf" | ".Inf" | ".INF")
}

/// An integer of 64 bits in Go's syntax: decimal, 0x, 0o, 0b, or octal by a leading zero.
fn is_integer(text: &str) -> bool {
    let negative = text.starts_with('-');
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let signed = digits.len() < text.len();
    let lower = digits.to_ascii_lowercase();
    let (digits, radix) = [("0x", 16), ("0o", 8), ("0b", 2)]
        .into_iter()
        .find_map(|(prefix, radix)| Some((lower.strip_prefix(prefix)?, radix)))
        .unwrap_or((&lower, if lower.starts_with('0') { 8 } else { 10 }));
    if !digits.chars().all(|c| c.is_digit(radix)) {
        return false;
    }
    match u64::from_str_radix(digits, radix) {
        Ok(value) if negative => value <= 1 << 63,
        Ok(value) if signed => value < 1 << 63,
        Ok(_) => true,
        Err(_) => false,
    }
}

/// A decimal fraction, with or without an exponent, that fits 64 bits.
fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa_is_one = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && all_digits(fraction),
        Some((whole, fraction)) => all_digits(whole) && all_digits(fraction),
        None => !mantissa.is_empty() && all_digits(mantissa),
    };
    let exponent_is_one = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && all_digits(digits)
    });
    mantissa_is_one && exponent_is_one && text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// Hours and minutes, which old parsers take for a number to the base of sixty: `12:30:45`.
fn is_sexagesimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut parts = unsigned.split(':').peekable();
    let first = parts.next().unwrap_or_default();
    if parts.peek().is_none()
        || !first.starts_with(|c: char| c.is_ascii_digit())
        || !first
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_')
    {
        return false;
    }
    while let Some(part) = parts.next() {
        let part = match part.split_once('.') {
            Some((part, fraction)) if parts.peek().is_none() => {
                if !fraction
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || byte == b'_')
                {
                    return false;
                }
                part
            }
            _ => part,
        };
        match part.as_bytes() {
            [digit] | [b'0'..=b'5', digit] if digit.is_ascii_digit() => {}
            _ => return false,
        }
    }
    true
}

/// A date, or a date and a time, as go-yaml knows them.
fn is_time(text: &str) -> bool {
    let Some((year, rest)) = text.split_once('-') else {
        return false;
    };
    if year.len() != 4 || !year.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let Some((month, rest)) = rest.split_once('-') else {
        return false;
    };
    let (day, time) = match rest.split_once(['T', 't', ' ']) {
        Some((day, time)) => (day, Some((time, rest.contains(' ')))),
        None => (rest, None),
    };
    let days = match short_number(month) {
        Some(4 | 6 | 9 | 11) => 30,
        Some(2) => 29,
        Some(1..=12) => 31,
        _ => return false,
    };
    short_number(day).is_some_and(|day| (1..=days).contains(&day))
        && time.is_none_or(|(time, spaced)| is_time_of_day(time, !spaced))
}

fn is_time_of_day(text: &str, zoned: bool) -> bool {
    let clock = if zoned {
        let zone = text.find(['Z', '+', '-']).unwrap_or(text.len());
        let Some((clock, zone)) = text.split_at_checked(zone) else {
            return false;
        };
        let offset = zone
            .strip_prefix(['+', '-'])
            .and_then(|offset| offset.split_once(':'));
        let two = |part: &str| part.len() == 2 && short_number(part).is_some();
        if zone != "Z" && !offset.is_some_and(|(hours, minutes)| two(hours) && two(minutes)) {
            return false;
        }
        clock
    } else {
        text
    };
    let mut parts = clock.splitn(3, ':');
    let (Some(hour), Some(minute), Some(second)) = (parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let (second, fraction) = second.split_once(['.', ',']).unwrap_or((second, "0"));
    short_number(hour).is_some_and(|hour| hour < 24)
        && short_number(minute).is_some_and(|minute| minute < 60)
        && short_number(second).is_some_and(|second| second < 60)
        && !fraction.is_empty()
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number of one or two digits.
fn short_number(text: &str) -> Option<u8> {
    let digits = matches!(text.len(), 1 | 2) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}
