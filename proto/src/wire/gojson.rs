//! JSON strings as Go's `encoding/json` writes them, HTML-safe.

/// Appends `text` as a JSON string with Go's escapes: `<`, `>`, `&`, U+2028 and U+2029 are written
/// as `\u` escapes, so that the text is safe inside HTML and JavaScript.
pub fn write_str(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    // Nearly all texts are plain, and a loop without branches finds that out soonest.
    if bytes
        .iter()
        .fold(true, |plain, byte| plain & is_plain(*byte))
    {
        out.extend_from_slice(bytes);
    } else {
        write_escaped(out, bytes);
    }
    out.push(b'"');
}

/// Appends a text with bytes that need care.
fn write_escaped(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut written = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if is_plain(byte) {
            continue;
        }
        let width = match escape(byte, bytes.get(at + 1..at + 3)) {
            Some((escape, width)) => {
                out.extend_from_slice(bytes.get(written..at).unwrap_or_default());
                match escape {
                    Escape::Letter(letter) => out.extend_from_slice(&[b'\\', letter]),
                    Escape::Code(a, b) => {
                        out.extend_from_slice(b"\\u");
                        out.extend_from_slice(&[hex(a >> 4), hex(a), hex(b >> 4), hex(b)]);
                    }
                }
                width
            }
            None => continue,
        };
        written = at + width;
    }
    out.extend_from_slice(bytes.get(written..).unwrap_or_default());
}

enum Escape {
    Letter(u8),
    Code(u8, u8),
}

/// Whether each byte is written as it is.
#[expect(clippy::indexing_slicing, reason = "at compile time")]
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0x20;
    while byte < plain.len() {
        plain[byte] = !matches!(byte as u8, b'"' | b'\\' | b'<' | b'>' | b'&' | 0xe2);
        byte += 1;
    }
    plain
};

#[inline]
fn is_plain(byte: u8) -> bool {
    PLAIN.get(usize::from(byte)).is_some_and(|plain| *plain)
}

/// How `byte` is escaped and how many bytes that replaces; 0xe2 begins U+2028 and U+2029, but
/// other characters too.
fn escape(byte: u8, next: Option<&[u8]>) -> Option<(Escape, usize)> {
    Some(match byte {
        b'"' | b'\\' => (Escape::Letter(byte), 1),
        b'\n' => (Escape::Letter(b'n'), 1),
        b'\r' => (Escape::Letter(b'r'), 1),
        b'\t' => (Escape::Letter(b't'), 1),
        0x08 => (Escape::Letter(b'b'), 1),
        0x0c => (Escape::Letter(b'f'), 1),
        0xe2 => match next {
            Some([0x80, 0xa8]) => (Escape::Code(0x20, 0x28), 3),
            Some([0x80, 0xa9]) => (Escape::Code(0x20, 0x29), 3),
            _ => return None,
        },
        _ => (Escape::Code(0, byte), 1),
    })
}

const fn hex(nibble: u8) -> u8 {
    match nibble & 0xf {
        digit @ 0..=9 => b'0' + digit,
        letter => b'a' + letter - 10,
    }
}

/// `value` as compact JSON with Go's escapes.
///
/// Unlike serde_json this cannot fail for the types of this crate: their keys are strings.
pub fn write_value<T: serde::Serialize + ?Sized>(
    out: &mut Vec<u8>,
    value: &T,
) -> serde_json::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(
        out,
        GoFormatter,
    ))
}

/// Writes strings with Go's escapes, and everything else as serde_json does.
struct GoFormatter;

impl serde_json::ser::Formatter for GoFormatter {
    fn write_string_fragment<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> std::io::Result<()> {
        // serde_json has taken out what JSON itself escapes; what is left is Go's own.
        let mut rest = fragment;
        while let Some(at) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            let (plain, special) = rest.split_at_checked(at).unwrap_or((rest, ""));
            writer.write_all(plain.as_bytes())?;
            let mut chars = special.chars();
            if let Some(c) = chars.next() {
                write!(writer, "\\u{:04x}", u32::from(c))?;
            }
            rest = chars.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
}
