//! Converts bytes from outside to text that cannot control the terminal.

use unicode_width::UnicodeWidthChar;

/// The distance of tab stops, in cells.
const TAB: usize = 8;

/// The sign for bytes that are no text. One sign stands for a run of them.
const NO_TEXT: char = char::REPLACEMENT_CHARACTER;

/// Converts a line to text. Escape sequences (CSI, OSC, DCS and others, with seven or eight bits) and controls of the
/// text direction are removed, tabs are expanded, and other control characters and invalid UTF-8 become `�`.
pub fn plain_text(bytes: &[u8]) -> String {
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    let is_plain = |byte: &u8| (b' '..=b'~').contains(byte);
    if bytes.iter().all(is_plain) {
        // ASCII is UTF-8.
        return String::from_utf8(bytes.to_vec()).unwrap_or_default();
    }
    let lossy = String::from_utf8_lossy(bytes);
    let mut text = String::with_capacity(lossy.len());
    let mut cells = 0;
    let mut rest = lossy.as_ref();
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        rest = match sequence(c, after) {
            Some(after) => after,
            None => {
                cells += push(&mut text, c, cells);
                after
            }
        };
    }
    text
}

/// Appends a character. Returns its width in cells.
fn push(text: &mut String, c: char, cells: usize) -> usize {
    match c {
        '\t' => {
            let blanks = TAB - cells % TAB;
            text.extend(std::iter::repeat_n(' ', blanks));
            blanks
        }
        '\r' | '\n' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
            text.push(' ');
            1
        }
        c if is_invisible(c) => 0,
        c if c.is_control() || c == NO_TEXT => {
            if text.ends_with(NO_TEXT) {
                return 0;
            }
            text.push(NO_TEXT);
            1
        }
        c => {
            text.push(c);
            c.width().unwrap_or(0)
        }
    }
}

/// Controls of the text direction, byte order marks, tags and the like: they would show a text as another one.
const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Returns the text after an escape sequence that starts with `c`. `None` if none starts there.
fn sequence(c: char, after: &str) -> Option<&str> {
    match c {
        '\u{1b}' => {
            let second = after.chars().next();
            let rest = after.get(second.map_or(0, char::len_utf8)..)?;
            Some(match second {
                Some('[') => control_sequence(rest),
                Some(']' | 'P' | 'X' | '^' | '_') => control_string(rest),
                Some(' '..='/') => {
                    // Intermediate characters and the final one.
                    let rest = rest.trim_start_matches(|c| matches!(c, ' '..='/'));
                    rest.strip_prefix(|c| matches!(c, '0'..='~'))
                        .unwrap_or(rest)
                }
                Some('0'..='~') => rest,
                _ => after,
            })
        }
        '\u{9b}' => Some(control_sequence(after)),
        '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => Some(control_string(after)),
        '\u{80}'..='\u{84}' | '\u{86}'..='\u{9c}' | '\u{7}' | '\u{8}' => Some(after),
        _ => None,
    }
}

/// The text after a CSI sequence. Of an incomplete one only the introducer is removed.
fn control_sequence(rest: &str) -> &str {
    let last = rest.trim_start_matches(|c| matches!(c, ' '..='?'));
    last.strip_prefix(|c| matches!(c, '@'..='~'))
        .unwrap_or(rest)
}

/// The text after a control string. Of one without an end only the introducer is removed, so that no text is lost.
fn control_string(rest: &str) -> &str {
    let end = rest.find(['\u{7}', '\u{9c}', '\u{1b}']);
    let Some((_, after)) = end.and_then(|end| rest.split_at_checked(end)) else {
        return rest;
    };
    match after.strip_prefix("\u{1b}\\") {
        Some(after) => after,
        None => after.strip_prefix(['\u{7}', '\u{9c}']).unwrap_or(after),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::width;

    #[test]
    fn nothing_of_a_line_controls_the_terminal() {
        for (line, text) in [
            (&b"GET /cart 200"[..], "GET /cart 200"),
            (b"windows\r", "windows"),
            (b"10%\r20%", "10% 20%"),
            (b"\x1b[31mred\x1b[0m \x1b[1;38;5;9mbold", "red bold"),
            (b"\x1b[?1049h\x1b[2J\x1b[Hhome", "home"),
            (b"\x1b]0;title\x07after", "after"),
            (b"\x1b]52;c;ZXZpbA==\x1b\\after", "after"),
            (b"\x1bP+q544e\x1b\\after\x1b_x\x1b\\!", "after!"),
            (
                b"\x1bcreset \x1b(0lines \x1b7saved\x1b#8",
                "reset lines saved",
            ),
            // Eight bits, as UTF-8.
            (
                "\u{9b}31mred \u{9d}0;t\u{9c}after\u{8d}".as_bytes(),
                "red after",
            ),
            // Incomplete sequences lose only their introducer.
            (b"\x1b]0;no end", "0;no end"),
            (b"end\x1b[31", "end31"),
            (b"end\x1b", "end"),
            (b"bell\x07 back\x08", "bell back"),
            (b"a\tb\tc", "a       b       c"),
            ("日\tx".as_bytes(), "日      x"),
            // The text direction, and marks that cannot be seen.
            ("a\u{202e}b\u{2066}c\u{200b}d\u{feff}".as_bytes(), "abcd"),
            ("a\u{2028}b".as_bytes(), "a b"),
            (b"\x00\x01\x02\xff\xfe\x7fELF\x00", "\u{fffd}ELF\u{fffd}"),
            ("Zażółć 日本".as_bytes(), "Zażółć 日本"),
        ] {
            assert_eq!(plain_text(line), text, "{}", line.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn no_result_has_a_control_character(line in proptest::collection::vec(any::<u8>(), 0..300)) {
            let text = plain_text(&line);
            prop_assert!(!text.chars().any(|c| c.is_control() || is_invisible(c)), "{text:?}");
        }

        #[test]
        fn no_escape_sequence_survives(parts in proptest::collection::vec("\u{1b}|\\[|\\]|\u{9b}|\u{9d}|P|\u{7}|\u{1b}\\\\|[0-9;?]{0,3}|[a-zA-Z]|\t|日", 0..60)) {
            let text = plain_text(parts.concat().as_bytes());
            prop_assert!(!text.chars().any(char::is_control), "{text:?}");
            prop_assert!(width(&text) <= parts.concat().len() * TAB);
        }
    }
}
