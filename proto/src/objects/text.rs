//! Texts of objects, cut to a limit, and times in seconds.

use std::sync::Arc;

use crate::time::Timestamp;
use crate::wire::protobuf::{Malformed, Value};

use super::intern::Interner;
use super::protobuf::Message;
use crate::lenient::Lenient;

/// The maximum length of a message in bytes: a termination message may have 4 KiB.
const LONGEST: usize = 1024;

/// Cuts a text that is too long at a character boundary, and appends `…`.
pub(super) fn cut(text: &mut String) {
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST - '…'.len_utf8()));
        text.push('…');
    }
}

/// A cut message; `None` for an empty text.
pub(super) fn message(mut text: String) -> Option<Box<str>> {
    cut(&mut text);
    (!text.is_empty()).then(|| text.into())
}

/// A name; `None` for an empty text.
pub(super) fn named(name: &str) -> Option<&str> {
    (!name.is_empty()).then_some(name)
}

/// An interned word; `None` for an empty text.
pub(super) fn word(mut text: String, names: &Interner) -> Option<Arc<str>> {
    cut(&mut text);
    (!text.is_empty()).then(|| names.intern(&text))
}

/// `Time` and `MicroTime` on the wire: an RFC 3339 text in JSON, a `Timestamp` in protobuf. A text that is not a time
/// is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct WireTime(pub(super) Option<Timestamp>);

impl Lenient<'_> for WireTime {
    fn text(text: &str) -> Self {
        Self(text.parse().ok())
    }
}

impl Message for WireTime {
    fn field(&mut self, number: u32, value: Value<'_>) -> Result<(), Malformed> {
        let more = match (number, value.int()) {
            (1, Ok(seconds)) => Timestamp::from_secs(seconds).as_nanos(),
            (2, Ok(nanos)) => nanos,
            _ => return Ok(()),
        };
        self.0 = Some(self.0.unwrap_or_default().plus_nanos(more));
        Ok(())
    }
}

impl WireTime {
    /// Seconds since the epoch; zero if there is no time.
    pub(super) fn seconds(self) -> u32 {
        self.0.map(as_seconds).unwrap_or_default()
    }
}

/// Seconds since the epoch; zero before it.
pub(super) fn as_seconds(time: Timestamp) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or_default()
}

/// The time of these seconds since the epoch; `None` for zero.
pub fn time(seconds: u32) -> Option<Timestamp> {
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
        assert_eq!(WireTime::text("1970-01-01T00:01:00Z").seconds(), 60);
        for text in ["", "yesterday", "1969-01-01T00:00:00Z"] {
            assert_eq!(WireTime::text(text).seconds(), 0, "{text}");
        }
        assert_eq!(time(0), None);
    }
}
