//! One string: with which quotes, and where its lines break.

use super::resolve;

/// Lines are folded at the first single space behind this column.
const WIDTH: usize = 80;

/// How a string is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

/// What of a string decides about its style, as libyaml analyses it.
#[derive(Debug, Default)]
struct Analysis {
    /// Begins like something that is no plain scalar, or has `: ` or ` #` inside.
    indicators: bool,
    /// Characters that only double quotes can hold.
    special: bool,
    /// A space or a line break at either end.
    outer_space: bool,
    trailing_space: bool,
    /// A space before a line break.
    space_break: bool,
    /// A space after a line break.
    break_space: bool,
    breaks: bool,
}

impl Analysis {
    fn of(text: &str) -> Self {
        let mut found = Self {
            indicators: text.starts_with("---") || text.starts_with("..."),
            ..Self::default()
        };
        let mut before: Option<char> = None;
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            let next = rest.clone().next();
            let blank_next = next.is_none_or(|next| matches!(next, ' ' | '\t'));
            found.indicators |= match (before, c) {
                (
                    None,
                    '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"'
                    | '%' | '@' | '`',
                ) => true,
                (None, '?' | ':' | '-') | (Some(_), ':') => blank_next,
                (Some(before), '#') => before.is_ascii_whitespace(),
                _ => false,
            };
            found.special |= !is_printable(c);
            found.breaks |= c == '\n';
            found.outer_space |= matches!(c, ' ' | '\n') && (before.is_none() || next.is_none());
            found.trailing_space |= c == ' ' && next.is_none();
            found.space_break |= before == Some(' ') && c == '\n';
            found.break_space |= before == Some('\n') && c == ' ';
            before = Some(c);
        }
        found
    }

    fn style(&self, text: &str, is_key: bool) -> Style {
        let only_double = self.special || self.space_break;
        if self.breaks {
            return if only_double || self.trailing_space || is_key {
                Style::Double
            } else {
                Style::Literal
            };
        }
        if resolve::is_no_string(text) || only_double {
            Style::Double
        } else if self.indicators || self.outer_space {
            Style::Single
        } else {
            Style::Plain
        }
    }
}

/// What libyaml writes as it is. It also writes U+2028 and U+2029 so, within quotes, as the line breaks that they
/// are; here they are escaped.
fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{ffff}')
        && !matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
}

/// Whether a key must be announced by a question mark.
pub(super) fn is_long_key(key: &str) -> bool {
    key.len() > 128 || key.contains('\n')
}

/// Appends `text`. `column` is how far the line has got, `indent` where its further lines begin. A key stays on
/// its line.
pub(super) fn write(out: &mut Vec<u8>, text: &str, column: usize, indent: usize, is_key: bool) {
    let mut line = Line {
        out,
        column,
        indent,
        fold: !is_key,
    };
    match Analysis::of(text).style(text, is_key) {
        Style::Plain => line.plain(text),
        Style::Single => line.single_quoted(text),
        Style::Double => line.double_quoted(text),
        Style::Literal => line.literal(text),
    }
}

struct Line<'a> {
    out: &'a mut Vec<u8>,
    column: usize,
    indent: usize,
    fold: bool,
}

impl Line<'_> {
    fn put(&mut self, c: char) {
        self.out
            .extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        self.column += 1;
    }

    fn break_line(&mut self) {
        self.out.push(b'\n');
        self.out.resize(self.out.len() + self.indent, b' ');
        self.column = self.indent;
    }

    /// Whether to break the line at a space, `before` and `after` being what stands around it.
    fn folds(&self, before: Option<char>, after: Option<char>) -> bool {
        self.fold && self.column > WIDTH && before != Some(' ') && after != Some(' ')
    }

    fn plain(&mut self, text: &str) {
        let mut before = None;
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            if c == ' ' && self.folds(before, rest.clone().next()) {
                self.break_line();
            } else {
                self.put(c);
            }
            before = Some(c);
        }
    }

    fn single_quoted(&mut self, text: &str) {
        self.put('\'');
        let mut before = None;
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            let next = rest.clone().next();
            let inside = before.is_some() && next.is_some();
            if c == ' ' && inside && self.folds(before, next) {
                self.break_line();
            } else {
                if c == '\'' {
                    self.put(c);
                }
                self.put(c);
            }
            before = Some(c);
        }
        self.put('\'');
    }

    fn double_quoted(&mut self, text: &str) {
        self.put('"');
        // Only what was written as a space counts as one here: behind an escape a line may break.
        let mut before = None;
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            let next = rest.clone().next();
            if c == ' ' {
                let inside = before.is_some() && next.is_some();
                if inside && self.folds(before, None) {
                    self.break_line();
                    if next == Some(' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(c);
                }
            } else {
                self.escaped(c);
            }
            before = Some(c);
        }
        self.put('"');
    }

    fn escaped(&mut self, c: char) {
        let letter = match c {
            '\0' => '0',
            '\x07' => 'a',
            '\x08' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\x0b' => 'v',
            '\x0c' => 'f',
            '\r' => 'r',
            '\x1b' => 'e',
            '"' => '"',
            '\\' => '\\',
            '\u{85}' => 'N',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            c if is_printable(c) => return self.put(c),
            c => return self.code(c),
        };
        self.put('\\');
        self.put(letter);
    }

    fn code(&mut self, c: char) {
        let code = u32::from(c);
        let escape = match code {
            0..=0xff => format!("\\x{code:02X}"),
            0x100..=0xffff => format!("\\u{code:04X}"),
            _ => format!("\\U{code:08X}"),
        };
        escape.chars().for_each(|c| self.put(c));
    }

    fn literal(&mut self, text: &str) {
        self.put('|');
        if text.starts_with([' ', '\n']) {
            self.put('2');
        }
        if !text.ends_with('\n') {
            self.put('-');
        } else if text.len() == 1 || text.ends_with("\n\n") {
            self.put('+');
        }
        for line in text.split('\n') {
            self.out.push(b'\n');
            if !line.is_empty() {
                self.out.resize(self.out.len() + self.indent, b' ');
                self.out.extend_from_slice(line.as_bytes());
            }
        }
    }
}
