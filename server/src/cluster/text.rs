//! Texts that strangers write, of which the beginning is kept; and times, of which the seconds are.

use std::sync::Arc;

use kubevitals_proto::time::Timestamp;

use crate::intern::Interner;

/// The most that is kept of a message: a container may leave 4 KiB of its log as its last words.
const LONGEST: usize = 1024;

/// Cuts a text that is too long, at a character, and says so.
pub(super) fn cut(text: &mut String) {
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST - '…'.len_utf8()));
        text.push('…');
    }
}

/// A message, if there is one.
pub(super) fn message(mut text: String) -> Option<Box<str>> {
    cut(&mut text);
    (!text.is_empty()).then(|| text.into())
}

/// A word that recurs, if there is one.
pub(super) fn word(mut text: String, names: &Interner) -> Option<Arc<str>> {
    cut(&mut text);
    (!text.is_empty()).then(|| names.intern(&text))
}

/// Seconds since the epoch of an RFC 3339 time; zero where it is none.
pub(super) fn seconds(text: &str) -> u32 {
    let time: Option<Timestamp> = text.parse().ok();
    time.map(as_seconds).unwrap_or_default()
}

/// Seconds since the epoch; zero before it.
pub(super) fn as_seconds(time: Timestamp) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or_default()
}

/// The time that so many seconds say; zero says none.
pub(crate) fn time(seconds: u32) -> Option<Timestamp> {
    (seconds > 0).then(|| Timestamp::from_secs(seconds.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        let mut text = "ä".repeat(1000);
        cut(&mut text);
        assert!(text.len() <= LONGEST && text.ends_with("ä…"));
        let mut short = "short".to_owned();
        cut(&mut short);
        assert_eq!(short, "short");
    }

    #[test]
    fn a_time_that_is_none_is_zero() {
        assert_eq!(seconds("1970-01-01T00:01:00Z"), 60);
        for text in ["", "yesterday", "1969-01-01T00:00:00Z"] {
            assert_eq!(seconds(text), 0, "{text}");
        }
        assert_eq!(time(0), None);
    }
}
