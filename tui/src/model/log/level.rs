//! The level of a line of a log.

use memchr::memmem;

use crate::model::tone::Tone;

/// The level of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Level {
    /// The line names no level.
    #[default]
    None,
    /// Debug, trace, or verbose.
    Debug,
    /// Info, notice.
    Info,
    /// A warning.
    Warn,
    /// An error, or worse.
    Error,
}

/// How far into a line a word can name its level, in bytes.
const HEAD: usize = 120;

/// The fields that name the level, in JSON and logfmt.
const FIELDS: [&str; 5] = ["level", "severity", "lvl", "levelname", "log.level"];

impl Level {
    /// The level that a line names: in klog's first letter, a field of JSON or logfmt, or a word near its start.
    #[must_use]
    pub fn of(line: &str) -> Self {
        if let Some(level) = klog(line) {
            return level;
        }
        let field = match line.starts_with('{') {
            true => FIELDS.iter().find_map(|field| of_json(line, field)),
            false => FIELDS.iter().find_map(|field| of_logfmt(line, field)),
        };
        field.or_else(|| of_words(line)).unwrap_or_default()
    }

    /// The tone of a line of this level.
    #[must_use]
    pub const fn tone(self) -> Tone {
        match self {
            Self::None | Self::Info => Tone::Plain,
            Self::Debug => Tone::Dim,
            Self::Warn => Tone::Warn,
            Self::Error => Tone::Bad,
        }
    }

    /// The level with this name.
    fn named(word: &str) -> Option<Self> {
        let is = |names: &[&str]| names.iter().any(|name| word.eq_ignore_ascii_case(name));
        // Longer words name no level.
        if word.len() > 11 {
            None
        } else if is(&[
            "error",
            "err",
            "fatal",
            "panic",
            "critical",
            "crit",
            "severe",
            "alert",
            "emergency",
            "emerg",
            "dpanic",
        ]) {
            Some(Self::Error)
        } else if is(&["warn", "warning", "wrn"]) {
            Some(Self::Warn)
        } else if is(&["info", "information", "notice", "inf"]) {
            Some(Self::Info)
        } else if is(&["debug", "trace", "dbg", "trc", "verbose", "fine"]) {
            Some(Self::Debug)
        } else {
            None
        }
    }

    /// The level with this number, as bunyan and pino write it.
    const fn numbered(number: u32) -> Option<Self> {
        match number {
            10..=29 => Some(Self::Debug),
            30..=39 => Some(Self::Info),
            40..=49 => Some(Self::Warn),
            50..=60 => Some(Self::Error),
            _ => None,
        }
    }
}

/// `E1121 05:00:00.000000`: the letter, month and day.
fn klog(line: &str) -> Option<Level> {
    let (letter, rest) = line.as_bytes().split_first()?;
    let (date, rest) = rest.split_at_checked(4)?;
    if !date.iter().all(u8::is_ascii_digit) || rest.first() != Some(&b' ') {
        return None;
    }
    match letter {
        b'E' | b'F' => Some(Level::Error),
        b'W' => Some(Level::Warn),
        b'I' => Some(Level::Info),
        b'D' => Some(Level::Debug),
        _ => None,
    }
}

/// `"level":"error"` or `"level":50`.
fn of_json(line: &str, field: &str) -> Option<Level> {
    let mut from = 0;
    // The name without a backslash before its quote: others are within a string.
    while let Some(at) = memmem::find(line.as_bytes().get(from..)?, field.as_bytes()) {
        let start = from + at;
        from = start + field.len();
        let before = line.get(..start)?.strip_suffix('"');
        let rest = line.get(from..)?.strip_prefix('"');
        let (Some(before), Some(rest)) = (before, rest) else {
            continue;
        };
        let Some(value) = rest
            .trim_start()
            .strip_prefix(':')
            .filter(|_| !before.ends_with('\\'))
        else {
            continue;
        };
        let value = value.trim_start();
        let level = match value.strip_prefix('"') {
            Some(text) => Level::named(text.split('"').next().unwrap_or_default()),
            None => {
                let digits = value.split(|c: char| !c.is_ascii_digit()).next();
                digits
                    .and_then(|digits| digits.parse().ok())
                    .and_then(Level::numbered)
            }
        };
        if level.is_some() {
            return level;
        }
    }
    None
}

/// `level=error` or `level="error"`.
fn of_logfmt(line: &str, field: &str) -> Option<Level> {
    let at = memmem::find(line.as_bytes(), field.as_bytes())?;
    let (before, rest) = line.split_at_checked(at)?;
    let value = rest.strip_prefix(field)?.strip_prefix('=')?;
    let is_start = before.is_empty() || before.ends_with([' ', ',']);
    let value = value.trim_start_matches('"');
    let word = value.split(|c: char| !c.is_ascii_alphanumeric()).next()?;
    is_start.then(|| Level::named(word)).flatten()
}

/// A word near the start: in upper case, or in brackets, or before a colon, or the first word.
fn of_words(line: &str) -> Option<Level> {
    let head = line.get(..line.floor_char_boundary(HEAD))?;
    let mut at = 0;
    for word in head.split(|c: char| !c.is_ascii_alphanumeric()) {
        let start = at;
        at += word.len() + 1;
        let Some(level) = Level::named(word) else {
            continue;
        };
        let next = head.as_bytes().get(start + word.len());
        let is_marked = matches!(next, Some(b':' | b']' | b'>' | b'|'));
        let is_upper = word.bytes().all(|byte| byte.is_ascii_uppercase());
        if is_upper || is_marked {
            return Some(level);
        }
    }
    head.starts_with("Traceback (most recent call last)")
        .then_some(Level::Error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_found_in_the_usual_formats() {
        use Level::{Debug, Error, Info, None, Warn};
        for (line, level) in [
            ("E0101 00:00:01.000000 1 reflector.go:1] failed", Error),
            ("W1231 23:59:59.1 1 x.go:1] slow", Warn),
            ("I0101 00:00:01 1 x.go:1] error budget is fine", Info),
            ("F0101 00:00:01 fatal", Error),
            ("E01 not klog", None),
            (r#"{"level":"error","msg":"x"}"#, Error),
            (r#"{"ts":1,"severity": "WARNING","message":"x"}"#, Warn),
            (r#"{"level":30,"msg":"ERROR in a message"}"#, Info),
            (r#"{"level":50}"#, Error),
            (
                r#"{"msg":"a \"level\":\"error\" in a string","level":"info"}"#,
                Info,
            ),
            (r#"{"log.level":"debug"}"#, Debug),
            (r#"{"message":"none"}"#, None),
            ("ts=2026 level=warn msg=\"an error\"", Warn),
            ("lvl=\"eror\" x", None),
            ("severity=ERROR x", Error),
            (
                "2026-11-21 05:00:00,123 ERROR [main] c.e.Shop - failed",
                Error,
            ),
            ("2026/11/21 05:00:00 [warn] 7#7: *1 slow", Warn),
            ("error: cannot connect", Error),
            ("panic: runtime error: index out of range", Error),
            ("Traceback (most recent call last):", Error),
            ("[INFO] no error here", Info),
            ("there is no error in lower case", None),
            ("GET /info 200", None),
            ("TERRORS and WARNINGS2", None),
            ("", None),
        ] {
            assert_eq!(Level::of(line), level, "{line}");
        }
    }
}
