//! JSON as Go's `json.MarshalIndent(value, "", "  ")` lays it out.

/// Re-indents compact JSON as it streams by: chunks may be cut anywhere, even inside a string or an
/// escape. What is not JSON comes out as something that is not JSON either, never as a panic.
#[derive(Debug, Clone, Default)]
pub struct Indenter {
    depth: usize,
    /// A `{` or `[` was the last token: whether anything is inside decides the line break.
    opened: bool,
    in_string: bool,
    escaped: bool,
}

impl Indenter {
    /// An indenter at the start of a value.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends `chunk`, the next part of the compact form, indented, to `out`.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        let mut rest = chunk;
        while !rest.is_empty() {
            rest = if self.in_string {
                self.string(rest, out)
            } else {
                self.token(rest, out)
            };
        }
    }

    /// Copies up to and with the closing quote.
    fn string<'a>(&mut self, rest: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        if std::mem::take(&mut self.escaped) {
            let (escaped, rest) = rest.split_at_checked(1).unwrap_or((rest, &[]));
            out.extend_from_slice(escaped);
            return rest;
        }
        let end = memchr::memchr2(b'"', b'\\', rest);
        let (text, rest) = end
            .and_then(|end| rest.split_at_checked(end + 1))
            .unwrap_or((rest, &[]));
        out.extend_from_slice(text);
        match end.and(text.last()) {
            Some(b'"') => self.in_string = false,
            Some(_) => self.escaped = true,
            None => {}
        }
        rest
    }

    /// Takes one byte outside of strings.
    fn token<'a>(&mut self, rest: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        let Some((&byte, rest)) = rest.split_first() else {
            return rest;
        };
        if byte.is_ascii_whitespace() {
            return rest;
        }
        let closes = matches!(byte, b'}' | b']');
        if closes {
            self.depth = self.depth.saturating_sub(1);
        }
        // Nothing breaks the line between the two brackets of an empty object or array.
        if std::mem::take(&mut self.opened) != closes {
            self.break_line(out);
        }
        out.push(byte);
        match byte {
            b'{' | b'[' => {
                self.depth += 1;
                self.opened = true;
            }
            b',' => self.break_line(out),
            b':' => out.push(b' '),
            b'"' => self.in_string = true,
            _ => {}
        }
        rest
    }

    fn break_line(&self, out: &mut Vec<u8>) {
        out.push(b'\n');
        for _ in 0..self.depth {
            out.extend_from_slice(b"  ");
        }
    }
}

/// The whole of a compact JSON text, indented.
#[must_use]
pub fn indent(compact: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(compact.len() * 2);
    Indenter::new().push(compact, &mut out);
    out
}
